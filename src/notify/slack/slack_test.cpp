#include "notify/slack/slack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/testing/samples.hpp"

namespace etcdmon::notify {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json message(const model::Notification& notification) {
  SlackOptions options;
  options.channel = "#etcd";
  return json::parse(slack_body(options, notification, "https://mon.example.com"));
}

// Characters, as Slack counts them: at most as many as bytes.
void expect_within_limits(const json& message) {
  const auto& blocks = message.at("attachments").at(0).at("blocks");
  EXPECT_LE(blocks.size(), 50U);
  EXPECT_LE(blocks.dump().size(), 13'000U);
  for (const auto& block : blocks) {
    const std::string type = block.at("type");
    if (type == "header") {
      EXPECT_LE(block.at("text").at("text").get<std::string>().size(), 150U);
    }
    if (type != "section") continue;
    EXPECT_LE(block.at("text").at("text").get<std::string>().size(), 3'000U);
    EXPECT_LE(block.at("fields").size(), 10U);
    for (const auto& field : block.at("fields"))
      EXPECT_LE(field.at("text").get<std::string>().size(), 2'000U);
  }
}

TEST(Slack, SaysWhatIsWrongInItsColour) {
  const auto firing = message(testing::firing());
  EXPECT_EQ(firing.at("text"), "CRITICAL HighLatency on prod-a/infra1");
  EXPECT_EQ(firing.at("channel"), "#etcd");
  EXPECT_EQ(firing.at("attachments").at(0).at("color"), "#a30200");
  EXPECT_THAT(firing.dump(), HasSubstr("reads take 250 ms"));
  EXPECT_THAT(firing.dump(), HasSubstr("<https://mon.example.com/docs/runbooks/HighLatency.md|"));
  expect_within_limits(firing);
  EXPECT_EQ(message(testing::resolved()).at("attachments").at(0).at("color"), "#2eb886");
}

TEST(Slack, StaysWithinItsLimits) {
  auto long_one = testing::huge();
  long_one.alerts.resize(1);
  long_one.alerts.front().summary = std::string(50'000, '&');
  long_one.alerts.front().detail = std::string(50'000, '<');
  long_one.alerts.front().subject = std::string(5'000, 's');
  for (const auto& notification : {testing::huge(), long_one})
    expect_within_limits(message(notification));
  EXPECT_THAT(message(testing::huge()).dump(), HasSubstr("more"));
}

TEST(Slack, ItsMarkupIsEscaped) {
  auto notification = testing::firing();
  notification.alerts.front().summary = "<!channel> & <@U1>";
  EXPECT_THAT(message(notification).dump(), HasSubstr("&lt;!channel&gt; &amp; &lt;@U1&gt;"));
}

TEST(Slack, ItsApiSaysNoWithA200) {
  struct Row {
    std::string_view body;
    Outcome::Kind expected;
  };
  for (const auto& [body, expected] : {
           Row{R"({"ok": true})", Outcome::Kind::kDelivered},
           Row{R"({"ok": false, "error": "channel_not_found"})", Outcome::Kind::kRejected},
           Row{R"({"ok": false, "error": "invalid_auth"})", Outcome::Kind::kRejected},
           Row{R"({"ok": false, "error": "ratelimited"})", Outcome::Kind::kRetry},
           Row{R"({"ok": false, "error": "internal_error"})", Outcome::Kind::kRetry},
           Row{R"({"ok": false})", Outcome::Kind::kRejected},
           Row{"<html>", Outcome::Kind::kRetry},
       }) {
    SCOPED_TRACE(body);
    EXPECT_EQ(judge_slack_api({.status = 200, .body = std::string(body)}, testing::kNoon).kind,
              expected);
  }
}

TEST(Slack, NeedsAWebhookOrATokenWithAChannel) {
  SlackOptions options;
  options.enabled = true;
  EXPECT_EQ(options.check().at(0).key, "webhook_url");
  options.bot_token = Secret("xoxb-1");
  EXPECT_EQ(options.check().at(0).key, "channel");
  options.channel = "#etcd";
  EXPECT_TRUE(options.check().empty());
  options.webhook_url = Secret("https://hooks.slack.com/x");
  EXPECT_EQ(options.check().at(0).key, "bot_token");
}

}  // namespace
}  // namespace etcdmon::notify
