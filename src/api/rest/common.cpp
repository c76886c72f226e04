#include "api/rest/common.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace etcdmon::api::rest {

namespace {

using model::AlarmEntry;
using model::AlarmType;

AlarmType parse_alarm(std::string_view text) {
  if (text == "NOSPACE") return AlarmType::kNospace;
  if (text == "CORRUPT") return AlarmType::kCorrupt;
  return AlarmType::kUnknown;
}

// "memberID:10276657743932975437 alarm:NOSPACE "
std::optional<AlarmEntry> parse_status_error(std::string_view text) {
  constexpr std::string_view kMember = "memberID:";
  constexpr std::string_view kAlarm = "alarm:";
  const auto member = text.find(kMember);
  const auto alarm = text.find(kAlarm);
  if (member == text.npos || alarm == text.npos) return std::nullopt;
  AlarmEntry entry;
  const auto* digits = text.data() + member + kMember.size();
  std::from_chars(digits, text.data() + text.size(), entry.member.value);
  auto type = text.substr(alarm + kAlarm.size());
  type = type.substr(0, type.find_first_of(" ,"));
  entry.type = parse_alarm(type);
  return entry;
}

std::array<int, 3> numbers_of(std::string_view version) {
  std::array<int, 3> numbers{};
  const auto* at = version.data();
  const auto* const end = at + version.size();
  for (auto& number : numbers) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc{} || next == end || *next != '.') break;
    at = next + 1;
  }
  return numbers;
}

}  // namespace

void write_time(JsonWriter& json, std::string_view name, WallTime time) {
  json.member_or_null(name, time == WallTime{} ? std::string() : to_rfc3339(time));
}

void write_time(JsonWriter& json, std::string_view name, std::optional<WallTime> time) {
  write_time(json, name, time.value_or(WallTime{}));
}

void write_time(JsonWriter& json, std::string_view name, const Now& at, SteadyTime time) {
  write_time(json, name, time == SteadyTime{} ? WallTime{} : at.wall - (at.steady - time));
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::optional<double> seconds_since(const Now& at, SteadyTime since) {
  if (since == SteadyTime{}) return std::nullopt;
  return std::max(0.0, seconds(at.steady - since));
}

std::string_view state_of(const model::ClusterView& view) {
  if (!view.assessment.healthy) return "unknown";
  return *view.assessment.healthy ? "healthy" : "unhealthy";
}

std::string display_name(const model::MemberFacts& facts) {
  if (!facts.entry.name.empty()) return facts.entry.name;
  if (!facts.endpoint.empty()) return facts.endpoint;
  return to_hex(facts.entry.id);
}

std::string name_in(const model::ClusterView& view, MemberId id) {
  if (id.none()) return {};
  for (const auto& member : view.observation.members) {
    if (member.entry.id == id) return display_name(member);
  }
  return {};
}

std::optional<std::vector<AlarmEntry>> known_alarms(const model::Observation& seen) {
  bool told = false;
  std::vector<AlarmEntry> from_status;
  for (const auto& member : seen.members) {
    const bool fresh = member.status && member.missed == 0 &&
                       (!seen.alarms_at || member.status->received >= *seen.alarms_at);
    if (!fresh) continue;
    told = true;
    for (const auto& error : member.status->errors) {
      const auto alarm = parse_status_error(error);
      if (alarm && std::ranges::find(from_status, *alarm) == from_status.end()) {
        from_status.push_back(*alarm);
      }
    }
  }
  if (!told) return seen.alarms;
  return from_status;
}

std::string_view name_of(AlarmType type) {
  switch (type) {
    case AlarmType::kNospace:
      return "NOSPACE";
    case AlarmType::kCorrupt:
      return "CORRUPT";
    case AlarmType::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

std::pair<std::string, std::string> version_range(const model::Observation& seen) {
  std::pair<std::string, std::string> range;
  for (const auto& member : seen.members) {
    if (!member.status || member.status->version.empty()) continue;
    const auto& version = member.status->version;
    if (range.first.empty() || numbers_of(version) < numbers_of(range.first)) range.first = version;
    if (range.second.empty() || numbers_of(range.second) < numbers_of(version)) {
      range.second = version;
    }
  }
  return range;
}

bool is_cut(const model::PartitionAssessment& partition) {
  return partition.kind != model::PartitionKind::kNone &&
         partition.kind != model::PartitionKind::kUnreachableFromUs;
}

std::string runbook_of(model::Check check) {
  return "docs/runbooks/" + std::string(model::name_of(check)) + ".md";
}

void write_heading(JsonWriter& json, const model::ClusterView& view) {
  json.member("cluster", view.cluster);
  json.member("view_version", view.version);
  write_time(json, "timestamp", view.observation.at.wall);
}

}  // namespace etcdmon::api::rest
