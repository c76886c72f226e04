#include "notify/opsgenie/opsgenie.hpp"

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

constexpr std::size_t kMessage = 130;
constexpr std::size_t kDescription = 15'000;
constexpr std::size_t kDetail = 1'000;

std::string_view priority_of(model::Severity severity) {
  switch (severity) {
    case model::Severity::kInfo:
      return "P5";
    case model::Severity::kWarning:
      return "P3";
    case model::Severity::kCritical:
      return "P1";
  }
  return "P1";
}

Json message_of(const Notification& notification, const NotifiedAlert& alert,
                std::string_view external_url) {
  Json details;
  for (const auto& [name, value] : facts(alert)) details[name] = shortened(value, kDetail);
  details["Why now"] = shortened(why_now(notification), kDetail);
  if (const auto link = runbook_link(alert, external_url); !link.empty()) details["Runbook"] = link;
  const auto where =
      alert.subject.empty() ? alert.cluster : fmt::format("{}/{}", alert.cluster, alert.subject);
  auto text = alert.summary;
  if (!alert.detail.empty()) text += "\n" + alert.detail;
  return Json{{"message", shortened(fmt::format("{} on {}", alert.rule, where), kMessage)},
              {"alias", alert.id},
              {"description", shortened(std::move(text), kDescription)},
              {"entity", shortened(where, 512)},
              {"source", "etcd-monitor"},
              {"priority", priority_of(alert.severity)},
              {"tags", Json::array({"etcd", std::string(model::name_of(alert.severity))})},
              {"details", std::move(details)}};
}

net::HttpRequest request_of(const OpsgenieOptions& options, const Notification& notification,
                            const NotifiedAlert& alert, std::string_view external_url) {
  const auto base = fmt::format("{}/v2/alerts", options.api_url);
  const auto on_alias = [&](std::string_view what) {
    return Secret(fmt::format("{}/{}/{}?identifierType=alias", base, alert.id, what));
  };
  const Json note{{"source", "etcd-monitor"}, {"note", shortened(why_now(notification), kDetail)}};
  net::HttpRequest request;
  if (alert.resolved)
    request = detail::json_post(on_alias("close"), note);
  else if (notification.status == model::NotificationStatus::kAcknowledged)
    request = detail::json_post(on_alias("acknowledge"), note);
  else
    request = detail::json_post(Secret(base), message_of(notification, alert, external_url));
  request.headers.emplace_back("Authorization", Secret("GenieKey " + options.api_key.reveal()));
  return request;
}

}  // namespace

const Schema& OpsgenieOptions::schema() {
  using T = OpsgenieOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to Opsgenie.",
      {field("api_key", &T::api_key, "Key of an API integration.").env_named("OPSGENIE_API_KEY"),
       field("api_url", &T::api_url, "Its API; the EU has an address of its own.")});
  return kSchema;
}

std::vector<Complaint> OpsgenieOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !api_key.empty(), "api_key");
  return complaints;
}

std::string opsgenie_body(const Notification& notification, const NotifiedAlert& alert,
                          std::string_view external_url) {
  return detail::text_of(message_of(notification, alert, external_url));
}

std::unique_ptr<Channel> make_opsgenie(const OpsgenieOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.judge = &judge_plainly;
  service.secrets = {options.api_key};
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    std::vector<net::HttpRequest> requests;
    for (const auto& alert : notification.alerts) {
      requests.push_back(request_of(options, notification, alert, url));
      if (notification.why != model::Why::kTest) continue;
      auto taken_back = alert;
      taken_back.resolved = true;
      requests.push_back(request_of(options, notification, taken_back, url));
    }
    return requests;
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
