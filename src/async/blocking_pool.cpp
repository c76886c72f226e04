#include "async/blocking_pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <pthread.h>

#include "async/event.hpp"
#include "base/assert.hpp"

namespace etcdmon::async {

struct BlockingPool::Shared {
  struct Job {
    Executor executor;
    std::shared_ptr<Call> call;
  };

  Shared(std::string pool_name, std::size_t queue) : name(std::move(pool_name)), limit(queue) {}

  const std::string name;
  const std::size_t limit;
  Event ended;  // the loop only

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::deque<Job> waiting;
  std::vector<std::shared_ptr<Call>> running;
  std::size_t serving = 0;
  bool closing = false;
  bool abandoned = false;  // the loop may be gone: nothing is posted any more
  std::optional<Executor> closer;
};

namespace {

Error closed(std::string_view name) {
  return Error{ErrorCode::kUnavailable, fmt::format("{} is closing", name), Cause::kLocal};
}

// Signals are for the thread that runs the loop.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

void BlockingPool::serve(std::shared_ptr<Shared> shared) {
  ::pthread_setname_np(::pthread_self(), shared->name.substr(0, 15).c_str());
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->closing || !shared->waiting.empty(); });
    if (shared->closing) break;
    const Shared::Job job = std::move(shared->waiting.front());
    shared->waiting.pop_front();
    shared->running.push_back(job.call);
    lock.unlock();
    if (!job.call->dropped) job.call->work();
    lock.lock();
    std::erase(shared->running, job.call);
    if (!shared->abandoned) asio::post(job.executor, [call = job.call] { call->deliver(); });
  }
  --shared->serving;
  if (shared->serving == 0 && shared->closer && !shared->abandoned) {
    asio::post(*shared->closer, [shared] { shared->ended.set(); });
  }
}

BlockingPool::BlockingPool(Options options)
    : shared_(std::make_shared<Shared>(std::move(options.name), options.queue)) {
  ETCDMON_ASSERT(options.threads > 0);
  const SignalsBlocked blocked;
  shared_->serving = options.threads;
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back(serve, shared_);
}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    shared_->abandoned = true;
  }
  shared_->changed.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.detach();
  }
}

Result<void> BlockingPool::enqueue(Executor executor, std::shared_ptr<Call> call) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->closing) return closed(shared_->name);
    if (shared_->waiting.size() >= shared_->limit) {
      return Error{ErrorCode::kResourceExhausted,
                   fmt::format("{}: {} jobs are waiting already", shared_->name, shared_->limit),
                   Cause::kLocal};
    }
    shared_->waiting.push_back({executor, std::move(call)});
  }
  shared_->changed.notify_one();
  return {};
}

Task<bool> BlockingPool::close(Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  std::deque<Shared::Job> refused;
  bool serving = false;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    shared_->closer = executor;
    refused.swap(shared_->waiting);
    serving = shared_->serving > 0;
  }
  shared_->changed.notify_all();
  for (const auto& job : refused) job.call->refuse(closed(shared_->name));
  if (serving) serving = !co_await shared_->ended.wait_until(deadline);
  if (serving) {
    std::vector<std::shared_ptr<Call>> left;
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->abandoned = true;
      left = shared_->running;
    }
    for (const auto& call : left) call->refuse(closed(shared_->name));
  }
  for (auto& thread : threads_) serving ? thread.detach() : thread.join();
  threads_.clear();
  co_return !serving;
}

std::size_t BlockingPool::queued() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->waiting.size();
}

}  // namespace etcdmon::async
