// config/node.hpp: a configuration as a tree of keys and values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etcdmon::config {

/// One value, read from a file or made to be shown.
struct Node {
  enum class Kind : std::uint8_t {
    kNull,
    kPlain,   ///< written without quotes: what it means depends on who reads it
    kText,    ///< written in quotes, or text to be shown
    kNumber,  ///< only in trees that are shown
    kBool,    ///< only in trees that are shown
    kList,
    kMap,
  };

  Kind kind = Kind::kNull;
  std::string key;             ///< where it stands in a map
  std::string text;            ///< of a scalar
  std::vector<Node> children;  ///< of a list or a map, in the order written; keys may repeat
  int line = 0;                ///< of its key, or of itself in a list; 0 when it was not read

  static Node null() { return {}; }
  static Node plain(std::string text) { return scalar(Kind::kPlain, std::move(text)); }
  static Node text_of(std::string text) { return scalar(Kind::kText, std::move(text)); }
  static Node number(std::string text) { return scalar(Kind::kNumber, std::move(text)); }
  static Node boolean(bool value) { return scalar(Kind::kBool, value ? "true" : "false"); }
  static Node list() { return scalar(Kind::kList, {}); }
  static Node map() { return scalar(Kind::kMap, {}); }

  /// Appends under `name`, for maps that are made.
  Node& set(std::string name, Node value);
  /// Appends to a list.
  Node& add(Node value);
  /// The first child with this key, or nullptr.
  const Node* find(std::string_view name) const;

  /// Content only: lines do not count.
  bool operator==(const Node& other) const;

 private:
  static Node scalar(Kind kind, std::string text);
};

/// "a list", "a section": for messages.
std::string_view name_of(Node::Kind kind);

/// Block style, two spaces, each line ended.
std::string to_yaml(const Node& node);
/// Two spaces an indent, no newline at the end.
std::string to_json(const Node& node);

}  // namespace etcdmon::config
