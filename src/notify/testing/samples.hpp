// notify/testing/samples.hpp: notifications for tests of channels.
#pragma once

#include <string>

#include "model/notification.hpp"

namespace etcdmon::notify::testing {

inline constexpr WallTime kNoon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) +
                                std::chrono::hours(12)};

inline model::NotifiedAlert alert(std::string rule, std::string subject = "infra1") {
  model::NotifiedAlert alert;
  alert.id = "00c0ffee00c0ffee";
  alert.cluster = "prod-a";
  alert.rule = rule;
  alert.subject = std::move(subject);
  alert.severity = model::Severity::kCritical;
  alert.summary = "reads take 250 ms";
  alert.detail = "median of the linearizable read over one minute";
  alert.value = 250;
  alert.threshold = 100;
  alert.labels = {{"alertname", rule}, {"cluster", "prod-a"}, {"severity", "critical"}};
  alert.runbook = "docs/runbooks/" + rule + ".md";
  alert.starts_at = kNoon - std::chrono::minutes(5);
  return alert;
}

inline model::Notification firing(std::string rule = "HighLatency") {
  model::Notification notification;
  notification.channel = "test";
  notification.group_key = "{}:{cluster=\"prod-a\"}";
  notification.group_labels = {{"cluster", "prod-a"}};
  notification.dedup_key = "00c0ffee00c0ffee";
  notification.alerts.push_back(alert(std::move(rule)));
  notification.created_at = kNoon;
  return notification;
}

inline model::Notification resolved(std::string rule = "HighLatency") {
  auto notification = firing(std::move(rule));
  notification.status = model::NotificationStatus::kResolved;
  notification.why = model::Why::kResolved;
  notification.alerts.front().resolved = true;
  notification.alerts.front().ends_at = kNoon;
  return notification;
}

/// What happens when forty rules fire at once, with names that nobody expected.
inline model::Notification huge() {
  auto notification = firing();
  notification.alerts.clear();
  for (int i = 0; i < 200; ++i) {
    auto& one = notification.alerts.emplace_back(alert("Rule" + std::to_string(i)));
    one.id = "id" + std::to_string(i);
    one.summary = std::string(2'000, 'x') + "<&>\"' ä € \U0001F525";
    one.detail = std::string(5'000, 'y');
  }
  return notification;
}

}  // namespace etcdmon::notify::testing
