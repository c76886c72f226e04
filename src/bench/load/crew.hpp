// bench/load/crew.hpp: a fixed number of threads that work in step.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace etcdmon::bench {

/// Each worker keeps its thread for life: what nghttp2 allocates belongs to the thread.
class Crew {
 public:
  explicit Crew(std::size_t size);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  std::size_t size() const { return threads_.size(); }

  /// Runs job(i) on the thread i, for all at once, and returns when all are over; `meanwhile` is
  /// called some ten times a second on the calling thread.
  void run(const std::function<void(std::size_t)>& job,
           const std::function<void()>& meanwhile = {});

 private:
  void work(std::size_t index);

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void(std::size_t)>* job_ = nullptr;
  std::size_t round_ = 0;
  std::size_t running_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace etcdmon::bench
