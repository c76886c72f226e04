#include "notify/ntfy/ntfy.hpp"

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

constexpr std::size_t kTitle = 250;
constexpr std::size_t kMessage = 4'000;  // of 4 096, beyond which it becomes a file

int priority_of(const Notification& notification) {
  if (notification.status == model::NotificationStatus::kResolved) return 3;
  switch (severity_of(notification)) {
    case model::Severity::kInfo:
      return 2;
    case model::Severity::kWarning:
      return 4;
    case model::Severity::kCritical:
      return 5;
  }
  return 5;
}

Json message_of(const NtfyOptions& options, const Notification& notification,
                std::string_view external_url) {
  const bool over = notification.status == model::NotificationStatus::kResolved;
  Json message{{"topic", options.topic.reveal()},
               {"title", shortened(title(notification), kTitle)},
               {"message", shortened(plain_text(notification, external_url), kMessage)},
               {"priority", priority_of(notification)},
               {"tags", Json::array({over ? "white_check_mark" : "rotating_light"})}};
  if (notification.alerts.empty()) return message;
  const auto link = runbook_link(notification.alerts.front(), external_url);
  if (link.find("://") != std::string::npos) message["click"] = link;
  return message;
}

}  // namespace

const Schema& NtfyOptions::schema() {
  using T = NtfyOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to telephones by ntfy.",
      {field("url", &T::url, "The server."),
       field("topic", &T::topic,
             "The topic; who knows its name can read it, so it is kept like a secret."),
       field("token", &T::token, "Access token, where the server wants one.")
           .env_named("NTFY_TOKEN")});
  return kSchema;
}

std::vector<Complaint> NtfyOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !topic.empty(), "topic");
  return complaints;
}

std::string ntfy_body(const NtfyOptions& options, const Notification& notification,
                      std::string_view external_url) {
  return detail::text_of(message_of(options, notification, external_url));
}

std::unique_ptr<Channel> make_ntfy(const NtfyOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.judge = &judge_plainly;
  service.secrets = {options.topic, options.token};
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    auto request = detail::json_post(Secret(options.url), message_of(options, notification, url));
    if (!options.token.empty())
      request.headers.emplace_back("Authorization", Secret("Bearer " + options.token.reveal()));
    return std::vector{std::move(request)};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
