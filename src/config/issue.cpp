#include "config/issue.hpp"

#include <fmt/format.h>

namespace etcdmon::config {

std::string to_string(const Issue& issue) {
  std::string out;
  if (!issue.origin.source.empty()) {
    out += issue.origin.source;
    if (issue.origin.line > 0) out += fmt::format(":{}", issue.origin.line);
    out += ": ";
  }
  if (!issue.path.empty()) out += issue.path + ": ";
  return out + issue.message;
}

std::string to_string(const std::vector<Issue>& issues) {
  std::string out;
  for (const auto& issue : issues) out += to_string(issue) + "\n";
  return out;
}

}  // namespace etcdmon::config
