#include "store/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::store {
namespace {

using namespace std::chrono_literals;

model::Alert some_alert() {
  model::Alert alert;
  alert.id = "00c0ffee00c0ffee";
  alert.cluster = "prod-a";
  alert.rule = "HighLatency";
  alert.subject = "infra1";
  alert.severity = model::Severity::kCritical;
  alert.state = model::AlertState::kFiring;
  alert.summary = "reads take 250 ms";
  alert.detail = "\"quoted\"\nand more";
  alert.value = 0.1 + 0.2;
  alert.labels = {{"alertname", "HighLatency"}, {"cluster", "prod-a"}};
  alert.runbook = "docs/runbooks/HighLatency.md";
  alert.pending_since = WallTime(1'760'178'600'123'456'789ns);
  alert.firing_since = WallTime(1'760'178'660s);
  return alert;
}

TEST(Json, AnEventComesBackAsItWas) {
  model::AlertEvent event{model::AlertEvent::What::kChanged, some_alert(), WallTime(3ns)};
  const auto back = parse_alert_event(to_json(event));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->what, event.what);
  EXPECT_EQ(back->at, event.at);
  EXPECT_EQ(to_json(back->alert), to_json(event.alert));
  EXPECT_EQ(back->alert.pending_since, event.alert.pending_since);
  EXPECT_EQ(back->alert.value, event.alert.value);
  EXPECT_EQ(back->alert.threshold, std::nullopt);
  EXPECT_EQ(back->alert.resolved_at, std::nullopt);
}

TEST(Json, ANotificationComesBackAsItWas) {
  model::Notification notification;
  notification.channel = "slack";
  notification.group_key = "{}:{cluster=\"prod-a\"}";
  notification.group_labels = {{"cluster", "prod-a"}};
  notification.dedup_key = "00c0ffee00c0ffee";
  notification.status = model::NotificationStatus::kResolved;
  notification.why = model::Why::kResolved;
  notification.reason = "after 3m";
  notification.created_at = WallTime(1'760'178'600'123'456'789ns);
  auto& alert = notification.alerts.emplace_back();
  alert.id = "00c0ffee00c0ffee";
  alert.severity = model::Severity::kCritical;
  alert.resolved = true;
  alert.threshold = 100;
  alert.annotations = {{"summary", "all is well"}};
  alert.ends_at = WallTime(7s);
  const auto back = parse_notification(to_json(notification));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, notification);
}

TEST(Json, WhatIsUnknownOrMissingIsNoError) {
  const auto alert = parse_alert(R"({"id": "1", "severity": "grave", "colour": "red"})");
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->id, "1");
  EXPECT_EQ(alert->severity, model::Severity::kWarning);
}

TEST(Json, BytesThatAreNoUtf8DoNotThrow) {
  auto alert = some_alert();
  alert.subject = "infra\xff";
  const auto back = parse_alert(to_json(alert));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->subject, "infra\xEF\xBF\xBD");
}

TEST(Json, WhatIsNoRecordIsRefused) {
  for (const auto* text : {"", "[]", "{", R"({"id": 7})"}) {
    SCOPED_TRACE(text);
    const auto alert = parse_alert(text);
    ASSERT_FALSE(alert);
    EXPECT_EQ(alert.error().code, ErrorCode::kDataLoss);
  }
}

}  // namespace
}  // namespace etcdmon::store
