#include "model/notification.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::model {

namespace {

constexpr std::array kWhys = {
    std::pair<Why, std::string_view>{Why::kNew, "new"},
    std::pair<Why, std::string_view>{Why::kChanged, "changed"},
    std::pair<Why, std::string_view>{Why::kRepeat, "repeat"},
    std::pair<Why, std::string_view>{Why::kResolved, "resolved"},
    std::pair<Why, std::string_view>{Why::kEscalated, "escalated"},
    std::pair<Why, std::string_view>{Why::kTest, "test"},
};

constexpr std::array kStatuses = {
    std::pair<NotificationStatus, std::string_view>{NotificationStatus::kFiring, "firing"},
    std::pair<NotificationStatus, std::string_view>{NotificationStatus::kAcknowledged,
                                                    "acknowledged"},
    std::pair<NotificationStatus, std::string_view>{NotificationStatus::kResolved, "resolved"},
};

template <class Table, class Enum>
std::string_view name_in(const Table& table, Enum value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return table.front().second;
}

template <class Table>
auto find_in(const Table& table, std::string_view text)
    -> std::optional<decltype(table.front().first)> {
  for (const auto& [value, name] : table) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Why why) {
  return name_in(kWhys, why);
}
std::optional<Why> parse_why(std::string_view name) {
  return find_in(kWhys, name);
}

std::string_view name_of(NotificationStatus status) {
  return name_in(kStatuses, status);
}
std::optional<NotificationStatus> parse_notification_status(std::string_view name) {
  return find_in(kStatuses, name);
}

std::string message_id(const Notification& notification) {
  return fmt::format("{}-{}-{:x}", notification.dedup_key, name_of(notification.why),
                     notification.created_at.time_since_epoch().count());
}

Severity severity_of(const Notification& notification) {
  auto worst = Severity::kInfo;
  auto worst_resolved = Severity::kInfo;
  bool fires = false;
  for (const auto& alert : notification.alerts) {
    auto& of_kind = alert.resolved ? worst_resolved : worst;
    of_kind = std::max(of_kind, alert.severity);
    fires = fires || !alert.resolved;
  }
  return fires ? worst : worst_resolved;
}

}  // namespace etcdmon::model
