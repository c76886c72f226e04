// async/timeout.hpp: a bound in time for things that have no deadline of their own.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/task.hpp"

namespace etcdmon::async {

/// The value, or nullopt when `deadline` came first; the task is then cancelled and awaited.
/// Costs a coroutine and a timer (4 to 6 µs): not for rpc, etcd and bench, whose sessions keep
/// deadlines themselves.
template <class T>
Task<std::optional<T>> with_deadline(Task<T> task, std::chrono::steady_clock::time_point deadline) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
  auto race = std::move(task) || sleep_until(deadline);
  auto result = co_await std::move(race);
  if (result.index() == 0) co_return std::get<0>(std::move(result));
  co_return std::nullopt;
}

}  // namespace etcdmon::async
