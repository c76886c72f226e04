#include "async/task_scope.hpp"

#include <exception>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/assert.hpp"

namespace etcdmon::async {

namespace {

Task<> hold(std::shared_ptr<void> owner, Task<> task) {
  co_await std::move(task);
  owner.reset();
}

}  // namespace

struct TaskScope::OnEnd {
  TaskScope* scope;
  std::list<Child>::iterator child;
  void operator()(const std::exception_ptr& exception) const { scope->ended(child, exception); }
};

TaskScope::TaskScope(Executor executor, Logger logger, OnFailure on_failure)
    : executor_(executor), logger_(std::move(logger)), on_failure_(std::move(on_failure)) {
  empty_.set();
}

TaskScope::~TaskScope() {
  ETCDMON_ASSERT(children_.empty());
}

bool TaskScope::spawn(std::string name, Task<> task) {
  if (stopping_) return false;
  children_.emplace_back();
  const auto child = std::prev(children_.end());
  child->name = std::move(name);
  empty_.reset();
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(child->signal.slot(), OnEnd{this, child}));
  return true;
}

bool TaskScope::spawn(std::string name, std::shared_ptr<void> owner, Task<> task) {
  return spawn(std::move(name), hold(std::move(owner), std::move(task)));
}

void TaskScope::ended(std::list<Child>::iterator child, const std::exception_ptr& exception) {
  const std::string name = std::move(child->name);
  children_.erase(child);
  if (children_.empty()) empty_.set();
  if (!exception || is_cancelled(exception)) return;
  std::string what = "unknown exception";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    what = error.what();
  }
  logger_.error("a task ended by an exception; this is a bug",
                {{"task", name}, {"exception", what}});
  if (on_failure_) on_failure_(name);
}

void TaskScope::cancel() {
  stopping_ = true;
  // A child may end, and so leave the list, inside emit().
  for (auto child = children_.begin(); child != children_.end();) {
    const auto current = child++;
    current->signal.emit(asio::cancellation_type::terminal);
  }
}

Task<> TaskScope::close() {
  cancel();
  co_await empty_.wait();
}

std::vector<std::string> TaskScope::running() const {
  std::vector<std::string> names;
  names.reserve(children_.size());
  for (const auto& child : children_) names.push_back(child.name);
  return names;
}

}  // namespace etcdmon::async
