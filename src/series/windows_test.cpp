#include "series/windows.hpp"

#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::series {
namespace {

using namespace std::chrono_literals;

constexpr double kInf = std::numeric_limits<double>::infinity();

SteadyTime at(int seconds) {
  return SteadyTime{} + std::chrono::seconds(seconds);
}

struct CounterCase {
  const char* name;
  std::vector<double> values;  ///< one every 10 s from 0 s on
  std::optional<double> increase;
  friend std::ostream& operator<<(std::ostream& os, const CounterCase& c) { return os << c.name; }
};

class Increase : public testing::TestWithParam<CounterCase> {};

TEST_P(Increase, CountsResets) {
  CounterWindow window;
  int t = 0;
  for (const double value : GetParam().values) window.add(at(10 * t++), value);
  EXPECT_EQ(window.increase(), GetParam().increase);
  if (!GetParam().increase) return;
  EXPECT_DOUBLE_EQ(*window.rate(), *GetParam().increase / (10 * (t - 1)));
}

INSTANTIATE_TEST_SUITE_P(Table, Increase,
                         testing::Values(CounterCase{"Nothing", {}, std::nullopt},
                                         CounterCase{"One", {5}, std::nullopt},
                                         CounterCase{"Still", {5, 5, 5}, 0},
                                         CounterCase{"Rising", {5, 7, 17}, 12},
                                         CounterCase{"ResetToZero", {100, 110, 0, 4}, 14},
                                         CounterCase{"ResetAndPast", {100, 110, 7, 4}, 21},
                                         CounterCase{"ResetAtOnce", {100, 3}, 3}),
                         testing::PrintToStringParamName());

TEST(CounterWindow, AKnownRestartIsAResetEvenWhenTheValueGrew) {
  CounterWindow window;
  window.add(at(0), 10);
  window.add(at(10), 12);
  window.add(at(20), 50, true);
  window.add(at(30), 51);
  EXPECT_EQ(window.increase(), 2 + 50 + 1);
}

// The expectations are what PromQL's increase() gives for the same samples.
TEST(CounterWindow, ExtrapolatesAsPrometheusDoes) {
  CounterWindow even;
  for (int i = 0; i <= 4; ++i) even.add(at(15 + 60 * i), 100 + 60 * i);
  EXPECT_DOUBLE_EQ(*even.extrapolated_increase(at(0), at(300)), 300);

  CounterWindow young;  // began at 0 inside the window: not stretched below 0
  for (int i = 0; i <= 2; ++i) young.add(at(200 + 30 * i), 10 * i);
  EXPECT_DOUBLE_EQ(*young.extrapolated_increase(at(0), at(300)), 20 * (60.0 + 15) / 60);

  CounterWindow ended;
  for (int i = 0; i <= 2; ++i) ended.add(at(30 * i), 1000 + 10 * i);
  EXPECT_DOUBLE_EQ(*ended.extrapolated_increase(at(0), at(300)), 20 * (60.0 + 15) / 60);

  EXPECT_EQ(CounterWindow().extrapolated_increase(at(0), at(300)), std::nullopt);
}

TEST(GaugeWindow, Summarises) {
  GaugeWindow window;
  EXPECT_EQ(window.average(), std::nullopt);
  EXPECT_EQ(window.last(), std::nullopt);
  window.add(at(0), 4);
  EXPECT_EQ(window.delta(), std::nullopt);
  window.add(at(10), -2);
  window.add(at(20), 10);
  EXPECT_EQ(window.min(), -2);
  EXPECT_EQ(window.max(), 10);
  EXPECT_EQ(window.average(), 4);
  EXPECT_EQ(window.last(), 10);
  EXPECT_EQ(window.delta(), 6);
  EXPECT_DOUBLE_EQ(*window.slope(), 0.3);
}

struct QuantileCase {
  const char* name;
  double q;
  std::vector<double> bounds;
  std::vector<double> counts;
  std::optional<double> want;
  friend std::ostream& operator<<(std::ostream& os, const QuantileCase& c) { return os << c.name; }
};

class Quantile : public testing::TestWithParam<QuantileCase> {};

TEST_P(Quantile, IsWhatPrometheusSays) {
  const auto got = histogram_quantile(GetParam().q, GetParam().bounds, GetParam().counts);
  ASSERT_EQ(got.has_value(), GetParam().want.has_value());
  if (got) {
    EXPECT_DOUBLE_EQ(*got, *GetParam().want);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Quantile,
    testing::Values(
        // Prometheus' own test vectors: buckets 0.1, 0.2, 1 with 50, 100, 150 (cumulative), +Inf
        // 200.
        QuantileCase{"FirstBucket", 0.1, {0.1, 0.2, 1, kInf}, {50, 50, 50, 50}, 0.04},
        QuantileCase{"Middle", 0.5, {0.1, 0.2, 1, kInf}, {50, 50, 50, 50}, 0.2},
        QuantileCase{"Interpolated", 0.6, {0.1, 0.2, 1, kInf}, {50, 50, 50, 50}, 0.52},
        QuantileCase{"IntoInfinity", 0.9, {0.1, 0.2, 1, kInf}, {50, 50, 50, 50}, 1},
        QuantileCase{"Zero", 0, {0.1, 0.2, 1, kInf}, {50, 50, 50, 50}, 0},
        QuantileCase{"One", 1, {0.1, 0.2, 1, kInf}, {50, 50, 50, 0}, 1},
        QuantileCase{"NegativeFirstBound", 0.1, {-1, 1, kInf}, {5, 5, 0}, -1},
        QuantileCase{"EmptyBucketsBetween", 0.75, {1, 2, 3, 4, kInf}, {2, 0, 0, 2, 0}, 3.5},
        QuantileCase{"NegativeCountsAreZero", 0.5, {1, 2, kInf}, {-4, 2, 0}, 1.5},
        QuantileCase{"NothingCounted", 0.5, {1, 2, kInf}, {0, 0, 0}, std::nullopt},
        QuantileCase{"NoInfinity", 0.5, {1, 2}, {1, 1}, std::nullopt},
        QuantileCase{"OnlyInfinity", 0.5, {kInf}, {1}, std::nullopt},
        QuantileCase{"LengthsDiffer", 0.5, {1, kInf}, {1}, std::nullopt},
        QuantileCase{"QTooLarge", 1.1, {1, kInf}, {1, 1}, std::nullopt}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace etcdmon::series
