#include "notify/teams/teams.hpp"

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

constexpr std::size_t kText = 1'000;
constexpr std::size_t kFact = 200;
constexpr std::size_t kAll = 24'000;  // of 28 KB

std::string_view colour_of(const NotifiedAlert& alert) {
  if (alert.resolved) return "Good";
  switch (alert.severity) {
    case model::Severity::kInfo:
      return "Accent";
    case model::Severity::kWarning:
      return "Warning";
    case model::Severity::kCritical:
      return "Attention";
  }
  return "Attention";
}

Json text_block(std::string text) {
  return Json{{"type", "TextBlock"}, {"text", std::move(text)}, {"wrap", true}};
}

Json container_of(const NotifiedAlert& alert, std::string_view external_url) {
  auto head = text_block(
      shortened(fmt::format("{} {}: {}", shout(alert), alert.rule, alert.summary), kText));
  head["weight"] = "Bolder";
  head["color"] = colour_of(alert);
  Json items = Json::array({std::move(head)});
  if (!alert.detail.empty()) items.push_back(text_block(shortened(alert.detail, kText)));
  Json shown = Json::array();
  for (const auto& [name, value] : facts(alert))
    shown.push_back(Json{{"title", name}, {"value", shortened(value, kFact)}});
  items.push_back(Json{{"type", "FactSet"}, {"facts", std::move(shown)}});
  const auto link = runbook_link(alert, external_url);
  if (link.find("://") != std::string::npos)
    items.push_back(text_block(fmt::format("[What to do]({})", link)));
  return Json{{"type", "Container"}, {"items", std::move(items)}};
}

Json message_of(const Notification& notification, std::string_view external_url) {
  auto head = text_block(shortened(title(notification), kText));
  head["size"] = "Large";
  head["weight"] = "Bolder";
  Json body = Json::array(
      {std::move(head), text_block(shortened("Why now: " + why_now(notification), kText))});
  auto used = detail::text_of(body).size();
  for (std::size_t i = 0; i < notification.alerts.size(); ++i) {
    auto container = container_of(notification.alerts[i], external_url);
    used += detail::text_of(container).size();
    if (used > kAll) {
      body.push_back(text_block(fmt::format("… and {} more", notification.alerts.size() - i)));
      break;
    }
    body.push_back(std::move(container));
  }
  const Json card{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                  {"type", "AdaptiveCard"},
                  {"version", "1.4"},
                  {"msteams", {{"width", "Full"}}},
                  {"body", std::move(body)}};
  return Json{
      {"type", "message"},
      {"attachments", Json::array({Json{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                        {"contentUrl", nullptr},
                                        {"content", card}}})}};
}

}  // namespace

const Schema& TeamsOptions::schema() {
  using T = TeamsOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to Microsoft Teams.",
      {field("webhook_url", &T::webhook_url,
             "URL of the workflow \"Post to a channel when a webhook request is received\".")
           .rule(http_url_fault)
           .env_named("TEAMS_WEBHOOK_URL")});
  return kSchema;
}

std::vector<Complaint> TeamsOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !webhook_url.empty(), "webhook_url");
  return complaints;
}

std::string teams_body(const Notification& notification, std::string_view external_url) {
  return detail::text_of(message_of(notification, external_url));
}

std::unique_ptr<Channel> make_teams(const TeamsOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.judge = &judge_plainly;
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    return std::vector{detail::json_post(options.webhook_url, message_of(notification, url))};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
