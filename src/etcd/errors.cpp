#include <charconv>

#include "etcd/client.hpp"

namespace etcdmon::etcd {

namespace {

bool says(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

std::optional<model::AlarmEntry> parse_alarm(std::string_view text) {
  constexpr std::string_view kMember = "memberID:";
  constexpr std::string_view kAlarm = "alarm:";
  const auto member = text.find(kMember);
  const auto alarm = text.find(kAlarm);
  if (member == std::string_view::npos || alarm == std::string_view::npos) return std::nullopt;
  model::AlarmEntry entry;
  const char* begin = text.data() + member + kMember.size();
  const auto [end, failed] = std::from_chars(begin, text.data() + text.size(), entry.member.value);
  if (failed != std::errc{} || end == begin) return std::nullopt;
  const auto type = text.substr(alarm + kAlarm.size());
  if (type.starts_with("NOSPACE")) entry.type = model::AlarmType::kNospace;
  if (type.starts_with("CORRUPT")) entry.type = model::AlarmType::kCorrupt;
  return entry;
}

}  // namespace

bool is_not_authorised(const Error& error) {
  // A transport error never says anything about permissions.
  if (error.cause != Cause::kNone) return false;
  if (error.code == ErrorCode::kUnauthenticated || error.code == ErrorCode::kPermissionDenied)
    return true;
  // HashKV passes the auth store's own words on, with code Unknown.
  for (const std::string_view text :
       {"etcdserver: user name is empty", "etcdserver: invalid auth token",
        "etcdserver: revision of auth store is old", "etcdserver: permission denied",
        "etcdserver: authentication failed", "auth: user name is empty", "auth: invalid auth token",
        "auth: revision in header is old", "auth: permission denied"}) {
    if (says(error, text)) return true;
  }
  return false;
}

bool is_unknown_token(const Error& error) {
  return error.cause == Cause::kNone && says(error, "invalid auth token");
}

bool is_unsupported_for_learner(const Error& error) {
  return says(error, "etcdserver: rpc not supported for learner");
}

bool is_no_space(const Error& error) {
  return says(error, "etcdserver: mvcc: database space exceeded");
}

bool is_no_leader(const Error& error) {
  return says(error, "etcdserver: no leader");
}

bool alarm_list_harms(std::string_view version) {
  return version.size() == 5 && version.starts_with("3.5.") && version.back() <= '4';
}

std::vector<model::AlarmEntry> alarms_in(const std::vector<std::string>& status_errors) {
  std::vector<model::AlarmEntry> alarms;
  for (const auto& text : status_errors) {
    if (auto alarm = parse_alarm(text)) alarms.push_back(*alarm);
  }
  return alarms;
}

}  // namespace etcdmon::etcd
