#include "notify/pagerduty/pagerduty.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "notify/testing/samples.hpp"

namespace etcdmon::notify {
namespace {

using nlohmann::json;

std::vector<json> events(const model::Notification& notification) {
  PagerDutyOptions options;
  options.routing_key = Secret("0123456789abcdef0123456789abcdef");
  std::vector<json> all;
  for (const auto& body : pagerduty_bodies(options, notification, "https://mon.example.com"))
    all.push_back(json::parse(body));
  return all;
}

TEST(PagerDuty, AnEventHasWhatIsRequired) {
  const auto all = events(testing::firing());
  ASSERT_EQ(all.size(), 1U);
  const auto& event = all[0];
  EXPECT_EQ(event.at("routing_key"), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(event.at("event_action"), "trigger");
  EXPECT_EQ(event.at("dedup_key"), "00c0ffee00c0ffee");
  const auto& payload = event.at("payload");
  EXPECT_EQ(payload.at("summary"), "HighLatency on prod-a/infra1: reads take 250 ms");
  EXPECT_EQ(payload.at("source"), "prod-a/infra1");
  EXPECT_EQ(payload.at("severity"), "critical");
  EXPECT_EQ(payload.at("timestamp"), "2026-11-25T11:55:00Z");
  EXPECT_EQ(event.at("links").at(0).at("href"),
            "https://mon.example.com/docs/runbooks/HighLatency.md");
}

TEST(PagerDuty, TheActionFollowsTheAlert) {
  EXPECT_EQ(events(testing::resolved()).at(0).at("event_action"), "resolve");
  auto acknowledged = testing::firing();
  acknowledged.status = model::NotificationStatus::kAcknowledged;
  EXPECT_EQ(events(acknowledged).at(0).at("event_action"), "acknowledge");
}

TEST(PagerDuty, AGroupIsAnIncidentAnAlertAndATestTakesItBack) {
  auto group = testing::firing();
  group.alerts.push_back(testing::alert("NoLeader"));
  group.alerts.back().id = "other";
  group.alerts.back().resolved = true;
  const auto all = events(group);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("event_action"), "trigger");
  EXPECT_EQ(all[1].at("event_action"), "resolve");
  EXPECT_EQ(all[1].at("dedup_key"), "other");
  auto test = testing::firing();
  test.why = model::Why::kTest;
  EXPECT_EQ(events(test).at(1).at("event_action"), "resolve");
}

TEST(PagerDuty, StaysWithinItsLimits) {
  for (const auto& event : events(testing::huge())) {
    EXPECT_LE(event.dump().size(), 512U << 10U);
    EXPECT_LE(event.at("payload").at("summary").get<std::string>().size(), 1'024U);
    EXPECT_LE(event.at("dedup_key").get<std::string>().size(), 255U);
  }
}

}  // namespace
}  // namespace etcdmon::notify
