#include "alert/rule_file.hpp"

#include <utility>

#include <fmt/format.h>

#include "alert/node_reader.hpp"

namespace etcdmon::alert {

namespace {

using config::Node;

class Reader : private NodeReader {
 public:
  explicit Reader(std::string source) : NodeReader(std::move(source)) {}

  RuleFile run(std::string_view text) {
    const auto root = document(text);
    if (is_section(root, "", {"groups"})) {
      std::size_t place = 0;
      for (const auto* group : entries(root.find("groups"), "groups"))
        take_group(*group, fmt::format("groups[{}]", place++));
    }
    file_.issues = std::move(issues());
    return std::move(file_);
  }

 private:
  void take_group(const Node& group, const std::string& path) {
    if (!is_section(group, path,
                    {"name", "interval", "limit", "rules", "labels", "query_offset",
                     "partial_response_strategy", "source_tenants"}))
      return;
    const auto name = text_of(group.find("name"), path + ".name");
    std::size_t place = 0;
    for (const auto* rule : entries(group.find("rules"), path + ".rules"))
      take(*rule, name, fmt::format("{}.rules[{}]", path, place++));
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
                      .origin = fmt::format("{}, group {}", source(), group)};
    std::vector<UserRuleFault> faults;
    (void)UserRule::make(rule, faults);
    for (auto& fault : faults) {
      const auto* at = node.find(fault.key);
      refuse(at != nullptr ? at->line : node.line, path + "." + fault.key,
             rule.alert.empty() ? fault.message : fmt::format("{}: {}", rule.alert, fault.message));
    }
    file_.rules.push_back(std::move(rule));
  }

  RuleFile file_;
};

}  // namespace

RuleFile parse_rule_file(std::string_view text, const std::string& source) {
  return Reader(source).run(text);
}

}  // namespace etcdmon::alert
