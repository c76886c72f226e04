// bench/load/tokens.hpp: the one login of a run, shared by its threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace etcdmon::bench {

/// Authenticate is a raft proposal: workers that were refused wait for one new token.
///
/// Threads: any.
class Tokens {
 public:
  struct Current {
    std::string token;
    std::uint64_t generation = 0;
  };
  Current current() const {
    const std::lock_guard lock(mutex_);
    return {token_, generation_};
  }
  /// The token of this generation was refused.
  void refuse(std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    wanted_ = wanted_ || generation == generation_;
  }
  bool wanted() const {
    const std::lock_guard lock(mutex_);
    return wanted_;
  }
  void set(std::string token) {
    const std::lock_guard lock(mutex_);
    token_ = std::move(token);
    ++generation_;
    wanted_ = false;
  }

 private:
  mutable std::mutex mutex_;
  std::string token_;
  std::uint64_t generation_ = 0;
  bool wanted_ = false;
};

}  // namespace etcdmon::bench
