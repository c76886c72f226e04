#include "notify/discord/discord.hpp"

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

constexpr std::size_t kContent = 2'000;
constexpr std::size_t kTitle = 256;
constexpr std::size_t kDescription = 1'500;
constexpr std::size_t kField = 200;
constexpr std::size_t kEmbeds = 9;   // of 10, with room for what was left out
constexpr std::size_t kAll = 5'500;  // of 6 000

int colour_of(const NotifiedAlert& alert) {
  if (alert.resolved) return 0x2E7D32;
  switch (alert.severity) {
    case model::Severity::kInfo:
      return 0x1565C0;
    case model::Severity::kWarning:
      return 0xEF6C00;
    case model::Severity::kCritical:
      return 0xC62828;
  }
  return 0xC62828;
}

// With how many characters of it count.
std::pair<Json, std::size_t> embed_of(const NotifiedAlert& alert, std::string_view external_url) {
  const auto head = shortened(fmt::format("{} {}", shout(alert), alert.rule), kTitle);
  auto text = alert.summary;
  if (!alert.detail.empty()) text += "\n" + alert.detail;
  text = shortened(std::move(text), kDescription);
  auto size = head.size() + text.size();
  Json fields = Json::array();
  for (const auto& [name, value] : facts(alert)) {
    auto shown = shortened(value, kField);
    size += name.size() + shown.size();
    fields.push_back(Json{{"name", name}, {"value", std::move(shown)}, {"inline", true}});
  }
  Json embed{{"title", head},
             {"description", text},
             {"color", colour_of(alert)},
             {"timestamp", to_rfc3339(alert.starts_at)},
             {"fields", std::move(fields)}};
  const auto link = runbook_link(alert, external_url);
  if (link.find("://") != std::string::npos) embed["url"] = link;
  return {std::move(embed), size};
}

Json message_of(const Notification& notification, std::string_view external_url) {
  Json embeds = Json::array();
  std::size_t used = 0;
  for (const auto& alert : notification.alerts) {
    auto [embed, size] = embed_of(alert, external_url);
    if (embeds.size() == kEmbeds || used + size > kAll) {
      embeds.push_back(
          Json{{"description",
                fmt::format("… and {} more", notification.alerts.size() - embeds.size())}});
      break;
    }
    used += size;
    embeds.push_back(std::move(embed));
  }
  const auto content =
      fmt::format("**{}**\nWhy now: {}", title(notification), why_now(notification));
  return Json{{"content", shortened(content, kContent)},
              // Names of members must not call people.
              {"allowed_mentions", {{"parse", Json::array()}}},
              {"embeds", std::move(embeds)}};
}

}  // namespace

const Schema& DiscordOptions::schema() {
  using T = DiscordOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to Discord.", {field("webhook_url", &T::webhook_url, "The webhook's URL.")
                                      .rule(http_url_fault)
                                      .env_named("DISCORD_WEBHOOK_URL")});
  return kSchema;
}

std::vector<Complaint> DiscordOptions::check() const {
  std::vector<Complaint> complaints;
  if (enabled) require(complaints, !webhook_url.empty(), "webhook_url");
  return complaints;
}

std::string discord_body(const Notification& notification, std::string_view external_url) {
  return detail::text_of(message_of(notification, external_url));
}

std::unique_ptr<Channel> make_discord(const DiscordOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.judge = &judge_plainly;
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    return std::vector{detail::json_post(options.webhook_url, message_of(notification, url))};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
