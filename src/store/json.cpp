#include "store/json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace etcdmon::store {

namespace {

using Json = nlohmann::json;
using model::Alert;
using model::AlertEvent;
using model::AlertState;
using model::Notification;
using model::NotifiedAlert;
using model::Severity;

std::int64_t count_of(WallTime time) {
  return time.time_since_epoch().count();
}

void put(Json& into, const char* key, const std::optional<WallTime>& time) {
  if (time) into[key] = count_of(*time);
}
void put(Json& into, const char* key, const std::optional<double>& number) {
  if (number) into[key] = *number;
}

// Reading: what is missing or of another type is left as it is.
template <class T>
void get(const Json& from, const char* key, T& value) {
  const auto it = from.find(key);
  if (it != from.end()) it->get_to(value);
}
void get(const Json& from, const char* key, std::optional<double>& number) {
  const auto it = from.find(key);
  if (it != from.end() && it->is_number()) number = it->get<double>();
}
void get(const Json& from, const char* key, WallTime& time) {
  std::int64_t count = count_of(time);
  get(from, key, count);
  time = WallTime(std::chrono::nanoseconds(count));
}
void get(const Json& from, const char* key, std::optional<WallTime>& time) {
  if (from.contains(key)) get(from, key, time.emplace());
}

// Enums by the name that the rest of the program gives them; an unknown name keeps the default.
template <class Enum>
void get_named(const Json& from, const char* key, Enum last, Enum& value) {
  const auto text = from.value(key, std::string());
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (name_of(static_cast<Enum>(i)) == text) value = static_cast<Enum>(i);
  }
}

Json encode(const Alert& alert) {
  Json out{{"id", alert.id},
           {"cluster", alert.cluster},
           {"rule", alert.rule},
           {"subject", alert.subject},
           {"severity", name_of(alert.severity)},
           {"state", name_of(alert.state)},
           {"summary", alert.summary},
           {"detail", alert.detail},
           {"labels", alert.labels},
           {"runbook", alert.runbook},
           {"pending_since", count_of(alert.pending_since)}};
  put(out, "value", alert.value);
  put(out, "threshold", alert.threshold);
  put(out, "firing_since", alert.firing_since);
  put(out, "resolved_at", alert.resolved_at);
  return out;
}

Alert decode_alert(const Json& from) {
  Alert alert;
  get(from, "id", alert.id);
  get(from, "cluster", alert.cluster);
  get(from, "rule", alert.rule);
  get(from, "subject", alert.subject);
  get_named(from, "severity", Severity::kCritical, alert.severity);
  get_named(from, "state", AlertState::kResolved, alert.state);
  get(from, "summary", alert.summary);
  get(from, "detail", alert.detail);
  get(from, "value", alert.value);
  get(from, "threshold", alert.threshold);
  get(from, "labels", alert.labels);
  get(from, "runbook", alert.runbook);
  get(from, "pending_since", alert.pending_since);
  get(from, "firing_since", alert.firing_since);
  get(from, "resolved_at", alert.resolved_at);
  return alert;
}

Json encode(const NotifiedAlert& alert) {
  Json out{{"id", alert.id},
           {"cluster", alert.cluster},
           {"rule", alert.rule},
           {"subject", alert.subject},
           {"severity", name_of(alert.severity)},
           {"resolved", alert.resolved},
           {"summary", alert.summary},
           {"detail", alert.detail},
           {"labels", alert.labels},
           {"annotations", alert.annotations},
           {"runbook", alert.runbook},
           {"starts_at", count_of(alert.starts_at)}};
  put(out, "value", alert.value);
  put(out, "threshold", alert.threshold);
  put(out, "ends_at", alert.ends_at);
  return out;
}

NotifiedAlert decode_notified(const Json& from) {
  NotifiedAlert alert;
  get(from, "id", alert.id);
  get(from, "cluster", alert.cluster);
  get(from, "rule", alert.rule);
  get(from, "subject", alert.subject);
  get_named(from, "severity", Severity::kCritical, alert.severity);
  get(from, "resolved", alert.resolved);
  get(from, "summary", alert.summary);
  get(from, "detail", alert.detail);
  get(from, "value", alert.value);
  get(from, "threshold", alert.threshold);
  get(from, "labels", alert.labels);
  get(from, "annotations", alert.annotations);
  get(from, "runbook", alert.runbook);
  get(from, "starts_at", alert.starts_at);
  get(from, "ends_at", alert.ends_at);
  return alert;
}

// Bytes that are no UTF-8 (a member may have any name) become U+FFFD rather than an exception.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class Decode>
auto parse(std::string_view text, const char* what, Decode decode)
    -> Result<std::invoke_result_t<Decode, const Json&>> {
  try {
    const auto json = Json::parse(text);
    if (!json.is_object()) return Error{ErrorCode::kDataLoss, std::string(what) + ": no object"};
    return decode(json);
  } catch (const Json::exception& error) {
    return Error{ErrorCode::kDataLoss, std::string(what) + ": " + error.what()};
  }
}

}  // namespace

std::string to_json(const Alert& alert) {
  return text_of(encode(alert));
}

std::string to_json(const AlertEvent& event) {
  return text_of(Json{
      {"what", name_of(event.what)}, {"at", count_of(event.at)}, {"alert", encode(event.alert)}});
}

std::string to_json(const Notification& notification) {
  Json alerts = Json::array();
  for (const auto& alert : notification.alerts) alerts.push_back(encode(alert));
  return text_of(Json{{"channel", notification.channel},
                      {"group_key", notification.group_key},
                      {"group_labels", notification.group_labels},
                      {"dedup_key", notification.dedup_key},
                      {"status", name_of(notification.status)},
                      {"why", name_of(notification.why)},
                      {"reason", notification.reason},
                      {"alerts", std::move(alerts)},
                      {"created_at", count_of(notification.created_at)}});
}

Result<Alert> parse_alert(std::string_view text) {
  return parse(text, "a stored alert", decode_alert);
}

Result<AlertEvent> parse_alert_event(std::string_view text) {
  return parse(text, "a stored alert event", [](const Json& from) {
    AlertEvent event;
    get_named(from, "what", AlertEvent::What::kResolved, event.what);
    get(from, "at", event.at);
    event.alert = decode_alert(from.value("alert", Json::object()));
    return event;
  });
}

Result<Notification> parse_notification(std::string_view text) {
  return parse(text, "a stored notification", [](const Json& from) {
    Notification notification;
    get(from, "channel", notification.channel);
    get(from, "group_key", notification.group_key);
    get(from, "group_labels", notification.group_labels);
    get(from, "dedup_key", notification.dedup_key);
    get_named(from, "status", model::NotificationStatus::kResolved, notification.status);
    get_named(from, "why", model::Why::kTest, notification.why);
    get(from, "reason", notification.reason);
    for (const auto& alert : from.value("alerts", Json::array()))
      notification.alerts.push_back(decode_notified(alert));
    get(from, "created_at", notification.created_at);
    return notification;
  });
}

}  // namespace etcdmon::store
