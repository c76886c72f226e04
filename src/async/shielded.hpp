// async/shielded.hpp: work that must finish even when its caller is cancelled.
#pragma once

#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/task.hpp"

namespace etcdmon::async {

/// Runs `task` to its end whatever happens to the caller: settling an outbox entry, writing the
/// audit log, revoking a lease. Bound it by a deadline of its own.
template <class T>
Task<T> shielded(Task<T> task) {
  const auto executor = co_await asio::this_coro::executor;
  auto unbound = asio::bind_cancellation_slot(asio::cancellation_slot{}, use_task);
  co_return co_await asio::co_spawn(executor, std::move(task), std::move(unbound));
}

}  // namespace etcdmon::async
