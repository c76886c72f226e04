#include "base/histogram.hpp"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace etcdmon {
namespace {

TEST(LogLinear, BucketsAreContiguousAndNarrow) {
  EXPECT_EQ(LogLinear::index_of(0), 0U);
  for (std::size_t i = 0; i + 1 < LogLinear::kBuckets; ++i) {
    const auto lower = LogLinear::lower_bound(i);
    const auto next = LogLinear::lower_bound(i + 1);
    ASSERT_LT(lower, next);
    ASSERT_EQ(LogLinear::index_of(lower), i);
    ASSERT_EQ(LogLinear::index_of(next - 1), i);
    const auto middle = static_cast<double>(LogLinear::middle(i));
    ASSERT_LE(std::abs(middle - static_cast<double>(lower)), 0.01 * static_cast<double>(lower));
    ASSERT_LE(std::abs(middle - static_cast<double>(next - 1)), 0.01 * static_cast<double>(next));
  }
  EXPECT_EQ(LogLinear::index_of(UINT64_MAX), LogLinear::kBuckets - 1);
}

TEST(Histogram, EmptyHasNoQuantile) {
  const Histogram none;
  EXPECT_EQ(none.quantile(0.5), std::nullopt);
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.min(), 0U);
  EXPECT_EQ(none.mean(), 0);
}

TEST(Histogram, QuantilesStayWithinOnePercentOfTheExactOnes) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latencies(std::log(2e6), 1.2);
  std::vector<std::uint64_t> all;
  Histogram whole;
  Histogram half[2];
  for (int i = 0; i < 100'000; ++i) {
    const auto value = static_cast<std::uint64_t>(latencies(random));
    all.push_back(value);
    whole.record(value);
    half[i % 2].record(value);
  }
  std::sort(all.begin(), all.end());
  half[0].merge(half[1]);
  for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    SCOPED_TRACE(q);
    const auto rank = std::max<double>(1, std::ceil(q * 100'000));
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(rank) - 1]);
    EXPECT_NEAR(static_cast<double>(*whole.quantile(q)), exact, exact * 0.01);
    EXPECT_EQ(whole.quantile(q), half[0].quantile(q));
  }
  EXPECT_EQ(*whole.quantile(0), all.front());
  EXPECT_EQ(*whole.quantile(1), all.back());
  EXPECT_EQ(half[0].count(), whole.count());
  EXPECT_NEAR(half[0].standard_deviation(), whole.standard_deviation(), 1);
}

TEST(Histogram, CountsRepetitionsAndBuckets) {
  Histogram h;
  h.record(10, 3);
  h.record(1000, 1);
  h.record(5, 0);
  EXPECT_EQ(h.count(), 4U);
  EXPECT_EQ(h.min(), 10U);
  EXPECT_EQ(*h.quantile(0.75), 10U);
  EXPECT_EQ(*h.quantile(0.76), 1000U);
  EXPECT_EQ(h.count_at_or_below(10), 3U);
  EXPECT_EQ(h.count_at_or_below(9), 0U);
  EXPECT_EQ(h.count_at_or_below(1000), 4U);
  std::uint64_t seen = 0;
  h.for_each_bucket([&](std::uint64_t, std::uint64_t n) { seen += n; });
  EXPECT_EQ(seen, 4U);
  h.reset();
  EXPECT_EQ(h.count(), 0U);
}

TEST(Histogram, HugeValuesShareTheLastBucketAndKeepTheirMaximum) {
  Histogram h;
  h.record(std::uint64_t{1} << 60U);
  h.record(1);
  EXPECT_EQ(*h.quantile(1), std::uint64_t{1} << 60U);
  EXPECT_EQ(*h.quantile(0.5), 1U);
}

}  // namespace
}  // namespace etcdmon
