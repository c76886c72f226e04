#include "notify/heartbeat/heartbeat.hpp"

#include <algorithm>
#include <utility>

#include "notify/common_options.hpp"
#include "notify/detail/json.hpp"
#include "notify/outcome.hpp"

namespace etcdmon::notify {

using config::Complaint;
using config::field;
using config::Schema;
using detail::Json;

const Schema& HeartbeatOptions::schema() {
  using namespace std::chrono_literals;
  using T = HeartbeatOptions;
  static const auto kSchema = Schema::of<T>(
      "Alerts",
      {field("enabled", &T::enabled, "Tell a URL that this monitor lives."),
       field("url", &T::url, "Posted to; whoever is behind it raises the alarm when it stops.")
           .rule(http_url_fault)
           .env_named("HEARTBEAT_URL"),
       field("blind_url", &T::blind_url,
             "Posted to instead while no cluster can be seen. Empty: `url`, whose body says so.")
           .rule(http_url_fault),
       field("interval", &T::interval, "Time between two beats.").min(5s).max(1h),
       field("timeout", &T::timeout, "Time for one.").min(1s).max(1min)});
  return kSchema;
}

std::vector<Complaint> HeartbeatOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !url.empty(), "url");
  return complaints;
}

std::string_view name_of(Pulse::State state) {
  switch (state) {
    case Pulse::State::kHealthy:
      return "healthy";
    case Pulse::State::kUnhealthy:
      return "unhealthy";
    case Pulse::State::kUnknown:
      return "unknown";
    case Pulse::State::kUnwatched:
      return "unwatched";
  }
  return "unwatched";
}

bool is_blind(const std::vector<Pulse>& pulses) {
  return !pulses.empty() && std::ranges::all_of(pulses, [](const Pulse& pulse) {
    return pulse.state == Pulse::State::kUnknown;
  });
}

std::string heartbeat_body(const std::vector<Pulse>& pulses, WallTime now) {
  Json clusters = Json::array();
  for (const auto& pulse : pulses) {
    clusters.push_back(
        Json{{"cluster", pulse.cluster},
             {"state", name_of(pulse.state)},
             {"believed", pulse.believed.empty() ? Json(nullptr) : Json(pulse.believed)},
             {"why", pulse.why}});
  }
  return detail::text_of(Json{{"status", is_blind(pulses) ? "blind" : "ok"},
                              {"at", to_rfc3339(now)},
                              {"clusters", std::move(clusters)}});
}

namespace {

constexpr std::chrono::milliseconds kFirstAfter{3'000};

net::HttpRequest request_of(const HeartbeatOptions& options, const std::vector<Pulse>& pulses,
                            WallTime now) {
  const bool elsewhere = is_blind(pulses) && !options.blind_url.empty();
  net::HttpRequest request{.url = elsewhere ? options.blind_url : options.url};
  request.headers.emplace_back("Content-Type", Secret("application/json"));
  request.body = heartbeat_body(pulses, now);
  return request;
}

// What is wrong changes less often than the clock ticks: only then it is logged.
class Edge {
 public:
  explicit Edge(const Logger& logger) : logger_(logger) {}

  void now(const char* said, const std::string& why) {
    if (std::exchange(said_, said) == said) return;
    if (said != nullptr) {
      logger_.warn(said, {{"why", why}});
    } else {
      logger_.info("the heartbeat is heard again");
    }
  }

 private:
  Logger logger_;
  const char* said_ = nullptr;
};

}  // namespace

Task<> beat(HeartbeatOptions options, net::HttpClient& http,
            std::function<std::vector<Pulse>()> look, HeartbeatHealth& health, Logger logger) {
  // A process that dies at once, again and again, is no sign of life.
  co_await async::sleep_for(std::min(options.interval, kFirstAfter));
  Edge edge(logger);
  while (true) {
    const auto now = SystemClock{}.now();
    const auto pulses = look();
    const auto unwatched = std::ranges::find(pulses, Pulse::State::kUnwatched, &Pulse::state);
    if (unwatched != pulses.end()) {
      ++health.withheld;
      edge.now("the heartbeat is withheld: a cluster is not watched",
               unwatched->cluster + ": " + unwatched->why);
    } else {
      auto request = request_of(options, pulses, now.wall);
      const auto reply = co_await http.send(std::move(request), now.steady + options.timeout);
      const auto outcome =
          reply ? judge_reply(*reply, now.wall, false) : judge_error(reply.error());
      ++(outcome.delivered() ? health.heard : health.failed);
      if (outcome.delivered()) health.last_heard = now.wall;
      edge.now(outcome.delivered() ? nullptr : "the heartbeat is not heard", outcome.why);
    }
    co_await async::sleep_until(now.steady + options.interval);
  }
}

}  // namespace etcdmon::notify
