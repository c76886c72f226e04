// app/cli/ctl/run/cluster_sight.hpp: who belongs to the cluster and who answers, and what a change
// would do to its quorum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/cli/ctl/run/consent.hpp"
#include "app/cli/ctl/session.hpp"
#include "base/ids.hpp"

namespace etcdmon::app::cli::ctl {

struct MemberSight {
  MemberId id{};
  std::string name{};  ///< empty: it was added and has not started yet
  std::vector<std::string> client_urls{};
  bool learner = false;
  bool up = false;  ///< it answered
  bool leads = false;
  std::uint64_t applied = 0;  ///< index; 0: not known
  std::string version{};
  std::int64_t db_size = 0;
  std::int64_t db_size_in_use = 0;
  std::int64_t db_size_quota = 0;  ///< 0: not known (before 3.6)

  /// "m1 (8e9e05c52164694d)"
  std::string title() const;
};

struct ClusterSight {
  std::vector<MemberSight> members{};

  std::size_t voters() const;
  std::size_t voters_up() const;
  const MemberSight* find(MemberId id) const;
  std::uint64_t newest_applied() const;
};

/// The member list through quorum, and one status of each member.
Task<Result<ClusterSight>> look(Session& session);

inline std::size_t quorum_of(std::size_t voters) {
  return voters / 2 + 1;
}
/// "3 voters, 2 up; quorum is 2: no failure is left". Units: members.
std::string arithmetic(std::size_t voters, std::size_t up);

Plan plan_to_remove(const ClusterSight& sight, MemberId id);
Plan plan_to_add(const ClusterSight& sight, const std::string& name, bool learner);
/// Of defragmenting the members named by their ids, one after the other.
Plan plan_to_defragment(const ClusterSight& sight, const std::vector<MemberId>& order);

/// Followers first, the leader last; learners and members that are still being sent the data left
/// out, each with a word about it in `skipped`.
std::vector<MemberId> defragment_order(const ClusterSight& sight,
                                       std::vector<std::string>& skipped);

}  // namespace etcdmon::app::cli::ctl
