// api/view_source.hpp: where the API gets what it shows; the app implements it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::api {

/// What the monitor tells about itself.
struct MonitorFacts {
  std::string version;  ///< "0.1.0"
  std::string build;    ///< commit or build id; empty if unknown
  WallTime started_at;
  Duration uptime{0};
};

/// Threads: the loop only.
class ViewSource {
 public:
  virtual ~ViewSource() = default;

  /// The configured names, in the order of the configuration.
  virtual const std::vector<std::string>& clusters() const = 0;
  /// The newest view; null before the first, or for a name that is not configured. Views of one
  /// name have growing versions as long as this process lives, across reloads too.
  virtual model::ClusterViewPtr view(std::string_view cluster) const = 0;
  virtual MonitorFacts monitor() const = 0;
};

}  // namespace etcdmon::api
