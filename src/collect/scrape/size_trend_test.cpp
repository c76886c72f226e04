#include "collect/scrape/size_trend.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1000h};
constexpr double kMiB = 1U << 20U;

TEST(SizeTrend, NeedsTwoSizesAMinuteApart) {
  SizeTrend trend;
  EXPECT_FALSE(trend.after(4h));
  trend.add(kStart, 10 * kMiB);
  trend.add(kStart + 30s, 11 * kMiB);
  EXPECT_FALSE(trend.after(4h));
  trend.add(kStart + 60s, 12 * kMiB);
  EXPECT_NEAR(*trend.after(4h), (12 + 2 * 240) * kMiB, kMiB / 100);
}

TEST(SizeTrend, FollowsALineThroughFourHours) {
  SizeTrend trend;
  for (int minute = 0; minute <= 600; ++minute) {
    const double size = minute < 300 ? 100 : 100 + minute - 300;
    trend.add(kStart + std::chrono::minutes(minute), size * kMiB);
  }
  // The last four hours are 1 MiB a minute.
  EXPECT_NEAR(*trend.after(4h), (400 + 240) * kMiB, kMiB);
  EXPECT_LE(trend.memory_bytes(), 4096U);
}

TEST(SizeTrend, BeginsAnewBehindADefragmentation) {
  SizeTrend trend;
  for (int minute = 0; minute < 60; ++minute)
    trend.add(kStart + std::chrono::minutes(minute), (1000 + 10 * minute) * kMiB);
  trend.add(kStart + 60min, 100 * kMiB);
  EXPECT_FALSE(trend.after(4h));
  trend.add(kStart + 61min, 100 * kMiB);
  EXPECT_NEAR(*trend.after(4h), 100 * kMiB, kMiB);
}

TEST(SizeTrend, NeverFallsBelowNothing) {
  SizeTrend trend;
  trend.add(kStart, 100 * kMiB);
  trend.add(kStart + 1min, 95 * kMiB);
  EXPECT_EQ(trend.after(4h), 0);
}

}  // namespace
}  // namespace etcdmon::collect
