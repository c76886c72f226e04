// collect/judge/parts.hpp: the judgements one by one, in the order in which they build on each
// other.
#pragma once

#include <span>
#include <vector>

#include "collect/judge/look.hpp"
#include "collect/judge/state.hpp"

namespace etcdmon::collect {

using MemberMemories = std::span<const MemberMemory>;

// Each is a pure function of the look, of what earlier parts found, and of its own memory.

void judge_reach(const Look& look, std::span<MemberMemory> members, MonitorMemory& monitor);
void judge_starts(const Look& look, std::span<MemberMemory> members);
void remember_pages(const Look& look, std::span<MemberMemory> members);

/// Per subject: we cannot reach it, but its peers exchange messages with it.
std::vector<bool> seen_by_peers(const Look& look, MemberMemories members);

model::LeaderAssessment judge_leader(const Look& look, std::span<MemberMemory> members,
                                     LeaderMemory& memory);
model::QuorumAssessment judge_quorum(const Look& look, MemberMemories members,
                                     const std::vector<bool>& peers_see,
                                     const MonitorMemory& monitor, const LeaderMemory& leader,
                                     QuorumMemory& memory);

model::PeerMatrix peer_matrix(const Look& look, MemberMemories members,
                              const std::vector<bool>& peers_see, const LeaderMemory& leader,
                              LinkMemory& memory);
/// Marks suspected links in `peers` as well.
model::PartitionAssessment judge_partition(const Look& look, MemberMemories members,
                                           const std::vector<bool>& peers_see,
                                           const LeaderMemory& leader, model::PeerMatrix& peers,
                                           LinkMemory& links);
/// Sooner pages of /metrics would decide what kind of cut there is, or whether there is one.
bool wants_closer_look(const Look& look, MemberMemories members, const std::vector<bool>& peers_see,
                       const model::PartitionAssessment& partition, LinkMemory& links);

/// What the reports below may look at.
struct Sight {
  const Look& look;
  MemberMemories members;
  const std::vector<bool>& peers_see;
  const model::QuorumAssessment& quorum;
  const model::LeaderAssessment& leader;
  const model::PartitionAssessment& partition;
  const MonitorMemory& monitor;
  const LeaderMemory& leader_memory;
  const QuorumMemory& quorum_memory;

  bool electing() const { return leader_memory.leaderless_since.has_value(); }
};

void report_reach(const Sight& sight, Findings& findings);
void report_quorum(const Sight& sight, Findings& findings);
void report_leader(const Sight& sight, Findings& findings);
void report_partition(const Sight& sight, Findings& findings);
void report_stability(const Sight& sight, std::span<MemberMemory> members, Findings& findings);
void report_access(const Sight& sight, std::span<MemberMemory> members, Findings& findings);
void report_addressing(const Sight& sight, Findings& findings);
void report_alarms(const Sight& sight, AlarmMemory& memory, Findings& findings);
void report_divergence(const Sight& sight, Pending& pending, Findings& findings);
void report_versions(const Sight& sight, std::optional<SteadyTime>& mixed_since,
                     Findings& findings);
void report_certificates(const Sight& sight, Findings& findings);
void report_monitor(const Sight& sight, MonitorMemory& monitor, Findings& findings);

/// Whether `verdict` makes the cluster (and the member it is about) unhealthy.
///
/// It does where it is critical, or a warning about quorum, leader, partition, alarms, data, or a
/// member that does not serve. It does not where it is information, or is about this monitor or its
/// configuration (stalled, isolated, endpoints, permissions, metrics), about versions, or about
/// certificates: those are findings to act on, not ill health.
bool counts_against_health(const model::Verdict& verdict);

/// Everything that happened since the last look, oldest first.
std::vector<model::Event> tell_events(const Look& look, const model::Assessment& assessment,
                                      JudgeState& state);

}  // namespace etcdmon::collect
