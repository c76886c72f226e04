// Bodies of the channels that have no rules beyond their service's limits.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/heartbeat/heartbeat.hpp"
#include "notify/registry.hpp"
#include "notify/testing/samples.hpp"

namespace etcdmon::notify {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::string_view kUrl = "https://mon.example.com";

std::vector<model::Notification> all_kinds() {
  auto odd = testing::firing();
  odd.alerts.front().subject = "infra\xff\x1b";
  return {testing::firing(), testing::resolved(), testing::huge(), odd};
}

TEST(Discord, StaysWithinItsLimits) {
  for (const auto& notification : all_kinds()) {
    const auto body = json::parse(discord_body(notification, kUrl));
    EXPECT_LE(body.at("content").get<std::string>().size(), 2'000U);
    EXPECT_LE(body.at("embeds").size(), 10U);
    std::size_t all = 0;
    for (const auto& embed : body.at("embeds")) {
      const auto title = embed.value("title", "");
      const auto text = embed.value("description", "");
      EXPECT_LE(title.size(), 256U);
      EXPECT_LE(text.size(), 4'096U);
      all += title.size() + text.size();
      for (const auto& field : embed.value("fields", json::array()))
        all += field.at("name").get<std::string>().size() +
               field.at("value").get<std::string>().size();
    }
    EXPECT_LE(all, 6'000U);
    EXPECT_TRUE(body.at("allowed_mentions").at("parse").empty());
  }
}

TEST(Teams, StaysWithinItsLimitsAndIsAnAdaptiveCard) {
  for (const auto& notification : all_kinds()) {
    const auto text = teams_body(notification, kUrl);
    EXPECT_LE(text.size(), 28'000U);
    const auto attachment = json::parse(text).at("attachments").at(0);
    EXPECT_EQ(attachment.at("contentType"), "application/vnd.microsoft.card.adaptive");
    EXPECT_EQ(attachment.at("content").at("type"), "AdaptiveCard");
    EXPECT_GE(attachment.at("content").at("body").size(), 3U);
  }
}

TEST(Telegram, StaysWithinItsLimitsAndObeysItsWish) {
  TelegramOptions options;
  options.chat_id = "-100";
  for (const auto& notification : all_kinds()) {
    const auto body = json::parse(telegram_body(options, notification, kUrl));
    EXPECT_EQ(body.at("chat_id"), "-100");
    EXPECT_LE(body.at("text").get<std::string>().size(), 4'096U);
  }
  const auto outcome =
      judge_telegram({.status = 429, .body = R"({"ok": false, "parameters": {"retry_after": 31}})"},
                     testing::kNoon);
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.retry_after, std::chrono::seconds(31));
  for (const auto* odd : {"[]", R"({"parameters": 3})", R"({"parameters": {"retry_after": "x"}})"})
    EXPECT_FALSE(judge_telegram({.status = 429, .body = odd}, testing::kNoon).retry_after);
}

TEST(Opsgenie, StaysWithinItsLimits) {
  for (const auto& notification : all_kinds()) {
    for (const auto& alert : notification.alerts) {
      const auto body = json::parse(opsgenie_body(notification, alert, kUrl));
      EXPECT_LE(body.at("message").get<std::string>().size(), 130U);
      EXPECT_LE(body.at("description").get<std::string>().size(), 15'000U);
      EXPECT_LE(body.at("alias").get<std::string>().size(), 512U);
      EXPECT_EQ(body.at("alias"), alert.id);
      EXPECT_EQ(body.at("priority"), "P1");
    }
  }
}

TEST(Mattermost, StaysWithinItsLimits) {
  MattermostOptions options;
  options.channel = "etcd";
  for (const auto& notification : all_kinds()) {
    const auto text = mattermost_body(options, notification, kUrl);
    EXPECT_LE(text.size(), 16'383U);
    EXPECT_EQ(json::parse(text).at("channel"), "etcd");
  }
}

TEST(Ntfy, StaysWithinItsLimits) {
  NtfyOptions options;
  options.topic = Secret("etcd");
  for (const auto& notification : all_kinds()) {
    const auto body = json::parse(ntfy_body(options, notification, kUrl));
    EXPECT_LE(body.at("message").get<std::string>().size(), 4'096U);
    EXPECT_EQ(body.at("topic"), "etcd");
  }
  EXPECT_EQ(json::parse(ntfy_body(options, testing::firing(), kUrl)).at("priority"), 5);
  EXPECT_EQ(json::parse(ntfy_body(options, testing::resolved(), kUrl)).at("priority"), 3);
}

TEST(AlertmanagerPush, FiringAlertsEndUnlessTheyAreSentAgain) {
  auto firing = testing::alert("HighLatency");
  firing.labels["empty"] = "";
  auto over = testing::resolved().alerts.front();
  const auto until = testing::kNoon + std::chrono::minutes(4);
  const auto body = json::parse(alertmanager_push_body({firing, over}, kUrl, until));
  EXPECT_EQ(body.at(0).at("endsAt"), "2026-11-25T12:04:00Z");
  EXPECT_EQ(body.at(0).at("startsAt"), "2026-11-25T11:55:00Z");
  EXPECT_FALSE(body.at(0).at("labels").contains("empty"));
  EXPECT_EQ(body.at(0).at("labels").at("alertname"), "HighLatency");
  EXPECT_EQ(body.at(1).at("endsAt"), "2026-11-25T12:00:00Z");
}

TEST(Email, ItsHeadersAreSafeAndItsLinesShort) {
  EmailOptions options;
  options.from = "etcd-monitor@example.com";
  options.to = {"a@example.com", "b@example.com"};
  for (auto& notification : all_kinds()) {
    notification.alerts.front().rule = "Rule\r\nBcc: x@y.z";
    const auto message = mail_message(options, notification, kUrl, testing::kNoon);
    EXPECT_THAT(message, HasSubstr("Date: Wed, 25 Nov 2026 12:00:00 +0000\r\n"));
    EXPECT_THAT(message, ::testing::Not(HasSubstr("\r\nBcc:")));
    for (std::size_t at = 0, end = 0; (end = message.find("\r\n", at)) != std::string::npos;
         at = end + 2) {
      EXPECT_LE(end - at, 998U);
    }
  }
}

TEST(Email, EveryReplyHasItsMeaning) {
  struct Row {
    int code;
    ErrorCode error;
    Outcome::Kind expected;
  };
  for (const auto& [code, error, expected] : {
           Row{0, ErrorCode::kUnavailable, Outcome::Kind::kRetry},
           Row{421, ErrorCode::kUnavailable, Outcome::Kind::kRetry},
           Row{450, ErrorCode::kUnavailable, Outcome::Kind::kRetry},
           Row{530, ErrorCode::kUnavailable, Outcome::Kind::kRetry},
           Row{535, ErrorCode::kUnauthenticated, Outcome::Kind::kRetry},
           Row{550, ErrorCode::kUnavailable, Outcome::Kind::kRejected},
           Row{552, ErrorCode::kUnavailable, Outcome::Kind::kRejected},
           Row{554, ErrorCode::kUnavailable, Outcome::Kind::kRejected},
       }) {
    SCOPED_TRACE(code);
    EXPECT_EQ(judge_mail({.code = code, .error = {error, "because"}}).kind, expected);
  }
  EXPECT_TRUE(judge_mail({.code = 250, .ok = true}).delivered());
}

TEST(Heartbeat, SaysBlindOnlyWhenNothingCanBeSeen) {
  const auto status = [](const std::vector<Pulse>& pulses) {
    return json::parse(heartbeat_body(pulses, testing::kNoon)).at("status");
  };
  const Pulse good{.cluster = "a"};
  const Pulse lost{.cluster = "b",
                   .state = Pulse::State::kUnknown,
                   .believed = "monitor",
                   .why = "all fell silent at once"};
  EXPECT_EQ(status({good, lost}), "ok");
  EXPECT_EQ(status({lost}), "blind");
  EXPECT_EQ(status({}), "ok");
  const auto clusters = json::parse(heartbeat_body({good, lost}, testing::kNoon)).at("clusters");
  EXPECT_EQ(clusters[0]["believed"], nullptr);
  EXPECT_EQ(clusters[1]["state"], "unknown");
  EXPECT_EQ(clusters[1]["believed"], "monitor");
  EXPECT_EQ(clusters[1]["why"], "all fell silent at once");
}

TEST(Registry, NamesAreDistinctAndEveryChannelComplainsWhileItIsEmpty) {
  std::set<std::string_view> names;
  for (const auto& row : registry()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.section().name, row.name);
    EXPECT_FALSE(row.common({}).enabled) << row.name;
    EXPECT_FALSE(row.complaints({}).empty()) << row.name;
  }
}

}  // namespace
}  // namespace etcdmon::notify
