#include "async/task.hpp"

#include <exception>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace etcdmon::async {

Task<Executor> this_executor() {
  co_return co_await asio::this_coro::executor;
}

Task<> sleep_until(std::chrono::steady_clock::time_point when) {
  Timer timer(co_await asio::this_coro::executor, when);
  co_await timer.async_wait(use_task);
}

Task<> sleep_for(std::chrono::nanoseconds duration) {
  return sleep_until(std::chrono::steady_clock::now() + duration);
}

Task<> yield() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, use_task);
}

bool is_cancelled(const std::exception_ptr& exception) {
  if (!exception) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace etcdmon::async
