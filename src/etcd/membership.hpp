// etcd/membership.hpp: who belongs to the cluster: list, add, remove, update, promote.
#pragma once

#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "etcd/client.hpp"

namespace etcdmon::wire {
class MemberAddResponse;
class MemberListResponse;
}  // namespace etcdmon::wire

namespace etcdmon::etcd {

class Channel;

struct MemberAddOptions {
  std::vector<std::string> peer_urls{};
  bool learner = false;  ///< receives the log and does not vote
};
struct MemberUpdateOptions {
  MemberId id{};
  std::vector<std::string> peer_urls{};
};

/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
/// Errors:   as Channel::call.
class Membership {
 public:
  explicit Membership(Channel& channel) : channel_(&channel) {}

  /// kLinearizable asks through quorum (3.5+; a 3.4 member always answers with its local view).
  Task<Result<wire::MemberListResponse>> list(Consistency consistency, Deadline deadline);
  Task<Result<wire::MemberAddResponse>> add(MemberAddOptions options, Deadline deadline);
  Task<Result<wire::MemberListResponse>> remove(MemberId id, Deadline deadline);
  Task<Result<wire::MemberListResponse>> update(MemberUpdateOptions options, Deadline deadline);
  /// A learner becomes a voter; refused until it has caught up with the leader.
  Task<Result<wire::MemberListResponse>> promote(MemberId id, Deadline deadline);

 private:
  Channel* channel_;
};

}  // namespace etcdmon::etcd
