// async/task_scope.hpp: the coroutines of one long-lived object: counted, and cancelled together.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include "async/event.hpp"
#include "async/task.hpp"
#include "base/log.hpp"

namespace etcdmon::async {

/// A gate and an abort source in one. Two problems it solves: no new work once stopping has
/// begun, and knowing when the old work has ended.
///
/// A child that ends by an exception other than cancellation is a bug: it is logged with its
/// name and, where given, `on_failure` is told, so that the owner may restart or stop.
///
/// Threads:  the loop only.
/// Lifetime: close() must have completed before destruction; asserted.
class TaskScope {
 public:
  using OnFailure = std::function<void(std::string_view name)>;

  TaskScope(Executor executor, Logger logger, OnFailure on_failure = {});
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  /// Starts `task`. Returns false, and drops it, once closing has begun.
  /// What the task refers to must outlive the scope, or be held by value in its frame.
  bool spawn(std::string name, Task<> task);
  /// The same for a coroutine of an object that must live for as long as it runs.
  bool spawn(std::string name, std::shared_ptr<void> owner, Task<> task);

  bool stopping() const { return stopping_; }
  std::size_t size() const { return children_.size(); }

  /// Refuses new work and cancels all children, without waiting for them. Idempotent.
  void cancel();
  /// cancel(), then waits until every child has ended. Must not be called from a child.
  Task<> close();
  /// Names of the children that still run, for the log line of a stop that takes too long.
  std::vector<std::string> running() const;

 private:
  struct Child {
    std::string name;
    asio::cancellation_signal signal;
  };
  struct OnEnd;

  void ended(std::list<Child>::iterator child, const std::exception_ptr& exception);

  Executor executor_;
  Logger logger_;
  OnFailure on_failure_;
  std::list<Child> children_;
  Event empty_;
  bool stopping_ = false;
};

}  // namespace etcdmon::async
