// app/lifecycle.hpp: what was started, and stopping it in reverse order, each step bounded and
// named.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/log.hpp"

namespace etcdmon::app {

/// A list of {name, stop}. Every start pushes; stop() pops in reverse. It also rolls back a start
/// that failed half-way.
///
/// Threads: the loop only.
class Lifecycle {
 public:
  using Stop = std::function<Task<>()>;

  explicit Lifecycle(Logger logger) : logger_(std::move(logger)) {}

  void started(std::string name, Stop stop);
  /// Ends every step or its bound, whichever comes first; a step that overruns is named in the log
  /// and left behind. True if all ended in time. Idempotent.
  Task<bool> stop(std::chrono::milliseconds bound_per_step);

 private:
  struct Step {
    std::string name;
    Stop stop;
  };

  Logger logger_;
  std::vector<Step> steps_;
};

}  // namespace etcdmon::app
