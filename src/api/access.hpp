// api/access.hpp: what a route asks of whoever comes.
#pragma once

#include <cstdint>

#include "api/auth/roles.hpp"

namespace etcdmon::api {

/// Every route has one: there is no default, so that nobody forgets.
struct Access {
  enum class To : std::uint8_t {
    kEverybody,  ///< answered to anybody; shows nothing that needs a right
    kCluster,    ///< about the cluster in `?cluster=NAME`, or the only one: the right is on that
    kClusters,   ///< about any of them: the right is on at least one; the handler sees to the rest
    kMonitor,    ///< about all at once, or the monitor itself: the right is on all clusters
  };

  To to;
  auth::Action action;

  static constexpr Access open() { return {To::kEverybody, auth::Action::kRead}; }
  static constexpr Access cluster(auth::Action action) { return {To::kCluster, action}; }
  static constexpr Access clusters(auth::Action action) { return {To::kClusters, action}; }
  static constexpr Access monitor(auth::Action action) { return {To::kMonitor, action}; }
};

}  // namespace etcdmon::api
