// What we may ask, and which questions fail although the member answers.
#include <algorithm>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"
#include "etcd/client.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Reach;
using model::Severity;

namespace {

// A question that failed once may have met an election or a restart.
constexpr std::uint32_t kSeenTwice = 2;
constexpr std::chrono::seconds kPatience{3};

bool is_not_allowed(const std::optional<model::ProbeOutcome>& probe) {
  return probe && probe->error && etcd::is_not_authorised(*probe->error);
}

bool says_not_allowed(const std::optional<model::ProbeOutcome>& probe, const ReadMemory& memory) {
  if (!is_not_allowed(probe)) return false;
  return memory.refusals >= kSeenTwice || !etcd::is_unknown_token(*probe->error);
}

bool says_not_allowed(const model::MemberFacts& facts, const ReachMemory& reach) {
  if (reach.reach != Reach::kNotAuthorised) return false;
  const auto& error = facts.pulse ? facts.pulse->error : std::nullopt;
  return reach.error_answers >= kSeenTwice || !error || !etcd::is_unknown_token(*error);
}

// Only what was asked of a member that answers counts.
void count_failures(const std::optional<model::ProbeOutcome>& probe, const ReachMemory& reach,
                    ReadMemory& memory) {
  const bool answers = reach.reach == Reach::kReachable || reach.reach == Reach::kNotAuthorised;
  if (!answers) memory.failures = 0;
  if (!probe || probe->sent == memory.sent) return;
  memory.sent = probe->sent;
  memory.refusals = is_not_allowed(probe) ? memory.refusals + 1 : 0;
  const bool failed = probe->error && !etcd::is_not_authorised(*probe->error) &&
                      !etcd::is_unsupported_for_learner(*probe->error);
  if (!failed || !answers || probe->sent < reach.since) {
    memory.failures = 0;
    return;
  }
  if (memory.failures++ == 0) memory.failing_since = probe->sent;
}

bool keeps_failing(const Look& look, const ReadMemory& memory) {
  return memory.failures >= kSeenTwice &&
         look.now - memory.failing_since >= kPatience + look.two_elections();
}

// A member that is cut off cannot read through quorum: the partition says so already.
bool is_cut_off(const Sight& sight, MemberId id, const MemberMemory& member) {
  const auto& partition = sight.partition;
  if (partition.suspected && member.answer.leader.none()) return true;
  return std::ranges::any_of(partition.cut_links, [id](const auto& link) {
    return link.first == id || link.second == id;
  });
}

void report_reads(const Sight& sight, std::size_t i, const MemberMemory& member,
                  Findings& findings) {
  const auto& subject = sight.look.subjects[i];
  const auto& facts = *subject.facts;
  if (!subject.listed || member.reach.reach != Reach::kReachable) return;
  const bool quorum_fine = sight.quorum.has_quorum != false && !sight.electing();
  const bool local = keeps_failing(sight.look, member.serializable);
  const bool through_quorum = keeps_failing(sight.look, member.linearizable) && quorum_fine &&
                              !subject.learner && !is_cut_off(sight, facts.entry.id, member);
  if (!local && !through_quorum) return;
  const auto& error = local ? *facts.serializable_read->error : *facts.linearizable_read->error;
  findings.add(
      {Check::kReadFailing, Severity::kWarning, facts.entry.id, subject.label,
       local ? fmt::format("member {} answers Status, but cannot read its own data", subject.label)
             : fmt::format("member {} answers Status, but linearizable reads fail there",
                           subject.label),
       error.message,
       local ? member.serializable.failing_since : member.linearizable.failing_since});
}

void report_metrics(const Sight& sight, std::size_t i, const MemberMemory& member,
                    Findings& findings) {
  const auto& subject = sight.look.subjects[i];
  const auto& facts = *subject.facts;
  if (!subject.listed || member.scrape.failures < kSeenTwice || !facts.scrape || facts.scrape->ok())
    return;
  if (member.reach.reach != Reach::kReachable && member.reach.reach != Reach::kNotAuthorised)
    return;
  findings.add({Check::kMetricsUnavailable, Severity::kWarning, facts.entry.id, subject.label,
                fmt::format("metrics of member {} cannot be had", subject.label),
                fmt::format("{}: {}; its peers' links, disk times and restarts are unknown",
                            facts.metrics_url, facts.scrape->error->message),
                member.scrape.failing_since});
}

// One finding for the cluster: users and roles are the cluster's, not a member's.
void report_authorisation(const Sight& sight, Findings& findings) {
  std::vector<std::string> names;
  std::string why;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& facts = *subject.facts;
    if (!subject.listed) continue;
    const auto& member = sight.members[i];
    if (says_not_allowed(facts, member.reach)) {
      why = member.reach.reason;
    } else if (says_not_allowed(facts.linearizable_read, member.linearizable)) {
      why = facts.linearizable_read->error->message;
    } else if (says_not_allowed(facts.serializable_read, member.serializable)) {
      why = facts.serializable_read->error->message;
    } else {
      continue;
    }
    names.push_back(subject.label);
  }
  const auto& login = sight.look.seen.login_error;
  if (names.empty() && !login) return;
  std::string summary =
      names.empty()
          ? std::string("login to etcd fails")
          : fmt::format("{} can be reached, but not everything may be asked", join_names(names));
  if (login) why = login->message;
  findings.add(
      {Check::kNotAuthorised,
       Severity::kWarning,
       {},
       {},
       std::move(summary),
       fmt::format("{}; the members are alive, and judged by /metrics as far as it goes", why),
       {}});
}

}  // namespace

void report_access(const Sight& sight, std::span<MemberMemory> members, Findings& findings) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& facts = *sight.look.subjects[i].facts;
    count_failures(facts.linearizable_read, members[i].reach, members[i].linearizable);
    count_failures(facts.serializable_read, members[i].reach, members[i].serializable);
    count_failures(facts.scrape, members[i].reach, members[i].scrape);
    report_reads(sight, i, members[i], findings);
    report_metrics(sight, i, members[i], findings);
  }
  report_authorisation(sight, findings);
}

}  // namespace etcdmon::collect
