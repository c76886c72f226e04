// async/task.hpp: the coroutine type and the few Asio names that the rest of the program uses.
#pragma once

#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.hpp"

namespace etcdmon {

namespace asio = boost::asio;

using Loop = asio::io_context;
using Executor = asio::io_context::executor_type;

/// A coroutine on the loop. The executor type is concrete on purpose: any_io_executor costs
/// twice as much for each hop.
template <class T = void>
using Task = asio::awaitable<T, Executor>;

/// Completion tokens for Asio operations inside a Task: errors as exceptions, or as a tuple.
inline constexpr asio::use_awaitable_t<Executor> use_task{};
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> as_result{use_task};

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

namespace async {

/// The executor of the running coroutine.
Task<Executor> this_executor();

/// Cancel: ends at once with operation_aborted.
Task<> sleep_for(std::chrono::nanoseconds duration);
Task<> sleep_until(std::chrono::steady_clock::time_point when);

/// Gives the loop a chance to do other work. Work on the loop yields after 2 ms.
Task<> yield();

/// True for the exception that only means "cancelled": shutdown is not an error.
bool is_cancelled(const std::exception_ptr& exception);

}  // namespace async
}  // namespace etcdmon
