#include "app/lifecycle.hpp"

#include <utility>

#include "async/timeout.hpp"

namespace etcdmon::app {

namespace {

Task<bool> to_end(Task<> task) {
  co_await std::move(task);
  co_return true;
}

}  // namespace

void Lifecycle::started(std::string name, Stop stop) {
  steps_.push_back({std::move(name), std::move(stop)});
}

Task<bool> Lifecycle::stop(std::chrono::milliseconds bound_per_step) {
  bool all = true;
  while (!steps_.empty()) {
    const auto step = std::move(steps_.back());
    steps_.pop_back();
    logger_.debug("stopping", {{"step", step.name}});
    const auto ended = co_await async::with_deadline(
        to_end(step.stop()), std::chrono::steady_clock::now() + bound_per_step);
    if (!ended) {
      logger_.warn("a step of the shutdown took too long", {{"step", step.name}});
      all = false;
    }
  }
  co_return all;
}

}  // namespace etcdmon::app
