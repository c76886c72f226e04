#include "collect/judge/judge.hpp"

#include <algorithm>

#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Reach;
using model::Severity;

namespace {

std::optional<bool> member_health(const Subject& subject, const MemberMemory& memory,
                                  const std::vector<model::Verdict>& verdicts) {
  const bool accused = std::ranges::any_of(verdicts, [&](const model::Verdict& verdict) {
    return subject.identified && verdict.member == subject.facts->entry.id &&
           counts_against_health(verdict);
  });
  if (accused) return false;
  switch (memory.reach.reach) {
    case Reach::kUnknown:
    case Reach::kMisAddressed:
    case Reach::kUnstarted:
      return std::nullopt;
    case Reach::kUnreachable:
    case Reach::kHung:
      return false;
    case Reach::kNotAuthorised:
      return subject.facts->metrics ? subject.facts->metrics->has_leader : std::nullopt;
    default:
      return true;
  }
}

std::vector<model::MemberAssessment> assess_members(const Sight& sight,
                                                    const std::vector<model::Verdict>& verdicts) {
  const auto leader = sight.look.index_of(sight.leader.leader.value_or(MemberId{}));
  const model::StatusSample* lead = nullptr;
  if (leader && sight.look.subjects[*leader].facts->status)
    lead = &*sight.look.subjects[*leader].facts->status;
  std::vector<model::MemberAssessment> found;
  found.reserve(sight.members.size());
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& memory = sight.members[i];
    auto& member = found.emplace_back();
    member.id = subject.facts->entry.id;
    member.name = subject.label;
    member.reach = memory.reach.reach;
    member.cause = memory.reach.cause;
    member.reason = memory.reach.reason;
    member.since = memory.reach.since;
    member.voter = subject.voter;
    member.leader = sight.leader.leader && *sight.leader.leader == member.id;
    member.healthy = member_health(subject, memory, verdicts);
    member.restarts_15m = memory.starts.recent.size();
    const auto& status = subject.facts->status;
    if (lead && status) {
      member.lag = lead->raft_applied_index > status->raft_applied_index
                       ? lead->raft_applied_index - status->raft_applied_index
                       : 0;
    }
  }
  return found;
}

// nullopt until quorum, leader and every voter are known; false as soon as one finding counts
// against it.
std::optional<bool> cluster_health(const Sight& sight,
                                   const std::vector<model::Verdict>& verdicts) {
  // Nobody answers and nobody refuses: we may be cut off, and know nothing.
  if (sight.monitor.silent_since && !sight.quorum.has_quorum) return std::nullopt;
  if (std::ranges::any_of(verdicts, counts_against_health)) return false;
  if (sight.quorum.has_quorum != true || !sight.leader.leader) return std::nullopt;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto reach = sight.members[i].reach.reach;
    if (sight.look.subjects[i].voter && (reach == Reach::kUnknown || reach == Reach::kMisAddressed))
      return std::nullopt;
  }
  return true;
}

std::vector<model::Verdict> collect_verdicts(const Sight& sight, JudgeState& state) {
  Findings findings(state.told.verdicts, sight.look.now);
  state.pending.begin_look();
  report_reach(sight, findings);
  report_quorum(sight, findings);
  report_leader(sight, findings);
  report_partition(sight, findings);
  report_stability(sight, state.members, findings);
  report_access(sight, state.members, findings);
  report_addressing(sight, findings);
  report_alarms(sight, state.alarms, findings);
  report_divergence(sight, state.pending, findings);
  report_versions(sight, state.mixed_versions_since, findings);
  report_certificates(sight, findings);
  report_monitor(sight, state.monitor, findings);
  state.pending.end_look();
  return findings.take();
}

}  // namespace

void JudgeStateDeleter::operator()(JudgeState* state) const {
  delete state;
}

JudgeStatePtr make_judge_state() {
  return JudgeStatePtr(new JudgeState);
}

Judgement judge(JudgeStatePtr state, const model::Observation& seen, const JudgeOptions& options) {
  if (!state) state = make_judge_state();
  Look look = look_at(seen, options);
  notice_own_sleep(look, state->told, state->monitor);
  align_memory(look, *state);
  remember_answers(look, state->members);
  remember_pages(look, state->members);
  judge_reach(look, state->members, state->monitor);
  judge_starts(look, state->members);

  Judgement result;
  auto& assessment = result.assessment;
  assessment.at = seen.at;
  const auto peers_see = seen_by_peers(look, state->members);
  assessment.leader = judge_leader(look, state->members, state->leader);
  assessment.quorum =
      judge_quorum(look, state->members, peers_see, state->monitor, state->leader, state->quorum);
  assessment.peers = peer_matrix(look, state->members, peers_see, state->leader, state->links);
  assessment.partition = judge_partition(look, state->members, peers_see, state->leader,
                                         assessment.peers, state->links);
  result.closer_look =
      wants_closer_look(look, state->members, peers_see, assessment.partition, state->links);

  const Sight sight{look,
                    state->members,
                    peers_see,
                    assessment.quorum,
                    assessment.leader,
                    assessment.partition,
                    state->monitor,
                    state->leader,
                    state->quorum};
  assessment.verdicts = collect_verdicts(sight, *state);
  assessment.members = assess_members(sight, assessment.verdicts);
  assessment.healthy = cluster_health(sight, assessment.verdicts);
  result.events = tell_events(look, assessment, *state);
  result.state = std::move(state);
  return result;
}

}  // namespace etcdmon::collect
