#include "notify/slack/slack.hpp"

#include <array>
#include <map>
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
using model::NotifiedAlert;

constexpr std::size_t kHeader = 150;
constexpr std::size_t kSection = 3'000;
constexpr std::size_t kField = 2'000;
constexpr std::size_t kBlocks = 48;       // of 50, with room for what was left out
constexpr std::size_t kAll = 12'000;      // Slack refuses near 13 200, whatever each block has
constexpr std::size_t kPerAlert = 1'500;  // where there are several
constexpr std::size_t kRemembered = 1'000;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string_view colour_of(const Notification& notification) {
  if (notification.status == model::NotificationStatus::kResolved) return "#2eb886";
  switch (severity_of(notification)) {
    case model::Severity::kInfo:
      return "#439fe0";
    case model::Severity::kWarning:
      return "#daa038";
    case model::Severity::kCritical:
      return "#a30200";
  }
  return "#a30200";
}

Json mrkdwn(std::string text) {
  return Json{{"type", "mrkdwn"}, {"text", std::move(text)}};
}

// Shortened before it is escaped, so that no entity is cut in two; an entity is at most 5 long.
Json section_of(const NotifiedAlert& alert, std::size_t budget) {
  auto text = fmt::format("*{}* {}: {}", shout(alert), escaped(shortened(alert.rule, 100)),
                          escaped(shortened(alert.summary, budget / 10)));
  if (!alert.detail.empty())
    text += fmt::format("\n{}", escaped(shortened(alert.detail, budget / 10)));
  Json fields = Json::array();
  for (const auto& [name, value] : facts(alert))
    fields.push_back(mrkdwn(fmt::format("*{}*\n{}", name, escaped(shortened(value, kField / 20)))));
  return Json{{"type", "section"}, {"text", mrkdwn(std::move(text))}, {"fields", fields}};
}

Json context_of(const Notification& notification, const NotifiedAlert& alert,
                std::string_view external_url) {
  auto text = fmt::format("Why now: {}", escaped(shortened(why_now(notification), 300)));
  const auto link = shortened(runbook_link(alert, external_url), 500);
  if (link.find("://") != std::string::npos)
    text += fmt::format("  •  <{}|What to do>", escaped(link));
  else if (!link.empty())
    text += fmt::format("  •  {}", escaped(link));
  return Json{{"type", "context"}, {"elements", Json::array({mrkdwn(std::move(text))})}};
}

Json blocks_of(const Notification& notification, std::string_view external_url) {
  Json blocks = Json::array();
  blocks.push_back(
      Json{{"type", "header"},
           {"text", {{"type", "plain_text"}, {"text", shortened(title(notification), kHeader)}}}});
  const auto& alerts = notification.alerts;
  if (alerts.empty()) return blocks;
  blocks.push_back(context_of(notification, alerts.front(), external_url));
  auto used = detail::text_of(blocks).size();
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    auto section = section_of(alerts[i], alerts.size() == 1 ? kSection : kPerAlert);
    const auto size = detail::text_of(section).size();
    if (blocks.size() >= kBlocks || used + size > kAll) {
      blocks.push_back(Json{
          {"type", "context"},
          {"elements", Json::array({mrkdwn(fmt::format("… and {} more", alerts.size() - i))})}});
      break;
    }
    used += size;
    blocks.push_back(std::move(section));
  }
  return blocks;
}

Json message_of(const SlackOptions& options, const Notification& notification,
                std::string_view external_url) {
  // The text is what a telephone's lock screen shows.
  Json message{{"text", escaped(shortened(title(notification), 1'000))}};
  if (!options.channel.empty()) message["channel"] = options.channel;
  message["attachments"] = Json::array({Json{{"color", colour_of(notification)},
                                             {"blocks", blocks_of(notification, external_url)}}});
  return message;
}

// By bot token: posts, and edits what it posted.
class SlackBot final : public Channel {
 public:
  SlackBot(SlackOptions options, const Services& services)
      : options_(std::move(options)), services_(services) {}

  Task<Outcome> send(Notification notification, Deadline deadline) override {
    auto message = message_of(options_, notification, services_.external_url);
    const auto known = posted_.find(notification.dedup_key);
    const bool edits = known != posted_.end();
    if (edits) {
      message["channel"] = known->second.channel;
      message["ts"] = known->second.ts;
    }
    auto request = detail::json_post(
        Secret(options_.api_url + (edits ? "/chat.update" : "/chat.postMessage")), message);
    request.headers.emplace_back("Authorization", Secret("Bearer " + options_.bot_token.reveal()));
    auto reply = co_await services_.http.send(request, deadline);
    if (!reply) co_return judge_error(reply.error());
    hide_secrets(reply->body, request, {options_.bot_token});
    auto outcome = judge_slack_api(*reply, services_.clock.now().wall);
    if (outcome.delivered()) {
      remember(notification, *reply);
    } else if (edits && outcome.kind == Outcome::Kind::kRejected) {
      // Somebody deleted it: the next attempt writes a new one.
      posted_.erase(notification.dedup_key);
      outcome.kind = Outcome::Kind::kRetry;
    }
    co_return outcome;
  }
  std::chrono::milliseconds spacing() const override { return 1s; }

 private:
  struct Posted {
    std::string channel;
    std::string ts;
  };

  void remember(const Notification& notification, const net::HttpReply& reply) {
    if (notification.status == model::NotificationStatus::kResolved) {
      posted_.erase(notification.dedup_key);
      return;
    }
    const auto answer = Json::parse(reply.body, nullptr, false);
    if (!answer.is_object()) return;
    if (posted_.size() >= kRemembered) posted_.erase(posted_.begin());
    posted_[notification.dedup_key] = {answer.value("channel", ""), answer.value("ts", "")};
  }

  SlackOptions options_;
  Services services_;
  std::map<std::string, Posted> posted_;
};

}  // namespace

const Schema& SlackOptions::schema() {
  using T = SlackOptions;
  static const auto kSchema = channel_schema<T>(
      "Send alerts to Slack.",
      {field("webhook_url", &T::webhook_url, "The incoming webhook's URL.")
           .rule(http_url_fault)
           .env_named("SLACK_WEBHOOK_URL"),
       field("bot_token", &T::bot_token,
             "Instead of a webhook: a bot's token (scope chat:write), with which a message is "
             "edited when its alerts change.")
           .env_named("SLACK_BOT_TOKEN"),
       field("channel", &T::channel,
             "Channel to write to; needed with `bot_token`. Empty: the webhook's own."),
       field("api_url", &T::api_url, "Slack's web API.")});
  return kSchema;
}

std::vector<Complaint> SlackOptions::check() const {
  std::vector<Complaint> complaints;
  if (!webhook_url.empty() && !bot_token.empty())
    complaints.push_back({"bot_token", "and `webhook_url` exclude each other"});
  if (!enabled) return complaints;
  if (webhook_url.empty() && bot_token.empty()) require(complaints, false, "webhook_url");
  if (!bot_token.empty()) require(complaints, !channel.empty(), "channel");
  return complaints;
}

std::string slack_body(const SlackOptions& options, const Notification& notification,
                       std::string_view external_url) {
  return detail::text_of(message_of(options, notification, external_url));
}

Outcome judge_slack_api(const net::HttpReply& reply, WallTime now) {
  auto outcome = judge_reply(reply, now);
  if (!outcome.delivered()) return outcome;
  const auto answer = Json::parse(reply.body, nullptr, false);
  if (!answer.is_object()) {
    outcome.kind = Outcome::Kind::kRetry;
    outcome.why = "the answer is not Slack's";
    return outcome;
  }
  if (answer.value("ok", false)) return outcome;
  constexpr std::array<std::string_view, 6> kAgain = {"ratelimited",         "rate_limited",
                                                      "internal_error",      "fatal_error",
                                                      "service_unavailable", "request_timeout"};
  const auto error = answer.value("error", std::string("no reason given"));
  const bool again = std::ranges::find(kAgain, error) != kAgain.end();
  outcome.kind = again ? Outcome::Kind::kRetry : Outcome::Kind::kRejected;
  outcome.why = fmt::format("Slack says {}", error);
  return outcome;
}

std::unique_ptr<Channel> make_slack(const SlackOptions& options, const Services& services) {
  if (!options.bot_token.empty()) return std::make_unique<SlackBot>(options, services);
  HttpChannel::Service service;
  service.spacing = 1s;
  service.judge = &judge_plainly;
  service.requests = [options, url = services.external_url](const Notification& notification,
                                                            WallTime /*now*/) {
    return std::vector{
        detail::json_post(options.webhook_url, message_of(options, notification, url))};
  };
  return std::make_unique<HttpChannel>(services, std::move(service));
}

}  // namespace etcdmon::notify
