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
       field("interval", &T::interval, "Time between two beats.").min(5s).max(1h),
       field("timeout", &T::timeout, "Time for one.").min(1s).max(1min)});
  return kSchema;
}

std::vector<Complaint> HeartbeatOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !url.empty(), "url");
  return complaints;
}

std::string heartbeat_body(const std::vector<Pulse>& pulses, WallTime now) {
  const bool blind = !pulses.empty() && std::ranges::all_of(pulses, [](const Pulse& pulse) {
    return pulse.state == "unknown";
  });
  Json clusters = Json::array();
  for (const auto& pulse : pulses) {
    clusters.push_back(
        Json{{"cluster", pulse.cluster}, {"state", pulse.state}, {"why", pulse.why}});
  }
  return detail::text_of(Json{{"status", blind ? "blind" : "ok"},
                              {"at", to_rfc3339(now)},
                              {"clusters", std::move(clusters)}});
}

Task<> beat(HeartbeatOptions options, net::HttpClient& http,
            std::function<std::vector<Pulse>()> look, Logger logger) {
  bool failing = false;
  while (true) {
    const auto now = SystemClock{}.now();
    net::HttpRequest request{.url = options.url};
    request.headers.emplace_back("Content-Type", Secret("application/json"));
    request.body = heartbeat_body(look(), now.wall);
    const auto reply = co_await http.send(std::move(request), now.steady + options.timeout);
    const auto outcome = reply ? judge_reply(*reply, now.wall, false) : judge_error(reply.error());
    if (!outcome.delivered() && !failing)
      logger.warn("the heartbeat is not heard", {{"why", outcome.why}});
    if (outcome.delivered() && failing) logger.info("the heartbeat is heard again");
    failing = !outcome.delivered();
    co_await async::sleep_until(now.steady + options.interval);
  }
}

}  // namespace etcdmon::notify
