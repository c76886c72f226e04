// app/benchmark/run_on.hpp: a coroutine run to its end by a thread that has nothing else to do.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/task.hpp"

namespace etcdmon::app {

/// The value of `task`; other work of the loop goes on until then, and stands still afterwards.
template <class T>
T run_on(Loop& loop, Task<T> task) {
  std::optional<T> value;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T result) {
    failure = e;
    value.emplace(std::move(result));
    loop.stop();
  });
  loop.run();
  loop.restart();
  if (failure) std::rethrow_exception(failure);
  return *std::move(value);
}

}  // namespace etcdmon::app
