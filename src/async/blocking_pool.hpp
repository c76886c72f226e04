// async/blocking_pool.hpp: a few threads for work that would hold the loop up: files, password
// hashes.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "async/one_shot.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::async {

/// Threads that run jobs in the order given and hand their values back to the loop.
///
/// Threads:  the loop only; jobs run on the pool's threads.
/// Lifetime: must outlive the loop's last run() call. Destroying a pool that was not closed
///           abandons what runs: it goes on without us, and its value is dropped.
class BlockingPool {
 public:
  struct Options {
    std::string name = "pool";  ///< of the threads, 15 bytes are shown
    std::size_t threads = 2;
    std::size_t queue = 256;  ///< jobs that may wait for a thread
  };

  explicit BlockingPool(Options options);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Runs `job` on a thread of the pool: what it returned, wrapped in a Result unless it is one.
  /// An exception of the job is thrown here.
  /// Errors: those of the job; kResourceExhausted when the queue is full; kUnavailable once closed.
  /// Cancel: ends at once. A job that has not begun is skipped, one that runs loses its value.
  template <std::invocable Job>
  auto run(Job job);

  /// Refuses new jobs and those not begun, then waits for the running ones. False: some still ran
  /// at `deadline` and were abandoned; their waiters get kUnavailable.
  Task<bool> close(Deadline deadline);

  std::size_t queued() const;

 private:
  struct Shared;

  // One job and its waiter. Both ends hold it, so that either may go first.
  class Call {
   public:
    virtual ~Call() = default;
    virtual void work() = 0;               // on a thread of the pool
    virtual void deliver() = 0;            // on the loop
    virtual void refuse(Error error) = 0;  // on the loop
    std::atomic<bool> dropped = false;     // nobody waits any more
  };
  template <class Job>
  class CallOf;
  template <class Job>
  static auto wait_for(BlockingPool& pool, std::shared_ptr<CallOf<Job>> call)
      -> Task<typename CallOf<Job>::Value>;

  static void serve(std::shared_ptr<Shared> shared);
  Result<void> enqueue(Executor executor, std::shared_ptr<Call> call);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

namespace detail {
template <class T>
struct AsResult {
  using Type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using Type = Result<T>;
};
}  // namespace detail

template <class Job>
class BlockingPool::CallOf final : public Call {
 public:
  using Value = typename detail::AsResult<std::invoke_result_t<Job>>::Type;
  struct Outcome {
    std::exception_ptr exception;
    Value value;
  };

  explicit CallOf(Job job) : job_(std::move(job)) {}

  void work() override {
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Job>>) {
        (*job_)();
      } else {
        outcome_.value = (*job_)();
      }
    } catch (const std::exception&) {
      outcome_.exception = std::current_exception();
    }
    job_.reset();
  }
  void deliver() override { done.set(std::move(outcome_)); }
  void refuse(Error error) override { done.set(Outcome{nullptr, std::move(error)}); }

  OneShot<Outcome> done;

 private:
  std::optional<Job> job_;
  Outcome outcome_;
};

template <class Job>
auto BlockingPool::wait_for(BlockingPool& pool, std::shared_ptr<CallOf<Job>> call)
    -> Task<typename CallOf<Job>::Value> {
  // Marks the call when this frame goes, whichever way.
  struct Mark {
    Call& call;
    ~Mark() { call.dropped = true; }
  };
  const auto executor = co_await asio::this_coro::executor;
  auto queued = pool.enqueue(executor, call);
  if (!queued) co_return queued.error();
  const Mark mark{*call};
  auto outcome = co_await call->done.wait();
  if (outcome.exception) std::rethrow_exception(outcome.exception);
  co_return std::move(outcome.value);
}

template <std::invocable Job>
auto BlockingPool::run(Job job) {
  // The job moves into its call before the first suspension, in a plain function.
  return wait_for<Job>(*this, std::make_shared<CallOf<Job>>(std::move(job)));
}

}  // namespace etcdmon::async
