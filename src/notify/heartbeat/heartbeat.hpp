// notify/heartbeat/heartbeat.hpp: tells somebody else that this monitor lives: a dead man's switch.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/secret.hpp"
#include "config/schema.hpp"
#include "net/http_client.hpp"

namespace etcdmon::notify {

struct HeartbeatOptions {
  bool enabled = false;
  Secret url;
  Secret blind_url;  ///< empty: `url` is told, whose body says it
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds timeout{10'000};

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// What is known about one cluster, for who hears the heartbeat.
struct Pulse {
  enum class State : std::uint8_t {
    kHealthy,
    kUnhealthy,
    kUnknown,    ///< it is asked, and nothing of it can be seen
    kUnwatched,  ///< it is not asked any more: this monitor does not do its work
  };
  std::string cluster;
  State state = State::kHealthy;
  std::string believed;  ///< where nothing can be seen: "cluster" or "monitor" is at fault
  std::string why;       ///< where it is not healthy
};
std::string_view name_of(Pulse::State state);  ///< "healthy", "unhealthy", "unknown", "unwatched"

/// No cluster can be seen.
bool is_blind(const std::vector<Pulse>& pulses);

/// {"status": "ok" or "blind", "clusters": […]}.
std::string heartbeat_body(const std::vector<Pulse>& pulses, WallTime now);

/// How the heartbeat does.
struct HeartbeatHealth {
  std::optional<WallTime> last_heard;
  std::uint64_t heard = 0;
  std::uint64_t failed = 0;
  std::uint64_t withheld = 0;
};

/// Posts forever, every `interval`, first after a few seconds; who does not hear it for longer
/// knows that nobody watches. It is withheld while a cluster is unwatched: a process that lives is
/// not yet one that watches. A failure is logged at its edge, and not repeated before the next
/// beat. Lifetime: `http` and `health` outlive it. Cancel: ends at once.
Task<> beat(HeartbeatOptions options, net::HttpClient& http,
            std::function<std::vector<Pulse>()> look, HeartbeatHealth& health, Logger logger);

}  // namespace etcdmon::notify
