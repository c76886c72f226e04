// etcd/lease.hpp: leases: grant, revoke, list, and keeping many of them alive on one stream.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "async/event.hpp"
#include "async/task.hpp"
#include "async/task_scope.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::wire {
class HeaderResponse;
class LeaseGrantResponse;
class LeaseKeepAliveResponse;
class LeaseLeasesResponse;
class LeaseTimeToLiveResponse;
}  // namespace etcdmon::wire

namespace etcdmon::etcd {

class Channel;

using LeaseId = std::int64_t;

struct GrantOptions {
  std::chrono::seconds ttl{};
  LeaseId id = 0;  ///< 0: the server chooses
};

/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
/// Errors:   as Channel::call; kNotFound: "etcdserver: requested lease not found".
class Leases {
 public:
  explicit Leases(Channel& channel) : channel_(&channel) {}

  Task<Result<wire::LeaseGrantResponse>> grant(GrantOptions options, Deadline deadline);
  Task<Result<wire::HeaderResponse>> revoke(LeaseId id, Deadline deadline);
  /// A ttl of -1: there is no such lease.
  Task<Result<wire::LeaseTimeToLiveResponse>> time_to_live(LeaseId id, bool keys,
                                                           Deadline deadline);
  Task<Result<wire::LeaseLeasesResponse>> list(Deadline deadline);
  /// Once. A ttl of 0: there is no such lease.
  Task<Result<wire::LeaseKeepAliveResponse>> keep_alive_once(LeaseId id, Deadline deadline);

 private:
  Channel* channel_;
};

/// Renews leases, each at a third of its time to live, on one stream that moves to another endpoint
/// when it breaks.
///
/// Threads:  the loop only.
/// Lifetime: the channel must outlive it; close() must have completed before destruction.
class KeepAlive {
 public:
  KeepAlive(Executor executor, Channel& channel);
  ~KeepAlive();
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  /// Renewed at once, and then until drop(). `ttl` as it was granted.
  void keep(LeaseId id, std::chrono::seconds ttl);
  void drop(LeaseId id);
  std::size_t size() const { return leases_.size(); }

  /// The next answer for any of them. A ttl of 0: the lease is gone, and no longer kept. A lease
  /// that could not be renewed for as long as it lives counts as gone too.
  /// Errors: what ended the stream for good: no permission, no such user.
  Task<Result<wire::LeaseKeepAliveResponse>> next();
  Task<> close();

 private:
  struct Kept {
    std::chrono::seconds ttl{};
    SteadyTime due;      ///< to be renewed
    SteadyTime expires;  ///< unless it is renewed before
  };

  Task<> run();
  Task<Error> speak(std::shared_ptr<rpc::MessageStream> stream);
  Task<> listen(std::shared_ptr<rpc::MessageStream> stream, std::shared_ptr<Error> broken);
  void expire(SteadyTime now);
  void answered(const std::string& message);
  SteadyTime next_due() const;

  Channel* channel_;
  async::TaskScope scope_;
  std::map<LeaseId, Kept> leases_;
  std::deque<std::string> answers_;  ///< serialized
  std::unique_ptr<Error> failed_;
  async::Event something_;  ///< to do for speak() or run()
  async::Event answer_;
  bool running_ = false;
};

}  // namespace etcdmon::etcd
