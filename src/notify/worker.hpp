// notify/worker.hpp: takes notifications out of the outbox and delivers them, each channel in a
// lane of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.hpp"
#include "async/retry.hpp"
#include "async/task_scope.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "notify/channel.hpp"
#include "store/outbox.hpp"

namespace etcdmon::notify {

/// How one channel does.
struct ChannelHealth {
  std::string channel;
  bool broken = false;  ///< told to others: failing for too long, or it refused a message
  std::optional<WallTime> failing_since;
  std::string last_error;  ///< of the newest attempt that failed
  std::optional<WallTime> last_delivered;
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;  ///< attempts
  std::uint64_t dead = 0;    ///< messages given up by this process
};

/// Hands each notification to its channel until the far side took it.
///
/// A lane claims, sends and settles by itself: a channel that hangs delays no other. After a
/// failure the lane rests for the backoff, rather than knocking once for each message that waits.
/// What is rejected, or too old, becomes a dead letter.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction; the outbox outlives it.
class Worker {
 public:
  struct Lane {
    std::string name;
    std::unique_ptr<Channel> channel;
    std::chrono::milliseconds timeout{15'000};
    model::Severity min_severity = model::Severity::kInfo;  ///< of what is refreshed
  };
  /// All alerts that fire now, for channels that must be told again and again.
  using Firing = std::function<std::vector<model::NotifiedAlert>()>;
  struct Options {
    RetryOptions retry{};
    std::chrono::milliseconds broken_after{std::chrono::minutes(10)};
    std::chrono::milliseconds give_up_after{std::chrono::hours(24)};
    Firing firing{};
  };
  /// Told when `broken` turns, either way.
  using OnTurn = std::function<void(const ChannelHealth&)>;

  Worker(Executor executor, store::Outbox& outbox, const Clock& clock, Options options,
         Logger logger);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start(std::vector<Lane> lanes, OnTurn on_turn, metrics::Registry& registry);
  /// Something was pushed.
  void wake();
  /// Refuses new attempts, gives those under way until `deadline`, then cancels them.
  Task<> stop(Deadline deadline);

  std::vector<ChannelHealth> health() const;

 private:
  struct Running;

  Task<> run(Running& lane);
  Task<> refresh(Running& lane);
  Task<bool> deliver(Running& lane, store::Lease lease);
  Task<> settle(std::string channel, std::string lease_id, store::Settlement settlement);
  Outcome judge_age(const store::Lease& lease, Outcome outcome) const;
  void note(Running& lane, const Outcome& outcome);
  void turn(Running& lane, bool broken);

  Executor executor_;
  store::Outbox& outbox_;
  const Clock& clock_;
  Options options_;
  Logger logger_;
  OnTurn on_turn_;
  async::Random random_;
  async::TaskScope scope_;
  std::vector<std::unique_ptr<Running>> lanes_;
  async::Event idle_;
  std::size_t busy_ = 0;  ///< attempts under way
  bool stopping_ = false;
};

}  // namespace etcdmon::notify
