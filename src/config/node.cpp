#include "config/node.hpp"

#include <algorithm>
#include <array>

#include "base/json_text.hpp"

namespace etcdmon::config {

namespace {

using Kind = Node::Kind;

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kWordCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";

// True for text that every YAML reader takes as that same text without quotes.
bool is_plain_word(std::string_view text) {
  constexpr std::array<std::string_view, 9> kReserved = {"true", "false", "null", "yes", "no",
                                                         "on",   "off",   "y",    "n"};
  if (text.empty() || kLetters.find(text.front()) == std::string_view::npos) return false;
  if (text.find_first_not_of(kWordCharacters) != std::string_view::npos) return false;
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return std::ranges::find(kReserved, lower) == kReserved.end();
}

std::string yaml_text(std::string_view text) {
  if (is_plain_word(text)) return std::string(text);
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string yaml_scalar(const Node& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kText:
      return yaml_text(node.text);
    case Kind::kList:
      return "[]";
    case Kind::kMap:
      return "{}";
    case Kind::kPlain:
    case Kind::kNumber:
    case Kind::kBool:
      break;
  }
  return node.text;
}

void append_yaml(std::string& out, const Node& node, std::size_t indent);

void append_yaml_child(std::string& out, const Node& child, std::size_t indent) {
  const bool nested = !child.children.empty();
  if (!nested) {
    out += " " + yaml_scalar(child) + "\n";
    return;
  }
  out += "\n";
  append_yaml(out, child, indent);
}

void append_yaml(std::string& out, const Node& node, std::size_t indent) {
  for (const auto& child : node.children) {
    const std::size_t start = out.size();
    out.append(indent, ' ');
    if (node.kind == Kind::kMap) {
      out += yaml_text(child.key) + ":";
      append_yaml_child(out, child, indent + 2);
    } else if (child.kind == Kind::kMap && !child.children.empty()) {
      append_yaml(out, child, indent + 2);
      // The first key of a map in a list stands on the line of its dash.
      out.erase(start, indent);
      out[start + indent] = '-';
    } else {
      out += "-";
      append_yaml_child(out, child, indent + 2);
    }
  }
}

void append_json(std::string& out, const Node& node, std::size_t indent) {
  switch (node.kind) {
    case Kind::kNull:
      out += "null";
      return;
    case Kind::kPlain:
    case Kind::kText:
      append_json_string(out, node.text);
      return;
    case Kind::kNumber:
    case Kind::kBool:
      out += node.text;
      return;
    case Kind::kList:
    case Kind::kMap:
      break;
  }
  const bool is_map = node.kind == Kind::kMap;
  out += is_map ? '{' : '[';
  bool first = true;
  for (const auto& child : node.children) {
    out += first ? "\n" : ",\n";
    first = false;
    out.append(indent + 2, ' ');
    if (is_map) {
      append_json_string(out, child.key);
      out += ": ";
    }
    append_json(out, child, indent + 2);
  }
  if (!first) {
    out += '\n';
    out.append(indent, ' ');
  }
  out += is_map ? '}' : ']';
}

}  // namespace

Node Node::scalar(Kind kind, std::string text) {
  Node node;
  node.kind = kind;
  node.text = std::move(text);
  return node;
}

Node& Node::set(std::string name, Node value) {
  value.key = std::move(name);
  children.push_back(std::move(value));
  return *this;
}

Node& Node::add(Node value) {
  children.push_back(std::move(value));
  return *this;
}

const Node* Node::find(std::string_view name) const {
  const auto it = std::ranges::find(children, name, &Node::key);
  return it == children.end() ? nullptr : &*it;
}

bool Node::operator==(const Node& other) const {
  return kind == other.kind && key == other.key && text == other.text && children == other.children;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kPlain:
    case Kind::kText:
    case Kind::kNumber:
    case Kind::kBool:
      return "a single value";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a section";
  }
  return "";
}

std::string to_yaml(const Node& node) {
  if (node.children.empty()) return yaml_scalar(node) + "\n";
  std::string out;
  append_yaml(out, node, 0);
  return out;
}

std::string to_json(const Node& node) {
  std::string out;
  append_json(out, node, 0);
  return out;
}

}  // namespace etcdmon::config
