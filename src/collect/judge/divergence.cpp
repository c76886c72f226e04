// Where members tell different stories: cluster id, member list, leader, revision, data.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"
#include "collect/membership.hpp"

namespace etcdmon::collect {

using model::Check;
using model::MemberEntry;
using model::Severity;
using std::chrono::seconds;

namespace {

constexpr std::uint32_t kSeenTwice = 2;
// Changes spread within milliseconds; what differs for so long differs for a reason.
constexpr seconds kLag{5};
constexpr seconds kDiverged{30};

std::uint64_t stamp_of(SteadyTime at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

void add_foreign(const Sight& sight, const std::string& where, MemberId member, ClusterId found,
                 ClusterId expected, Pending& pending, Findings& findings) {
  const auto& entry =
      pending.seen(Check::kClusterIdMismatch, where, sight.look.seen.pulse_rounds, sight.look.now);
  if (entry.samples < kSeenTwice) return;
  findings.add(
      {Check::kClusterIdMismatch, Severity::kCritical, member, where,
       fmt::format("{} belongs to another cluster", where),
       fmt::format("cluster id {}, expected {}: another cluster's address, or a member that was "
                   "bootstrapped anew",
                   to_hex(found), to_hex(expected)),
       entry.since});
}

void report_cluster_ids(const Sight& sight, Pending& pending, Findings& findings) {
  const auto& seen = sight.look.seen;
  ClusterId expected = seen.membership.cluster_id.value_or(ClusterId{});
  for (const auto& subject : sight.look.subjects) {
    const auto& status = subject.facts->status;
    const ClusterId own = status ? status->cluster_id : subject.facts->answered_cluster;
    if (own.none()) continue;
    if (expected.none()) expected = own;
    if (own != expected) {
      add_foreign(sight, subject.label, subject.facts->entry.id, own, expected, pending, findings);
    }
  }
  if (expected.none()) return;
  for (const auto& endpoint : seen.endpoints) {
    if (!endpoint.cluster_id || endpoint.cluster_id->none() || *endpoint.cluster_id == expected)
      continue;
    const bool told = std::ranges::any_of(sight.look.subjects, [&](const Subject& subject) {
      return same_authority(subject.facts->endpoint, endpoint.url) &&
             subject.facts->answered_cluster == *endpoint.cluster_id;
    });
    if (!told)
      add_foreign(sight, endpoint.url, {}, *endpoint.cluster_id, expected, pending, findings);
  }
}

std::string list_difference(const Sight& sight, const std::vector<MemberEntry>& own,
                            const std::vector<MemberEntry>& reference) {
  std::vector<std::string> parts;
  for (const auto& entry : reference) {
    const auto mine = std::ranges::find(own, entry.id, &MemberEntry::id);
    if (mine == own.end()) {
      parts.push_back(fmt::format("it does not know {}", sight.look.label_of(entry.id)));
    } else if (*mine != entry) {
      parts.push_back(fmt::format("it knows {} otherwise", sight.look.label_of(entry.id)));
    }
  }
  for (const auto& entry : own) {
    const bool known = std::ranges::find(reference, entry.id, &MemberEntry::id) != reference.end();
    if (!known)
      parts.push_back(
          fmt::format("it still knows {}", entry.started() ? entry.name : to_hex(entry.id)));
  }
  return join_names(parts);
}

void report_member_lists(const Sight& sight, Pending& pending, Findings& findings) {
  const auto& membership = sight.look.seen.membership;
  if (!membership.confirmed_at || sight.electing()) return;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& facts = *subject.facts;
    // Only a member that follows the leader can be expected to know.
    if (!subject.listed || !is_fresh(sight.look, subject, sight.members[i])) continue;
    if (sight.members[i].answer.leader.none() || !facts.local_members) continue;
    if (*facts.local_members == membership.members) continue;
    // A change that falls between the two lists looks like a disagreement once: the very same must
    // be seen again.
    const auto difference = list_difference(sight, *facts.local_members, membership.members);
    const auto& entry =
        pending.seen(Check::kMemberListDisagreement, subject.label + ": " + difference,
                     stamp_of(facts.local_members_at), sight.look.now);
    const auto age = sight.look.now - entry.since;
    if (entry.samples < kSeenTwice || age < kLag) continue;
    findings.add({Check::kMemberListDisagreement,
                  age >= kDiverged ? Severity::kCritical : Severity::kWarning, facts.entry.id,
                  subject.label,
                  fmt::format("member {} has another member list than the quorum", subject.label),
                  difference, entry.since});
  }
}

// In one term there is one leader. A member that names the leader of an older term is cut off or
// slow, which the partition and its reads tell.
void report_leader_views(const Sight& sight, Pending& pending, Findings& findings) {
  if (sight.electing() || sight.leader.disputed || !sight.leader.leader) return;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& answer = sight.members[i].answer;
    if (!subject.listed || !is_fresh(sight.look, subject, sight.members[i])) continue;
    if (answer.agreeing < kSeenTwice || answer.leader.none() ||
        answer.leader == *sight.leader.leader)
      continue;
    if (subject.facts->status->raft_term < sight.leader.term) continue;
    const auto& entry =
        pending.seen(Check::kLeaderViewDisagreement, subject.label, answer.answers, sight.look.now);
    if (sight.look.now - entry.since < kDiverged) continue;
    findings.add({Check::kLeaderViewDisagreement, Severity::kCritical, subject.facts->entry.id,
                  subject.label,
                  fmt::format("member {} follows {}, the others follow {}", subject.label,
                              sight.look.label_of(answer.leader), sight.leader.name),
                  fmt::format("all in term {}", sight.leader.term), entry.since});
  }
}

// Equal applied index, standing still on both sides, and another revision: the stores have parted.
void report_revisions(const Sight& sight, Pending& pending, Findings& findings) {
  if (sight.electing()) return;
  const auto is_still = [&](std::size_t i) {
    return sight.look.subjects[i].voter && sight.members[i].answer.still >= kSeenTwice &&
           is_fresh(sight.look, sight.look.subjects[i], sight.members[i]);
  };
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    if (!is_still(i)) continue;
    const auto& own = *sight.look.subjects[i].facts->status;
    std::vector<std::string> others;
    int same = 0;
    for (std::size_t j = 0; j < sight.members.size(); ++j) {
      if (!is_still(j)) continue;
      const auto& other = *sight.look.subjects[j].facts->status;
      if (other.raft_applied_index != own.raft_applied_index) continue;
      same += other.revision == own.revision;
      if (other.revision != own.revision) {
        others.push_back(fmt::format("{} at {}", sight.look.subjects[j].label, other.revision));
      }
    }
    // The minority differs; of two equal halves, both do.
    if (others.empty() || same > static_cast<int>(others.size())) continue;
    const auto& subject = sight.look.subjects[i];
    const auto& entry = pending.seen(Check::kRevisionDivergence, subject.label,
                                     sight.members[i].answer.answers, sight.look.now);
    if (entry.samples < kSeenTwice || sight.look.now - entry.since < kDiverged) continue;
    findings.add(
        {Check::kRevisionDivergence, Severity::kCritical, subject.facts->entry.id, subject.label,
         fmt::format("member {} has another revision than its peers at the same raft index",
                     subject.label),
         fmt::format("index {}: {} at {}, {}", own.raft_applied_index, subject.label, own.revision,
                     join_names(others)),
         entry.since});
  }
}

struct HashVote {
  std::size_t subject;
  std::uint32_t hash;
};

// Samples that may be compared: same revision, same compaction, same version of etcd.
using HashGroups =
    std::map<std::tuple<std::int64_t, std::int64_t, std::string>, std::vector<HashVote>>;

HashGroups group_hashes(const Sight& sight) {
  HashGroups groups;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    if (!subject.voter || !subject.facts->status) continue;
    for (const auto& sample : subject.facts->hash_history) {
      auto& votes =
          groups[{sample.revision, sample.compact_revision, subject.facts->status->version}];
      // Asked again at the same revision: the later answer counts.
      std::erase_if(votes, [i](const HashVote& vote) { return vote.subject == i; });
      votes.push_back({i, sample.hash});
    }
  }
  return groups;
}

void report_data(const Sight& sight, Findings& findings) {
  const bool any = std::ranges::any_of(sight.look.subjects, [](const Subject& subject) {
    return !subject.facts->hash_history.empty();
  });
  if (!any) return;
  std::map<std::size_t, std::vector<std::int64_t>> differing;  // by subject: revisions, ascending
  std::map<std::size_t, std::int64_t> youngest;                // by subject: compared at
  for (const auto& [key, votes] : group_hashes(sight)) {
    if (votes.size() < 2) continue;
    for (const auto& vote : votes) {
      const auto same = std::ranges::count(votes, vote.hash, &HashVote::hash);
      youngest[vote.subject] = std::get<0>(key);
      if (2 * same > static_cast<std::ptrdiff_t>(votes.size())) continue;
      auto& revisions = differing[vote.subject];
      if (revisions.empty() || revisions.back() != std::get<0>(key))
        revisions.push_back(std::get<0>(key));
    }
  }
  for (const auto& [i, revisions] : differing) {
    if (revisions.size() < kSeenTwice || revisions.back() != youngest[i]) continue;
    const auto& subject = sight.look.subjects[i];
    findings.add({Check::kDataDivergence,
                  Severity::kCritical,
                  subject.facts->entry.id,
                  subject.label,
                  fmt::format("data of member {} differs from its peers", subject.label),
                  fmt::format("different hashes at revisions {} and {}",
                              revisions[revisions.size() - 2], revisions.back()),
                  {}});
  }
}

}  // namespace

void report_divergence(const Sight& sight, Pending& pending, Findings& findings) {
  report_cluster_ids(sight, pending, findings);
  report_member_lists(sight, pending, findings);
  report_leader_views(sight, pending, findings);
  report_revisions(sight, pending, findings);
  report_data(sight, findings);
}

}  // namespace etcdmon::collect
