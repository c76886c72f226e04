// async/retry.hpp: when to try again: a pure value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace etcdmon::async {

using Random = std::mt19937_64;

/// Exponential backoff with full jitter: attempt n waits a random time in [0, min(cap, base ×
/// 2^(n-1))], so that many clients of one failed server do not come back in step.
struct RetryPolicy {
  std::chrono::milliseconds base{100};
  std::chrono::milliseconds cap{10'000};
  /// Waits are never shorter than this, whatever the dice say.
  std::chrono::milliseconds floor{0};
  /// Attempts in all; 0 is without end.
  int max_attempts = 0;

  /// The wait before the attempt after `attempt` (1 is the first), or nullopt to give up.
  std::optional<std::chrono::milliseconds> next(int attempt, Random& random) const;
};

}  // namespace etcdmon::async
