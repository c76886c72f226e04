#include "async/retry.hpp"

#include <algorithm>

namespace etcdmon::async {

std::optional<std::chrono::milliseconds> RetryPolicy::next(int attempt, Random& random) const {
  if (max_attempts != 0 && attempt >= max_attempts) return std::nullopt;
  const int doublings = std::clamp(attempt - 1, 0, 30);
  const auto ceiling = std::min<std::int64_t>(cap.count(), base.count() << doublings);
  std::uniform_int_distribution<std::int64_t> dice(0, std::max<std::int64_t>(ceiling, 0));
  return std::max(floor, std::chrono::milliseconds(dice(random)));
}

}  // namespace etcdmon::async
