#include "bench/load/rate_search.hpp"

#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

// What is found where the cluster serves up to `capacity`, and in how many steps.
std::pair<std::optional<double>, int> find(Search search, double capacity) {
  RateSearch rates(search);
  int steps = 0;
  while (const auto rate = rates.next()) {
    rates.tell(*rate <= capacity);
    if (++steps > 100) break;
  }
  return {rates.best(), steps};
}

TEST(RateSearch, FindsTheCapacity) {
  for (const double capacity : {3.0, 999.0, 1'000.0, 12'345.0, 700'000.0}) {
    const auto [best, steps] = find({.from = 1'000, .precision = 0.05}, capacity);
    ASSERT_TRUE(best) << capacity;
    EXPECT_LE(*best, capacity);
    EXPECT_GE(*best, capacity * 0.94) << capacity;
    EXPECT_LE(steps, 20) << capacity;
  }
}

TEST(RateSearch, EndsAtItsLimits) {
  const auto [most, steps] = find({.from = 1'000, .max = 5'000}, 1e9);
  EXPECT_EQ(most, 5'000);
  EXPECT_EQ(steps, 4);
  EXPECT_EQ(find({.from = 1'000}, 0.5).first, std::nullopt);
}

}  // namespace
}  // namespace etcdmon::bench
