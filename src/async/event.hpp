// async/event.hpp: one coroutine tells others that something may have changed.
#pragma once

#include <chrono>
#include <vector>

#include "async/task.hpp"

namespace etcdmon::async {

/// A level that waiters wait for: set() wakes all, and keeps later waiters from sleeping
/// until reset() is called.
///
/// Threads:  the loop only.
/// Lifetime: must outlive its waiters.
/// Cancel:   a cancelled wait ends with operation_aborted.
class Event {
 public:
  void set();
  void reset() { set_ = false; }
  bool is_set() const { return set_; }

  Task<> wait();
  /// True if set, false if `when` came first.
  Task<bool> wait_until(std::chrono::steady_clock::time_point when);

 private:
  std::vector<Timer*> waiters_;
  bool set_ = false;
};

}  // namespace etcdmon::async
