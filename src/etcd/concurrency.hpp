// etcd/concurrency.hpp: locks and elections among clients, the way etcd's own clients do them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "async/event.hpp"
#include "async/task.hpp"
#include "async/task_scope.hpp"
#include "etcd/kv.hpp"
#include "etcd/lease.hpp"
#include "etcd/watch.hpp"

namespace etcdmon::etcd {

/// A lease that is kept alive for as long as this is open: what hangs on it goes with us.
///
/// Threads:  the loop only.
/// Lifetime: the channel must outlive it; close() must have completed before destruction.
class LeaseSession {
 public:
  LeaseSession(Executor executor, Channel& channel);

  Task<Result<void>> open(std::chrono::seconds ttl, Deadline deadline);
  LeaseId id() const { return id_; }
  bool is_lost() const { return lost_.is_set(); }
  /// Ends when the lease is gone although we renewed it: nothing is held any more.
  Task<> lost() { return lost_.wait(); }
  /// Revokes the lease, if somebody hears it by `deadline`. Cancel: not.
  Task<> close(Deadline deadline);

 private:
  Task<> renew();

  Channel* channel_;
  KeepAlive keep_alive_;
  async::TaskScope scope_;
  async::Event lost_;
  LeaseId id_ = 0;
};

/// A key below a name that says who holds it, or waits for it: the oldest one does.
struct Claim {
  std::string key{};
  std::int64_t create_revision = 0;
  std::int64_t revision = 0;  ///< of the cluster when it was ours
};

struct ClaimOptions {
  std::string name{};   ///< what is wanted: claims are at name/LEASE
  std::string value{};  ///< an election's proposal; a lock has none
  LeaseId lease = 0;
};

/// Puts our claim and waits until all older ones are gone. Repeating it is safe: the claim is made
/// once.
/// Errors: kNotFound: the lease is gone; those of Channel::call.
/// Cancel: the claim stays until its lease ends or release().
Task<Result<Claim>> claim(Channel& channel, ClaimOptions options, Deadline deadline);
/// Gives it up, if it is still ours.
Task<Result<void>> release(Channel& channel, Claim claim, Deadline deadline);

/// Who holds a name, as it changes.
///
/// Threads:  the loop only.
/// Lifetime: the channel must outlive it.
class Holders {
 public:
  Holders(Channel& channel, std::string name);
  ~Holders();

  /// The next holder's claim, or the same one's with another value, with the header of the answer
  /// that told it. Waits while there is none.
  Task<Result<wire::RangeResponse>> next();

 private:
  Task<Result<wire::RangeResponse>> first();

  Channel* channel_;
  KeyRange range_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace etcdmon::etcd
