// net/testing/loop.hpp: runs coroutines of a unit test to their end on a loop of their own.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace etcdmon::net::testing {

/// Runs the loop until nothing is left to do, and returns what `task` returned.
template <class T>
T run(Loop& loop, Task<T> task) {
  std::exception_ptr failure;
  std::optional<T> value;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T v) {
    failure = e;
    value = std::move(v);
  });
  loop.restart();
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

inline SteadyTime in(std::chrono::milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

}  // namespace etcdmon::net::testing
