// alert/node_reader.hpp: takes a YAML tree of somebody else's format apart, and says on which line
// it is wrong.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/issue.hpp"
#include "config/node.hpp"

namespace etcdmon::alert {

/// Every function gives something to go on with; what was wrong is in issues().
class NodeReader {
 public:
  using Keys = std::vector<std::string>;
  using Texts = std::map<std::string, std::string>;

  /// `source` is how the file is called in issues.
  explicit NodeReader(std::string source) : source_(std::move(source)) {}

  const std::string& source() const { return source_; }
  std::vector<config::Issue>& issues() { return issues_; }
  void refuse(int line, const std::string& path, std::string message);

  /// The whole document; a section without keys where it is no YAML.
  config::Node document(std::string_view text);
  /// False where it is none. Other keys than `keys` are refused.
  bool is_section(const config::Node& node, const std::string& path, const Keys& keys);
  /// None where `list` is null or missing.
  std::vector<const config::Node*> entries(const config::Node* list, const std::string& path);
  std::string text_of(const config::Node* node, const std::string& path);
  /// In Prometheus' form; 0 where it is missing.
  std::chrono::milliseconds span_of(const config::Node* node, const std::string& path);
  Texts texts_of(const config::Node* node, const std::string& path);

 private:
  std::string source_;
  std::vector<config::Issue> issues_;
};

}  // namespace etcdmon::alert
