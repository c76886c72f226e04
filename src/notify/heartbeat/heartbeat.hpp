// notify/heartbeat/heartbeat.hpp: tells somebody else that this monitor lives: a dead man's switch.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/secret.hpp"
#include "config/schema.hpp"
#include "net/http_client.hpp"

namespace etcdmon::notify {

struct HeartbeatOptions {
  bool enabled = false;
  Secret url;
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds timeout{10'000};

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// What is known about one cluster, for who hears the heartbeat.
struct Pulse {
  std::string cluster;
  std::string state;  ///< "healthy", "unhealthy", "unknown": nothing of it can be seen
  std::string why;    ///< where it is not healthy: which is believed, the cluster or the monitor
};

/// {"status": "ok" or "blind", "clusters": […]}. Blind: no cluster can be seen.
std::string heartbeat_body(const std::vector<Pulse>& pulses, WallTime now);

/// Posts forever, every `interval`; who does not hear it for longer knows that nobody watches. A
/// failure is logged at its edge, and not repeated before the next beat.
/// Cancel: ends at once.
Task<> beat(HeartbeatOptions options, net::HttpClient& http,
            std::function<std::vector<Pulse>()> look, Logger logger);

}  // namespace etcdmon::notify
