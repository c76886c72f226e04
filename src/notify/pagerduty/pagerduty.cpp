#include "notify/pagerduty/pagerduty.hpp"

#include <utility>

#include <fmt/format.h>

#include "notify/detail/json.hpp"
#include "notify/text.hpp"

namespace etcdmon::notify {

namespace {

using config::Complaint;
using config::field;
using config::Schema;
using detail::Json;
using model::Notification;
using model::NotifiedAlert;

constexpr std::size_t kSummary = 1'024;
constexpr std::size_t kKey = 255;
constexpr std::size_t kDetail = 10'000;  // an event may have 512 KB in all

std::string_view action_of(const Notification& notification, const NotifiedAlert& alert) {
  if (alert.resolved) return "resolve";
  return notification.status == model::NotificationStatus::kAcknowledged ? "acknowledge"
                                                                         : "trigger";
}

Json payload_of(const Notification& notification, const NotifiedAlert& alert,
                std::string_view external_url) {
  Json details;
  for (const auto& [name, value] : facts(alert)) details[name] = shortened(value, kDetail);
  details["Why now"] = why_now(notification);
  if (!alert.detail.empty()) details["Detail"] = shortened(alert.detail, kDetail);
  if (const auto link = runbook_link(alert, external_url); !link.empty()) details["Runbook"] = link;
  const auto where =
      alert.subject.empty() ? alert.cluster : fmt::format("{}/{}", alert.cluster, alert.subject);
  const auto summary = fmt::format("{} on {}: {}", alert.rule, where, alert.summary);
  return Json{{"summary", shortened(summary, kSummary)},
              {"source", where},
              {"severity", model::name_of(alert.severity)},
              {"timestamp", to_rfc3339(alert.starts_at)},
              {"component", alert.subject.empty() ? "etcd" : alert.subject},
              {"group", alert.cluster},
              {"class", alert.rule},
              {"custom_details", details}};
}

Json event_of(const PagerDutyOptions& options, const Notification& notification,
              const NotifiedAlert& alert, std::string_view external_url) {
  Json event{{"routing_key", options.routing_key.reveal()},
             {"event_action", action_of(notification, alert)},
             {"dedup_key", shortened(alert.id, kKey)},
             {"payload", payload_of(notification, alert, external_url)},
             {"client", "etcd-monitor"}};
  if (!external_url.empty()) event["client_url"] = external_url;
  const auto link = runbook_link(alert, external_url);
  if (link.find("://") != std::string::npos)
    event["links"] = Json::array({Json{{"href", link}, {"text", "What to do"}}});
  return event;
}

std::vector<Json> events_of(const PagerDutyOptions& options, const Notification& notification,
                            std::string_view external_url) {
  std::vector<Json> events;
  for (const auto& alert : notification.alerts) {
    events.push_back(event_of(options, notification, alert, external_url));
    if (notification.why != model::Why::kTest) continue;
    auto taken_back = alert;
    taken_back.resolved = true;
    events.push_back(event_of(options, notification, taken_back, external_url));
  }
  return events;
}

}  // namespace

const Schema& PagerDutyOptions::schema() {
  using T = PagerDutyOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to PagerDuty.",
      {field("routing_key", &T::routing_key, "Integration key of the service (Events API v2).")
           .env_named("PAGERDUTY_ROUTING_KEY"),
       field("url", &T::url, "Where events are sent; the EU has an address of its own.")});
  return kSchema;
}

std::vector<Complaint> PagerDutyOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !routing_key.empty(), "routing_key");
  return complaints;
}

std::vector<std::string> pagerduty_bodies(const PagerDutyOptions& options,
                                          const Notification& notification,
                                          std::string_view external_url) {
  std::vector<std::string> bodies;
  for (const auto& event : events_of(options, notification, external_url))
    bodies.push_back(detail::text_of(event));
  return bodies;
}

std::unique_ptr<Channel> make_pagerduty(const PagerDutyOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.judge = &judge_plainly;
  service.secrets = {options.routing_key};
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    std::vector<net::HttpRequest> requests;
    for (const auto& event : events_of(options, notification, url))
      requests.push_back(detail::json_post(Secret(options.url), event));
    return requests;
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
