#include "alert/rule_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/lexer.hpp"
#include "config/suggest.hpp"
#include "config/yaml.hpp"

namespace etcdmon::alert {

namespace {

using config::Node;
using Keys = std::vector<std::string>;

class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}

  RuleFile run(std::string_view text) {
    const auto root = config::parse_yaml(text);
    if (!root) {
      refuse(root.error().line, {}, root.error().message);
      return std::move(file_);
    }
    if (!is_section(*root, "", {"groups"})) return std::move(file_);
    const auto* groups = root->find("groups");
    for (const auto* group : entries(groups, "groups")) {
      const auto path = fmt::format("groups[{}]", count_++);
      if (!is_section(*group, path,
                      {"name", "interval", "limit", "rules", "labels", "query_offset",
                       "partial_response_strategy", "source_tenants"}))
        continue;
      const auto name = text_of(group->find("name"), path + ".name");
      std::size_t place = 0;
      for (const auto* rule : entries(group->find("rules"), path + ".rules"))
        take(*rule, name, fmt::format("{}.rules[{}]", path, place++));
    }
    return std::move(file_);
  }

 private:
  void refuse(int line, const std::string& path, std::string message) {
    file_.issues.push_back({{source_, line}, path, std::move(message)});
  }

  bool is_section(const Node& node, const std::string& path, const Keys& keys) {
    if (node.kind != Node::Kind::kMap) {
      refuse(node.line, path,
             fmt::format("expected a section of keys and values, found {}", name_of(node.kind)));
      return false;
    }
    for (const auto& child : node.children) {
      if (std::ranges::find(keys, child.key) != keys.end()) continue;
      const auto near = config::closest(child.key, keys);
      refuse(child.line, path.empty() ? child.key : path + "." + child.key,
             near.empty() ? "unknown key" : fmt::format("unknown key; did you mean `{}`?", near));
    }
    return true;
  }

  std::vector<const Node*> entries(const Node* list, const std::string& path) {
    std::vector<const Node*> out;
    if (list == nullptr || list->kind == Node::Kind::kNull) return out;
    if (list->kind != Node::Kind::kList) {
      refuse(list->line, path, fmt::format("expected a list, found {}", name_of(list->kind)));
      return out;
    }
    for (const auto& child : list->children) out.push_back(&child);
    return out;
  }

  std::string text_of(const Node* node, const std::string& path) {
    if (node == nullptr || node->kind == Node::Kind::kNull) return {};
    if (node->kind == Node::Kind::kPlain || node->kind == Node::Kind::kText) return node->text;
    refuse(node->line, path, fmt::format("expected a text, found {}", name_of(node->kind)));
    return {};
  }

  std::chrono::milliseconds span_of(const Node* node, const std::string& path) {
    const auto text = text_of(node, path);
    if (text.empty() || text == "0") return {};
    const auto millis = expr::parse_millis(text);
    if (!millis) refuse(node->line, path, fmt::format("\"{}\" is no duration such as 5m", text));
    return std::chrono::milliseconds(millis.value_or(0));
  }

  std::map<std::string, std::string> texts_of(const Node* node, const std::string& path) {
    std::map<std::string, std::string> out;
    if (node == nullptr || node->kind == Node::Kind::kNull) return out;
    if (node->kind != Node::Kind::kMap) {
      refuse(node->line, path,
             fmt::format("expected names and texts, found {}", name_of(node->kind)));
      return out;
    }
    for (const auto& child : node->children)
      out[child.key] = text_of(&child, path + "." + child.key);
    return out;
  }

  void take(const Node& node, const std::string& group, const std::string& path) {
    if (!is_section(node, path,
                    {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}))
      return;
    if (const auto* record = node.find("record")) {
      refuse(record->line, path + ".record",
             "recording rules are not kept; write their expression where the alert uses it");
      return;
    }
    UserRuleText rule{.alert = text_of(node.find("alert"), path + ".alert"),
                      .expr = text_of(node.find("expr"), path + ".expr"),
                      .wait = span_of(node.find("for"), path + ".for"),
                      .keep = span_of(node.find("keep_firing_for"), path + ".keep_firing_for"),
                      .labels = texts_of(node.find("labels"), path + ".labels"),
                      .annotations = texts_of(node.find("annotations"), path + ".annotations"),
                      .origin = fmt::format("{}, group {}", source_, group)};
    std::vector<UserRuleFault> faults;
    (void)UserRule::make(rule, faults);
    for (auto& fault : faults) {
      const auto* at = node.find(fault.key);
      refuse(at != nullptr ? at->line : node.line, path + "." + fault.key,
             rule.alert.empty() ? fault.message : fmt::format("{}: {}", rule.alert, fault.message));
    }
    file_.rules.push_back(std::move(rule));
  }

  std::string source_;
  RuleFile file_;
  std::size_t count_ = 0;
};

}  // namespace

RuleFile parse_rule_file(std::string_view text, const std::string& source) {
  return Reader(source).run(text);
}

}  // namespace etcdmon::alert
