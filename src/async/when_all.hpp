// async/when_all.hpp: several coroutines at once; a hung one costs its deadline, not the sum of
// all.
#pragma once

#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/task.hpp"

namespace etcdmon::async {

/// Runs all tasks and returns their values in input order; at once for an empty vector.
/// T must be default-constructible (Result is).
/// Errors: if tasks end by exception, the first one's is thrown after all have ended.
/// Cancel: reaches every task.
template <class T>
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
  if (tasks.empty()) co_return std::vector<T>{};
  const auto executor = co_await asio::this_coro::executor;
  using Operation = decltype(asio::co_spawn(executor, std::move(tasks.front()), asio::deferred));
  std::vector<Operation> operations;
  operations.reserve(tasks.size());
  for (auto& task : tasks)
    operations.push_back(asio::co_spawn(executor, std::move(task), asio::deferred));
  auto group = asio::experimental::make_parallel_group(std::move(operations));
  auto [order, exceptions, values] =
      co_await group.async_wait(asio::experimental::wait_for_all(), use_task);
  for (const auto& exception : exceptions) {
    if (exception) std::rethrow_exception(exception);
  }
  co_return std::move(values);
}

/// The same for tasks without a value.
inline Task<> when_all(std::vector<Task<>> tasks) {
  if (tasks.empty()) co_return;
  const auto executor = co_await asio::this_coro::executor;
  using Operation = decltype(asio::co_spawn(executor, std::move(tasks.front()), asio::deferred));
  std::vector<Operation> operations;
  operations.reserve(tasks.size());
  for (auto& task : tasks)
    operations.push_back(asio::co_spawn(executor, std::move(task), asio::deferred));
  auto group = asio::experimental::make_parallel_group(std::move(operations));
  auto [order, exceptions] =
      co_await group.async_wait(asio::experimental::wait_for_all(), use_task);
  for (const auto& exception : exceptions) {
    if (exception) std::rethrow_exception(exception);
  }
}

}  // namespace etcdmon::async
