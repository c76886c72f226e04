#include "notify/webhook/webhook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/testing/samples.hpp"

namespace etcdmon::notify {
namespace {

using nlohmann::json;

TEST(Webhook, ItsBodyIsWhatTheDocumentationSays) {
  const auto body = json::parse(webhook_body(testing::firing(), "https://mon.example.com"));
  EXPECT_EQ(body.at("version"), "1");
  EXPECT_EQ(body.at("id"), message_id(testing::firing()));
  EXPECT_EQ(body.at("status"), "firing");
  EXPECT_EQ(body.at("severity"), "critical");
  EXPECT_EQ(body.at("why"), "new");
  EXPECT_EQ(body.at("dedup_key"), "00c0ffee00c0ffee");
  EXPECT_EQ(body.at("created_at"), "2026-11-25T12:00:00Z");
  const auto& alert = body.at("alerts").at(0);
  EXPECT_EQ(alert.at("rule"), "HighLatency");
  EXPECT_EQ(alert.at("value"), 250.0);
  EXPECT_EQ(alert.at("starts_at"), "2026-11-25T11:55:00Z");
  EXPECT_TRUE(alert.at("ends_at").is_null());
  EXPECT_EQ(alert.at("runbook"), "https://mon.example.com/docs/runbooks/HighLatency.md");
}

TEST(Webhook, AlertmanagersPayloadHasAllItsFields) {
  auto notification = testing::resolved();
  notification.alerts.push_back(testing::alert("NoLeader"));
  const auto body = json::parse(alertmanager_body(notification, "https://mon.example.com"));
  EXPECT_EQ(body.at("version"), "4");
  EXPECT_EQ(body.at("groupKey"), notification.group_key);
  EXPECT_EQ(body.at("truncatedAlerts"), 0);
  EXPECT_EQ(body.at("status"), "resolved");
  EXPECT_EQ(body.at("receiver"), "test");
  EXPECT_EQ(body.at("groupLabels").at("cluster"), "prod-a");
  EXPECT_EQ(body.at("commonLabels"), (json{{"cluster", "prod-a"}, {"severity", "critical"}}));
  EXPECT_EQ(body.at("commonAnnotations").at("summary"), "reads take 250 ms");
  EXPECT_FALSE(body.at("commonAnnotations").contains("runbook_url"));
  EXPECT_EQ(body.at("externalURL"), "https://mon.example.com");
  const auto& first = body.at("alerts").at(0);
  EXPECT_EQ(first.at("status"), "resolved");
  EXPECT_EQ(first.at("endsAt"), "2026-11-25T12:00:00Z");
  EXPECT_EQ(first.at("fingerprint"), "00c0ffee00c0ffee");
  EXPECT_EQ(body.at("alerts").at(1).at("endsAt"), "0001-01-01T00:00:00Z");
}

// The example of the Standard Webhooks specification.
TEST(Webhook, SignsAsTheStandardsExampleDoes) {
  const auto signature =
      webhook_signature(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})");
  ASSERT_TRUE(signature);
  EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_FALSE(webhook_signature(Secret("whsec_?"), "id", 0, ""));
}

TEST(Webhook, ComplainsAboutWhatIsMissing) {
  WebhookOptions options;
  EXPECT_TRUE(options.check().empty());
  options.enabled = true;
  ASSERT_EQ(options.check().size(), 1U);
  EXPECT_EQ(options.check().front().key, "url");
  options.url = Secret("https://example.com");
  options.previous_signing_secret = Secret("whsec_x");
  ASSERT_EQ(options.check().size(), 1U);
  EXPECT_EQ(options.check().front().key, "previous_signing_secret");
}

}  // namespace
}  // namespace etcdmon::notify
