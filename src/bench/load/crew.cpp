#include "bench/load/crew.hpp"

#include <chrono>

namespace etcdmon::bench {

namespace {

constexpr std::chrono::milliseconds kMeanwhileEvery{100};

}  // namespace

Crew::Crew(std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) threads_.emplace_back([this, i] { work(i); });
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Crew::run(const std::function<void(std::size_t)>& job,
               const std::function<void()>& meanwhile) {
  std::unique_lock lock(mutex_);
  job_ = &job;
  running_ = threads_.size();
  ++round_;
  changed_.notify_all();
  while (running_ > 0) {
    changed_.wait_for(lock, kMeanwhileEvery, [this] { return running_ == 0; });
    if (running_ == 0 || !meanwhile) continue;
    lock.unlock();
    meanwhile();
    lock.lock();
  }
}

void Crew::work(std::size_t index) {
  std::size_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this, seen] { return over_ || round_ != seen; });
    if (over_) return;
    seen = round_;
    const auto* job = job_;
    lock.unlock();
    (*job)(index);
    lock.lock();
    if (--running_ == 0) changed_.notify_all();
  }
}

}  // namespace etcdmon::bench
