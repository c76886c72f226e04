#include "alert/rules/health.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace etcdmon::alert {

namespace {

using model::Metric;
using model::Severity;
using std::chrono::duration;
using std::chrono::hours;

std::string who(const RuleInput& input, const Reading& reading) {
  return subject_of(input.seen.members[reading.member]);
}

std::string span_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} seconds", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} minutes", seconds / 60);
  return fmt::format("{:.0f} hours", seconds / 3600);
}

// etcd copies what is in use; an ordinary disk writes this much a second.
constexpr double kDefragBytesPerSecond = 50e6;
constexpr double kShortestDefrag = 20;

double predicted_defrag(const RuleInput& input, std::size_t member) {
  const auto& values = input.members[member].values;
  const auto bytes = values.get(Metric::kDbSizeInUse).value_or(0);
  return std::max(kShortestDefrag, bytes / kDefragBytesPerSecond);
}

}  // namespace

void quorum_at_risk(const RuleInput& input, std::vector<Finding>& findings) {
  const auto& quorum = input.assessment.quorum;
  if (quorum.voters == 0 || quorum.has_quorum == false) return;
  // All alive, and none may be lost: that is how it was built.
  if (quorum.voters <= 2 && quorum.available == quorum.voters) {
    findings.push_back({.severity = Severity::kInfo,
                        .summary = fmt::format("a cluster of {} voter{} survives no failure",
                                               quorum.voters, quorum.voters > 1 ? "s" : ""),
                        .detail = "three voters survive the loss of one",
                        .value = 0.0});
    return;
  }
  const int full = quorum.voters - quorum.quorum_size;
  if (quorum.available < quorum.quorum_size || quorum.failures_tolerated > 0 || full <= 0) return;
  findings.push_back(
      {.severity = Severity::kCritical,
       .summary = fmt::format("one more failure ends the service: {} of {} voters alive, {} needed",
                              quorum.available, quorum.voters, quorum.quorum_size),
       .detail = fmt::format("with all voters {} could be lost", full),
       .value = quorum.failures_tolerated,
       .threshold = full});
}

void alarm_active(const RuleInput& input, std::vector<Finding>& findings) {
  if (!input.seen.alarms) return;
  for (const auto& alarm : *input.seen.alarms) {
    const auto member = std::ranges::find(input.seen.members, alarm.member,
                                          [](const auto& facts) { return facts.entry.id; });
    const auto subject =
        member == input.seen.members.end() ? to_hex(alarm.member) : subject_of(*member);
    const auto* kind = alarm.type == model::AlarmType::kNospace   ? "NOSPACE"
                       : alarm.type == model::AlarmType::kCorrupt ? "CORRUPT"
                                                                  : "an alarm of unknown kind";
    findings.push_back({.subject = subject,
                        .member = alarm.member,
                        .severity = Severity::kCritical,
                        .summary = fmt::format("etcd has raised {} on {}", kind, subject),
                        .detail = "etcdctl alarm list names it"});
  }
}

void partition_suspected(const RuleInput& input, std::vector<Finding>& findings) {
  const auto& partition = input.assessment.partition;
  if (!partition.suspected) return;
  findings.push_back({.severity = Severity::kWarning,
                      .summary = partition.text.empty()
                                     ? "links between members may be cut"
                                     : fmt::format("links may be cut: {}", partition.text),
                      .detail = "first signs; the matrix of peers does not name the links yet"});
}

void follower_lag(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.assessment.members.size(); ++i) {
    const auto& member = input.assessment.members[i];
    if (member.lag && member.voter && model::is_alive(member.reach))
      readings.push_back({.member = i, .value = static_cast<double>(*member.lag)});
  }
}

void say_follower_lag(const RuleInput& input, const Reading& reading, double /*limit*/,
                      Finding& out) {
  out.summary = fmt::format("member {} is {:.0f} entries behind the leader", who(input, reading),
                            reading.value);
  out.detail = "beyond 5000 entries the leader may have to send it a whole snapshot";
}

void say_apply_lag(const RuleInput& input, const Reading& reading, double /*limit*/, Finding& out) {
  out.summary = fmt::format("member {} has {:.0f} committed entries still to apply",
                            who(input, reading), reading.value);
  out.detail = "at 5000 etcd refuses requests: \"too many requests\"";
}

void say_pending_proposals(const RuleInput& input, const Reading& reading, double /*limit*/,
                           Finding& out) {
  out.summary = fmt::format("{:.0f} proposals wait to be committed on {}", reading.value,
                            who(input, reading));
  out.detail = "the leader or its disk does not keep up, or there is no quorum";
}

void say_heartbeat_failures(const RuleInput& input, const Reading& reading, double /*limit*/,
                            Finding& out) {
  out.summary = fmt::format("leader {} sends {:.2g} heartbeats per second too late",
                            who(input, reading), reading.value);
  out.detail = "over five minutes; mostly a slow disk, or too little CPU; elections may follow";
}

void slow_watchers(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto slow = input.members[i].values.get(Metric::kSlowWatchers);
    const auto waiting = input.members[i].values.get(Metric::kPendingEvents);
    if (slow) readings.push_back({.member = i, .value = waiting.value_or(1) > 0 ? *slow : 0});
  }
}

void say_slow_watchers(const RuleInput& input, const Reading& reading, double /*limit*/,
                       Finding& out) {
  const auto waiting = input.members[reading.member].values.get(Metric::kPendingEvents);
  out.summary =
      fmt::format("{:.0f} watchers of {} have fallen behind", reading.value, who(input, reading));
  if (waiting) out.detail = fmt::format("{:.0f} events wait to be sent", *waiting);
}

void revisions_kept(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings) {
  constexpr hours kPatience{2};
  std::optional<double> head;
  double compacted = 0;
  for (const auto& member : input.members) {
    const auto revision = member.values.get(Metric::kRevision);
    if (revision) head = std::max(head.value_or(0), *revision);
    compacted = std::max(compacted, member.values.get(Metric::kCompactRevision).value_or(0));
  }
  if (!head) return;
  auto& known = memory.compaction;
  const auto now = input.seen.at.steady;
  // A head that fell is another store: restored from a backup.
  if (!known || known->revision != compacted || *head < known->head)
    known = RuleMemory::Compaction{compacted, *head, now};
  const bool long_ago = now - known->since >= kPatience;
  readings.push_back({.value = long_ago ? *head - known->head : 0});
}

void say_compaction_stalled(const RuleInput& /*input*/, const Reading& reading, double /*limit*/,
                            Finding& out) {
  out.summary = fmt::format("history is not compacted: {:.0f} revisions in more than two hours",
                            reading.value);
  out.detail = "every old revision stays in the database until a compaction";
}

void say_fds(const RuleInput& input, const Reading& reading, double /*limit*/, Finding& out) {
  const auto& values = input.members[reading.member].values;
  out.summary = fmt::format("{} has used {:.0f} % of its file descriptors", who(input, reading),
                            reading.value);
  out.detail = fmt::format("{:.0f} of {:.0f}; etcd ends itself when it cannot open a log file",
                           values.get(Metric::kOpenFds).value_or(0),
                           values.get(Metric::kMaxFds).value_or(0));
}

void defrag_overrun(const RuleInput& input, RuleMemory& /*memory*/,
                    std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i)
    readings.push_back({.member = i, .value = 0});
  for (const auto& verdict : input.assessment.verdicts) {
    if (verdict.check != model::Check::kDefragmenting) continue;
    for (auto& reading : readings) {
      if (input.seen.members[reading.member].entry.id != verdict.member) continue;
      const double took = duration<double>(input.seen.at.steady - verdict.since).count();
      reading.value = took / predicted_defrag(input, reading.member);
    }
  }
}

void say_defrag_overrun(const RuleInput& input, const Reading& reading, double /*limit*/,
                        Finding& out) {
  const double predicted = predicted_defrag(input, reading.member);
  out.summary = fmt::format("member {} has been defragmenting for {}", who(input, reading),
                            span_text(reading.value * predicted));
  out.detail = fmt::format("about {} were to be expected; it answers nobody meanwhile",
                           span_text(predicted));
}

void backup_age(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  if (!input.last_backup) return;
  const double age = duration<double>(input.seen.at.wall - *input.last_backup).count();
  readings.push_back({.value = std::max(0.0, age)});
}

void say_backup_age(const RuleInput& input, const Reading& reading, double /*limit*/,
                    Finding& out) {
  out.summary = fmt::format("the newest backup is {} old", span_text(reading.value));
  out.detail = fmt::format("made at {}", to_rfc3339(*input.last_backup));
}

}  // namespace etcdmon::alert
