// config/yaml.hpp: YAML text as a tree that knows its lines.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "config/node.hpp"

namespace etcdmon::config {

/// Why a text is no YAML, and on which line.
struct YamlError {
  int line = 0;
  std::string message;
};

/// Reads one document. An empty text is an empty map. Aliases are expanded; tags other than !!str,
/// keys that are not plain words, a second document and trees of more than 100 000 values are
/// errors.
tl::expected<Node, YamlError> parse_yaml(std::string_view text);

}  // namespace etcdmon::config
