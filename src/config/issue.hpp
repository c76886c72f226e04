// config/issue.hpp: what is wrong with a configuration, and where it was written.
#pragma once

#include <string>
#include <vector>

namespace etcdmon::config {

/// Where a value was written. Line 0: the source has no lines (a flag, an environment variable).
struct Origin {
  std::string
      source;  ///< "config.yaml", "--endpoints", "ETCD_MONITOR_ENDPOINTS"; empty: the defaults
  int line = 0;

  bool operator==(const Origin&) const = default;
};

/// One reason not to start. The message never carries a secret.
struct Issue {
  Origin origin;
  std::string path;  ///< "clusters[2].tls.ca_file"; empty for flags and environment
  std::string message;

  bool operator==(const Issue&) const = default;
};

/// "config.yaml:12: clusters[2].tls.ca_fil: unknown key; did you mean `ca_file`?"
std::string to_string(const Issue& issue);
/// One issue a line, each line ended.
std::string to_string(const std::vector<Issue>& issues);

}  // namespace etcdmon::config
