// kit/loop_thread.hpp: a loop on a thread of its own, so that a test may block while it runs.
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <thread>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "async/task.hpp"

namespace etcdmon::kit {

/// For what is under test (a monitor, a client) beside a test that kills members and waits, and
/// for the kit's own servers.
///
/// Threads:  all functions from the test's thread; what is given to them runs on the loop's.
/// Lifetime: what runs on the loop must have ended, or hold what it refers to, on destruction.
class LoopThread {
 public:
  LoopThread();
  ~LoopThread();  ///< stop()
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  Executor executor() { return loop_.get_executor(); }

  /// What `function` returned, run on the loop. Its exception is thrown here.
  template <class Function>
  auto call(Function function) -> std::invoke_result_t<Function> {
    std::packaged_task<std::invoke_result_t<Function>()> job(std::move(function));
    auto result = job.get_future();
    asio::post(loop_, [&job] { job(); });
    return result.get();
  }

  /// The value of `task`, run to its end on the loop.
  template <class T>
  T run(Task<T> task) {
    auto result = asio::co_spawn(loop_, std::move(task), asio::use_future_t<>{});
    return result.get();
  }

  /// Ends the loop, whatever still waits on it, and joins its thread. Idempotent.
  void stop();

 private:
  Loop loop_{1};
  asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

}  // namespace etcdmon::kit
