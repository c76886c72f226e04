// kit/run.hpp: runs a coroutine to its end from a test, and waits for what comes about by itself.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/task.hpp"

namespace etcdmon::kit {

/// The value of `task`, run on `loop` by this thread. Its exception is thrown here.
/// Other work of the loop goes on until the task ends, and stands still afterwards.
template <class T>
T run(Loop& loop, Task<T> task) {
  std::exception_ptr failure;
  std::optional<T> value;
  const auto done = [&](std::exception_ptr exception, T result) {
    failure = exception;
    value.emplace(std::move(result));
    loop.stop();
  };
  loop.restart();
  asio::co_spawn(loop, std::move(task), done);
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return *std::move(value);
}

inline void run(Loop& loop, Task<> task) {
  std::exception_ptr failure;
  const auto done = [&](std::exception_ptr exception) {
    failure = exception;
    loop.stop();
  };
  loop.restart();
  asio::co_spawn(loop, std::move(task), done);
  loop.run();
  if (failure) std::rethrow_exception(failure);
}

/// On a loop of its own. A task that uses sockets or timers of another loop needs that one.
template <class T>
T run(Task<T> task) {
  Loop loop;
  return run(loop, std::move(task));
}

/// Whether `condition` became true within `limit`: for integration tests, where nothing tells us.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::nanoseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace etcdmon::kit
