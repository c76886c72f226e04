// The alarms that etcd itself has raised.
#include <algorithm>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"
#include "etcd/client.hpp"

namespace etcdmon::collect {

using model::AlarmEntry;
using model::AlarmType;
using model::Check;
using model::Severity;

namespace {

struct Vote {
  AlarmEntry alarm;
  int named = 0;
  bool listed = false;  ///< in the answer of the Alarm RPC
};

Vote& vote_for(std::vector<Vote>& votes, const AlarmEntry& alarm) {
  const auto known = std::ranges::find(votes, alarm, &Vote::alarm);
  if (known != votes.end()) return *known;
  return votes.emplace_back(Vote{alarm});
}

// The Alarm RPC tells what the quorum knew when it was asked, Status what each member knows now:
// the younger counts. A member that is cut off goes on naming what was cleared since, so the
// majority of the answers decides; where they are divided evenly, an alarm stays as it was.
std::vector<AlarmEntry> present_alarms(const Sight& sight, const AlarmMemory& memory) {
  const auto& seen = sight.look.seen;
  std::vector<Vote> votes;
  if (seen.alarms) {
    for (const auto& alarm : *seen.alarms) vote_for(votes, alarm).listed = true;
  }
  int answers = 0;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    if (!subject.listed || !is_fresh(sight.look, subject, sight.members[i])) continue;
    const auto& status = *subject.facts->status;
    if (seen.alarms_at && status.received <= *seen.alarms_at) continue;
    ++answers;
    if (status.errors.empty()) continue;
    for (const auto& alarm : etcd::alarms_in(status.errors)) ++vote_for(votes, alarm).named;
  }
  // Nobody has said anything new: neither for nor against.
  if (answers == 0 && seen.alarms_at == memory.listed_at) return memory.present;

  std::vector<AlarmEntry> present;
  for (const auto& vote : votes) {
    const bool was =
        vote.listed || std::ranges::find(memory.present, vote.alarm) != memory.present.end();
    const bool divided = 2 * vote.named == answers;
    if (2 * vote.named > answers || (divided && was)) present.push_back(vote.alarm);
  }
  std::ranges::sort(present, [](const AlarmEntry& a, const AlarmEntry& b) {
    return a.member != b.member ? a.member < b.member : a.type < b.type;
  });
  return present;
}

}  // namespace

void report_alarms(const Sight& sight, AlarmMemory& memory, Findings& findings) {
  memory.present = present_alarms(sight, memory);
  memory.listed_at = sight.look.seen.alarms_at;
  for (const auto& alarm : memory.present) {
    if (alarm.type == AlarmType::kUnknown) continue;
    const auto subject = alarm.member.none() ? std::string() : sight.look.label_of(alarm.member);
    const auto on = subject.empty() ? std::string() : fmt::format(" on {}", subject);
    if (alarm.type == AlarmType::kNospace) {
      findings.add(
          {Check::kAlarmNospace,
           Severity::kCritical,
           alarm.member,
           subject,
           fmt::format("alarm NOSPACE{}: the database has reached its quota", on),
           "etcd refuses all writes of the cluster except deletions, until space is made (compact, "
           "defragment) and the alarm is disarmed; reads work",
           {}});
    } else {
      findings.add(
          {Check::kAlarmCorrupt,
           Severity::kCritical,
           alarm.member,
           subject,
           fmt::format("alarm CORRUPT{}: etcd found its data differing between members", on),
           "etcd refuses writes until the alarm is disarmed; find and replace the damaged member "
           "first",
           {}});
    }
  }
}

}  // namespace etcdmon::collect
