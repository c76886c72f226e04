#include "notify/mattermost/mattermost.hpp"

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

constexpr std::size_t kText = 1'500;
constexpr std::size_t kField = 200;
constexpr std::size_t kAll = 12'000;  // of 16 383

std::string_view colour_of(const NotifiedAlert& alert) {
  if (alert.resolved) return "#2e7d32";
  switch (alert.severity) {
    case model::Severity::kInfo:
      return "#1565c0";
    case model::Severity::kWarning:
      return "#ef6c00";
    case model::Severity::kCritical:
      return "#c62828";
  }
  return "#c62828";
}

Json attachment_of(const NotifiedAlert& alert, std::string_view external_url) {
  Json fields = Json::array();
  for (const auto& [name, value] : facts(alert))
    fields.push_back(Json{{"title", name}, {"value", shortened(value, kField)}, {"short", true}});
  auto text = alert.summary;
  if (!alert.detail.empty()) text += "\n" + alert.detail;
  Json attachment{{"fallback", shortened(fmt::format("{} {}", shout(alert), alert.rule), kField)},
                  {"color", colour_of(alert)},
                  {"title", shortened(fmt::format("{} {}", shout(alert), alert.rule), kField)},
                  {"text", shortened(std::move(text), kText)},
                  {"fields", std::move(fields)}};
  const auto link = runbook_link(alert, external_url);
  if (link.find("://") != std::string::npos) attachment["title_link"] = link;
  return attachment;
}

Json message_of(const MattermostOptions& options, const Notification& notification,
                std::string_view external_url) {
  Json attachments = Json::array();
  std::size_t used = 0;
  for (std::size_t i = 0; i < notification.alerts.size(); ++i) {
    auto attachment = attachment_of(notification.alerts[i], external_url);
    used += detail::text_of(attachment).size();
    if (used > kAll) {
      attachments.push_back(
          Json{{"text", fmt::format("… and {} more", notification.alerts.size() - i)}});
      break;
    }
    attachments.push_back(std::move(attachment));
  }
  const auto text = fmt::format("**{}**\nWhy now: {}", title(notification), why_now(notification));
  Json message{{"text", shortened(text, kText)}, {"attachments", std::move(attachments)}};
  if (!options.channel.empty()) message["channel"] = options.channel;
  if (!options.username.empty()) message["username"] = options.username;
  return message;
}

}  // namespace

const Schema& MattermostOptions::schema() {
  using T = MattermostOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to Mattermost or Rocket.Chat.",
      {field("webhook_url", &T::webhook_url, "The incoming webhook's URL.")
           .rule(http_url_fault)
           .env_named("MATTERMOST_WEBHOOK_URL"),
       field("channel", &T::channel, "Channel to write to. Empty: the webhook's own."),
       field("username", &T::username, "Name to write under. Empty: the webhook's own.")});
  return kSchema;
}

std::vector<Complaint> MattermostOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !webhook_url.empty(), "webhook_url");
  return complaints;
}

std::string mattermost_body(const MattermostOptions& options, const Notification& notification,
                            std::string_view external_url) {
  return detail::text_of(message_of(options, notification, external_url));
}

std::unique_ptr<Channel> make_mattermost(const MattermostOptions& options,
                                         const Services& services) {
  HttpChannel::Service service;
  service.judge = &judge_plainly;
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    return std::vector{
        detail::json_post(options.webhook_url, message_of(options, notification, url))};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
