// etcd/maintenance.hpp: the care of members: status, alarms, defragmentation, hashes, leadership,
// downgrades.
#pragma once

#include <cstdint>
#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/observation.hpp"

namespace etcdmon::wire {
class AlarmResponse;
class DowngradeResponse;
class HashKVResponse;
class HeaderResponse;
class StatusResponse;
}  // namespace etcdmon::wire

namespace etcdmon::etcd {

class Channel;

struct DowngradeOptions {
  enum class Action : std::uint8_t { kValidate, kEnable, kCancel };
  Action action = Action::kValidate;
  std::string version{};  ///< "3.5"; empty to cancel
};

/// Most of these are about the one member that answers: give it a channel with one endpoint.
///
/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
/// Errors:   as Channel::call.
class Maintenance {
 public:
  explicit Maintenance(Channel& channel) : channel_(&channel) {}

  Task<Result<wire::StatusResponse>> status(Deadline deadline);
  /// A raft proposal even for a list: ask rarely.
  Task<Result<wire::AlarmResponse>> alarms(Deadline deadline);
  Task<Result<wire::AlarmResponse>> disarm(model::AlarmEntry alarm, Deadline deadline);
  /// The member answers nothing else until it is done, which may take minutes; never repeated.
  Task<Result<wire::HeaderResponse>> defragment(Deadline deadline);
  /// Scans the key bucket under the backend's read lock. 0: the newest revision.
  Task<Result<wire::HashKVResponse>> hash_kv(std::int64_t revision, Deadline deadline);
  /// Only the leader can do it.
  Task<Result<wire::HeaderResponse>> move_leader(MemberId to, Deadline deadline);
  Task<Result<wire::DowngradeResponse>> downgrade(DowngradeOptions options, Deadline deadline);

 private:
  Channel* channel_;
};

}  // namespace etcdmon::etcd
