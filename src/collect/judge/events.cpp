// What happened since the last look, told once.
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Event;
using model::EventKind;
using model::Reach;
using model::Severity;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Wall time that runs away from steady time by more, between two looks, was set.
constexpr seconds kStep{2};

class Tape {
 public:
  Tape(const Look& look, std::vector<Event>& events) : look_(look), events_(events) {}

  void add(EventKind kind, Severity severity, MemberId member, std::string subject,
           std::string text) {
    events_.push_back({kind, severity, look_.seen.cluster, member, std::move(subject),
                       std::move(text), look_.seen.at.wall});
  }
  void about(EventKind kind, Severity severity, const Subject& subject, std::string text) {
    add(kind, severity, subject.facts->entry.id, subject.label, std::move(text));
  }

 private:
  const Look& look_;
  std::vector<Event>& events_;
};

std::string signed_duration(Duration duration) {
  const auto rounded = std::chrono::round<milliseconds>(duration);
  return rounded < milliseconds(0) ? "-" + format_duration(-rounded)
                                   : "+" + format_duration(rounded);
}

void tell_clock(const Look& look, const EventMemory& told, Tape& tape) {
  if (!told.at) return;
  const auto step = (look.seen.at.wall - told.at->wall) - (look.seen.at.steady - told.at->steady);
  if (std::chrono::abs(step) < kStep) return;
  tape.add(EventKind::kClockStepped, Severity::kInfo, {}, {},
           fmt::format("the clock of this monitor's host was set by {}", signed_duration(step)));
}

void tell_membership(const Look& look, EventMemory& told, Tape& tape) {
  const auto& now = look.seen.membership.members;
  if (now.empty() || now == told.members) return;
  if (!told.members.empty()) {
    for (const auto& entry : now) {
      const auto before = std::ranges::find(told.members, entry.id, &model::MemberEntry::id);
      const auto label = look.label_of(entry.id);
      if (before == told.members.end()) {
        tape.add(EventKind::kMemberAdded, Severity::kInfo, entry.id, label,
                 fmt::format("{} {} was added", entry.learner ? "learner" : "member", label));
        continue;
      }
      if (before->learner && !entry.learner) {
        tape.add(EventKind::kMemberPromoted, Severity::kInfo, entry.id, label,
                 fmt::format("learner {} was promoted to a voter", label));
      }
      if (before->name != entry.name && before->started()) {
        tape.add(EventKind::kMemberRenamed, Severity::kInfo, entry.id, label,
                 fmt::format("member {} was renamed to {}", before->name, label));
      }
    }
    for (const auto& entry : told.members) {
      if (std::ranges::find(now, entry.id, &model::MemberEntry::id) != now.end()) continue;
      const auto label = entry.started() ? entry.name : to_hex(entry.id);
      tape.add(EventKind::kMemberRemoved, Severity::kInfo, entry.id, label,
               fmt::format("member {} was removed", label));
    }
  }
  told.members = now;
}

void tell_reach(const Subject& subject, MemberMemory& member, Tape& tape) {
  const auto& reach = member.reach;
  const bool down = reach.reach == Reach::kUnreachable || reach.reach == Reach::kHung;
  const auto connects = subject.facts->link.connects;
  const bool reconnected = connects > member.told_connects && member.told_connects > 0;
  if (down && !member.told_down) {
    tape.about(EventKind::kMemberDown, Severity::kWarning, subject, describe(subject, reach));
    member.told_down = true;
  } else if (!down && member.told_down && model::is_alive(reach.reach)) {
    tape.about(EventKind::kMemberUp, Severity::kInfo, subject,
               fmt::format("{} answers again", subject.label));
    member.told_down = false;
  } else if (reconnected && !down && reach.reach == Reach::kReachable) {
    tape.about(EventKind::kMemberReconnected, Severity::kInfo, subject,
               fmt::format("the connection to {} ended and was made anew", subject.label));
  }
  // While it is down, connections come and go without being news.
  if (down || reach.reach == Reach::kReachable || member.told_connects == 0)
    member.told_connects = connects;
}

void tell_member(const Subject& subject, MemberMemory& member, Tape& tape) {
  const auto& facts = *subject.facts;
  if (member.starts.total > member.told_starts) {
    tape.about(EventKind::kMemberRestarted, Severity::kInfo, subject,
               fmt::format("{} was restarted", subject.label));
    member.told_starts = member.starts.total;
  }
  if (member.starts.clock_step) {
    tape.about(EventKind::kClockStepped, Severity::kInfo, subject,
               fmt::format("the clock of {}'s host was set by {}", subject.label,
                           signed_duration(*member.starts.clock_step)));
  }
  if (facts.status && facts.status->version != member.told_version) {
    if (!member.told_version.empty()) {
      tape.about(EventKind::kVersionChanged, Severity::kInfo, subject,
                 fmt::format("{} went from etcd {} to {}", subject.label, member.told_version,
                             facts.status->version));
    }
    member.told_version = facts.status->version;
  }
  const bool defrag = member.reach.reach == Reach::kDefragmenting ||
                      (facts.metrics && facts.metrics->defrag_inflight.value_or(false) &&
                       model::is_alive(member.reach.reach));
  if (defrag != member.told_defrag) {
    tape.about(defrag ? EventKind::kDefragStarted : EventKind::kDefragEnded, Severity::kInfo,
               subject,
               defrag ? fmt::format("{} defragments its database", subject.label)
                      : fmt::format("{} no longer defragments its database", subject.label));
    member.told_defrag = defrag;
  }
}

void tell_leader(const Look& look, const model::LeaderAssessment& leader,
                 const LeaderMemory& memory, EventMemory& told, Tape& tape) {
  const bool lost = memory.leaderless_since && memory.says_none &&
                    look.now - *memory.leaderless_since >= look.two_elections();
  if (lost && !told.leader_lost) {
    tape.add(EventKind::kLeaderLost, Severity::kWarning, memory.last, look.label_of(memory.last),
             memory.lost_why.empty()
                 ? "the cluster has no leader"
                 : fmt::format("the cluster has no leader: {}", memory.lost_why));
  }
  told.leader_lost = lost || (told.leader_lost && memory.leaderless_since);
  const auto news = std::min<std::uint64_t>(leader.changes - told.changes, leader.history.size());
  for (auto change = leader.history.end() - static_cast<std::ptrdiff_t>(news);
       change != leader.history.end(); ++change) {
    const auto to = change->to.none() ? std::string("nobody") : look.label_of(change->to);
    std::string text = change->from == change->to ? fmt::format("{} was re-elected leader", to)
                       : change->from.none()      ? fmt::format("the leader changed, now {}", to)
                                                  : fmt::format("the leader changed from {} to {}",
                                                                look.label_of(change->from), to);
    text += fmt::format(" (term {})", change->term);
    if (!change->reason.empty() && change->from != change->to) text += ": " + change->reason;
    tape.add(EventKind::kLeaderChanged, Severity::kInfo, change->to, to, std::move(text));
  }
  told.changes = leader.changes;
}

// What has no event of its own is told as a verdict raised or cleared.
bool has_own_event(Check check) {
  switch (check) {
    case Check::kMemberUnreachable:
    case Check::kMemberHung:
    case Check::kDefragmenting:
    case Check::kMemberRestarted:
    case Check::kNoLeader:
      return true;
    default:
      return false;
  }
}

bool is_alarm(Check check) {
  return check == Check::kAlarmNospace || check == Check::kAlarmCorrupt;
}

bool holds(const std::vector<model::Verdict>& verdicts, const model::Verdict& verdict) {
  return std::ranges::any_of(verdicts, [&](const model::Verdict& other) {
    return other.check == verdict.check && other.subject == verdict.subject;
  });
}

void tell_verdicts(const std::vector<model::Verdict>& now,
                   const std::vector<model::Verdict>& before, Tape& tape) {
  for (const auto& verdict : now) {
    if (has_own_event(verdict.check) || holds(before, verdict)) continue;
    tape.add(is_alarm(verdict.check) ? EventKind::kAlarmRaised : EventKind::kVerdictRaised,
             verdict.severity, verdict.member, verdict.subject, verdict.summary);
  }
  for (const auto& verdict : before) {
    if (has_own_event(verdict.check) || holds(now, verdict)) continue;
    tape.add(is_alarm(verdict.check) ? EventKind::kAlarmCleared : EventKind::kVerdictCleared,
             Severity::kInfo, verdict.member, verdict.subject, "over: " + verdict.summary);
  }
}

}  // namespace

std::vector<Event> tell_events(const Look& look, const model::Assessment& assessment,
                               JudgeState& state) {
  std::vector<Event> events;
  Tape tape(look, events);
  auto& told = state.told;
  tell_clock(look, told, tape);
  tell_membership(look, told, tape);
  for (std::size_t i = 0; i < state.members.size(); ++i) {
    if (!look.subjects[i].listed) continue;
    tell_reach(look.subjects[i], state.members[i], tape);
    tell_member(look.subjects[i], state.members[i], tape);
  }
  if (look.seen.auth_required && !told.auth_required) {
    tape.add(EventKind::kAuthRequired, Severity::kInfo, {}, {},
             "the cluster requires authentication");
  }
  tell_leader(look, assessment.leader, state.leader, told, tape);
  tell_verdicts(assessment.verdicts, told.verdicts, tape);
  told.at = look.seen.at;
  told.auth_required = look.seen.auth_required;
  if (told.verdicts != assessment.verdicts) told.verdicts = assessment.verdicts;
  return events;
}

}  // namespace etcdmon::collect
