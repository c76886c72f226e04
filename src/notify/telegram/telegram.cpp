#include "notify/telegram/telegram.hpp"

#include <utility>

#include <fmt/format.h>

#include "notify/detail/json.hpp"
#include "notify/text.hpp"

namespace etcdmon::notify {

namespace {

using namespace std::chrono_literals;
using config::Complaint;
using config::field;
using config::Schema;
using detail::Json;
using model::Notification;

constexpr std::size_t kText = 4'096;

Json message_of(const TelegramOptions& options, const Notification& notification,
                std::string_view external_url) {
  return Json{{"chat_id", options.chat_id},
              {"text", shortened(plain_text(notification, external_url), kText)},
              {"disable_notification", severity_of(notification) == model::Severity::kInfo},
              {"link_preview_options", {{"is_disabled", true}}}};
}

}  // namespace

const Schema& TelegramOptions::schema() {
  using T = TelegramOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to Telegram.",
      {field("bot_token", &T::bot_token, "The bot's token.").env_named("TELEGRAM_BOT_TOKEN"),
       field("chat_id", &T::chat_id, "The chat's number, or @name of a public channel."),
       field("api_url", &T::api_url, "Telegram's API, or that of a server of your own.")});
  return kSchema;
}

std::vector<Complaint> TelegramOptions::check() const {
  std::vector<Complaint> complaints;
  if (!enabled) return complaints;
  require(complaints, !bot_token.empty(), "bot_token");
  require(complaints, !chat_id.empty(), "chat_id");
  return complaints;
}

std::string telegram_body(const TelegramOptions& options, const Notification& notification,
                          std::string_view external_url) {
  return detail::text_of(message_of(options, notification, external_url));
}

Outcome judge_telegram(const net::HttpReply& reply, WallTime now) {
  auto outcome = judge_reply(reply, now);
  if (outcome.kind != Outcome::Kind::kRetry || outcome.retry_after) return outcome;
  const auto answer = Json::parse(reply.body, nullptr, false);
  if (!answer.is_object() || !answer.contains("parameters")) return outcome;
  const auto& parameters = answer["parameters"];
  if (!parameters.is_object() || !parameters.contains("retry_after")) return outcome;
  const auto& wish = parameters["retry_after"];
  if (wish.is_number_unsigned())
    outcome.retry_after = std::chrono::seconds(wish.get<std::int64_t>());
  return outcome;
}

std::unique_ptr<Channel> make_telegram(const TelegramOptions& options, const Services& services) {
  HttpChannel::Service service;
  service.spacing = 1s;
  service.judge = &judge_telegram;
  service.secrets = {options.bot_token};
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    const Secret target(
        fmt::format("{}/bot{}/sendMessage", options.api_url, options.bot_token.reveal()));
    return std::vector{detail::json_post(target, message_of(options, notification, url))};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
