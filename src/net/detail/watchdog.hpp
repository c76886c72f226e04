// net/detail/watchdog.hpp: a deadline that acts, for operations that have none of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace etcdmon::net::detail {

/// Calls one action when a moment comes, unless disarmed or armed anew before. One timer and no
/// coroutine: a fraction of what racing a task against a timer costs.
///
/// Threads:  the loop only.
/// Lifetime: after destruction the action is not called, even if the moment has come already.
class Watchdog {
 public:
  Watchdog(Executor executor, std::function<void()> action);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// SteadyTime::max() is never.
  void arm(SteadyTime when);
  void disarm();
  /// Whether the action was called since the last arm().
  bool fired() const { return state_->fired; }

 private:
  // Shared with the timer's handler, which may be queued already when we are disarmed or gone.
  struct State {
    std::function<void()> action;
    std::uint64_t generation = 0;
    bool fired = false;
  };

  Timer timer_;
  std::shared_ptr<State> state_;
};

}  // namespace etcdmon::net::detail
