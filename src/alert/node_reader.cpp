#include "alert/node_reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/lexer.hpp"
#include "config/suggest.hpp"
#include "config/yaml.hpp"

namespace etcdmon::alert {

using config::Node;

Node NodeReader::document(std::string_view text) {
  auto root = config::parse_yaml(text);
  if (root) return *std::move(root);
  refuse(root.error().line, {}, root.error().message);
  return Node::map();
}

void NodeReader::refuse(int line, const std::string& path, std::string message) {
  issues_.push_back({{source_, line}, path, std::move(message)});
}

bool NodeReader::is_section(const Node& node, const std::string& path, const Keys& keys) {
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

std::vector<const Node*> NodeReader::entries(const Node* list, const std::string& path) {
  std::vector<const Node*> out;
  if (list == nullptr || list->kind == Node::Kind::kNull) return out;
  if (list->kind != Node::Kind::kList) {
    refuse(list->line, path, fmt::format("expected a list, found {}", name_of(list->kind)));
    return out;
  }
  for (const auto& child : list->children) out.push_back(&child);
  return out;
}

std::string NodeReader::text_of(const Node* node, const std::string& path) {
  if (node == nullptr || node->kind == Node::Kind::kNull) return {};
  if (node->kind == Node::Kind::kPlain || node->kind == Node::Kind::kText) return node->text;
  refuse(node->line, path, fmt::format("expected a text, found {}", name_of(node->kind)));
  return {};
}

std::chrono::milliseconds NodeReader::span_of(const Node* node, const std::string& path) {
  const auto text = text_of(node, path);
  if (text.empty() || text == "0") return {};
  const auto millis = expr::parse_millis(text);
  if (!millis) refuse(node->line, path, fmt::format("\"{}\" is no duration such as 5m", text));
  return std::chrono::milliseconds(millis.value_or(0));
}

NodeReader::Texts NodeReader::texts_of(const Node* node, const std::string& path) {
  Texts out;
  if (node == nullptr || node->kind == Node::Kind::kNull) return out;
  if (node->kind != Node::Kind::kMap) {
    refuse(node->line, path,
           fmt::format("expected names and texts, found {}", name_of(node->kind)));
    return out;
  }
  for (const auto& child : node->children) out[child.key] = text_of(&child, path + "." + child.key);
  return out;
}

}  // namespace etcdmon::alert
