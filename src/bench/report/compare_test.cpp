#include "bench/report/compare.hpp"

#include <cmath>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench::report {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// Noise of which each value resembles the one before by `likeness`; its standard deviation is
// `spread` of `level`. Sums of uniforms, since std::normal_distribution differs from library to
// library.
Samples noise(double level, double spread, double likeness, std::size_t length, unsigned seed) {
  std::mt19937_64 random(seed);
  const auto normal = [&random] {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random() >> 11U) * 0x1p-53;
    return sum - 6;
  };
  Samples samples;
  double at = normal();
  for (std::size_t i = 0; i < length; ++i) {
    at = likeness * at + std::sqrt(1 - likeness * likeness) * normal();
    samples.push_back(level * std::max(0.01, 1 + spread * at));
  }
  return samples;
}

ComparedRun run_of(Samples rates, double latency = 5) {
  ComparedRun run{.name = "a.json", .workload = "write"};
  double sum = 0;
  for (const double rate : rates) sum += rate;
  run.throughput = sum / static_cast<double>(rates.size());
  run.p50s.assign(rates.size(), latency);
  run.p99s.assign(rates.size(), 2 * latency);
  run.p50 = latency;
  run.p99 = 2 * latency;
  run.rates = std::move(rates);
  run.settings = {{"clients", "10"}, {"value-size", "256B"}, {"duration", "60s"}};
  return run;
}

Change change(const ComparedRun& before, const ComparedRun& after, double margin = 0.05) {
  const auto comparison = compare({&before, 1}, {&after, 1}, margin);
  EXPECT_TRUE(comparison);
  return comparison ? comparison->change : Change::kUnknown;
}

TEST(BlockLength, GrowsWithLikeness) {
  EXPECT_LE(block_length(noise(100, 0.1, 0, 120, 1)), 4U);
  const auto some = block_length(noise(100, 0.1, 0.6, 120, 1));
  const auto much = block_length(noise(100, 0.1, 0.9, 120, 1));
  EXPECT_GT(some, 4U);
  EXPECT_GT(much, some);
  EXPECT_LE(much, 40U);
  EXPECT_EQ(block_length(Samples(120, 7.0)), 1U);
  EXPECT_EQ(block_length(Samples{}), 1U);
}

TEST(Ratio, SameArgumentsSameAnswer) {
  const std::vector<Samples> a{noise(1'000, 0.1, 0.5, 60, 1)};
  const std::vector<Samples> b{noise(1'000, 0.1, 0.5, 60, 2)};
  EXPECT_EQ(ratio_of(a, b, Middle::kMean), ratio_of(a, b, Middle::kMean));
  EXPECT_EQ(ratio_of(a, a, Middle::kMedian)->ratio, 1);
}

TEST(Ratio, HoldsWhatItMeasures) {
  const std::vector<Samples> a{noise(1'000, 0.05, 0, 60, 1)};
  const std::vector<Samples> b{noise(1'200, 0.05, 0, 60, 2)};
  for (const auto middle : {Middle::kMean, Middle::kMedian}) {
    const auto interval = ratio_of(a, b, middle);
    ASSERT_TRUE(interval);
    EXPECT_LT(interval->low, 1.2);
    EXPECT_GT(interval->high, 1.2);
    EXPECT_GT(interval->low, 1.1);
    EXPECT_LT(interval->high, 1.3);
  }
}

TEST(Ratio, SaysNothingOfShortOrEmptySeries) {
  const std::vector<Samples> enough{noise(1'000, 0.1, 0, kFewestSamples, 1)};
  const std::vector<Samples> few{noise(1'000, 0.1, 0, kFewestSamples - 1, 1)};
  EXPECT_TRUE(ratio_of(enough, enough, Middle::kMean));
  EXPECT_FALSE(ratio_of(few, enough, Middle::kMean));
  EXPECT_FALSE(ratio_of(enough, {}, Middle::kMean));
  const std::vector<Samples> zeros{Samples(kFewestSamples, 0.0)};
  EXPECT_FALSE(ratio_of(zeros, enough, Middle::kMean));
  EXPECT_FALSE(ratio_of(enough, zeros, Middle::kMedian));
}

TEST(Compare, Table) {
  const struct {
    const char* about;
    double after;
    double spread;
    double likeness;
    Change change;
  } cases[] = {{"the same", 1'000, 0.05, 0, Change::kNone},
               {"a fifth more", 1'200, 0.05, 0, Change::kBetter},
               {"a fifth less", 800, 0.05, 0, Change::kWorse},
               {"less than the margin", 960, 0.01, 0, Change::kNone},
               {"the same, each second like the one before", 1'000, 0.1, 0.7, Change::kNone},
               {"a third less, each second like the one before", 670, 0.1, 0.7, Change::kWorse},
               {"much more, in noise", 2'000, 0.2, 0.5, Change::kBetter}};
  for (const auto& each : cases) {
    const auto before = run_of(noise(1'000, each.spread, each.likeness, 60, 11));
    const auto after = run_of(noise(each.after, each.spread, each.likeness, 60, 29));
    EXPECT_EQ(change(before, after), each.change) << each.about;
  }
}

// A bare test of means would call every second or third of these a difference.
TEST(Compare, NoiseThatLastsIsNotTakenForADifference) {
  int wrong = 0;
  constexpr int kRuns = 40;
  for (unsigned seed = 0; seed < kRuns; ++seed) {
    const auto before = run_of(noise(1'000, 0.15, 0.8, 60, 2 * seed + 1));
    const auto after = run_of(noise(1'000, 0.15, 0.8, 60, 2 * seed + 2));
    if (change(before, after) != Change::kNone) ++wrong;
  }
  EXPECT_LE(wrong, 8);
}

TEST(Compare, LatencyCountsTheOtherWay) {
  const auto rates = noise(1'000, 0.02, 0, 60, 1);
  EXPECT_EQ(change(run_of(rates, 5), run_of(rates, 7)), Change::kWorse);
  EXPECT_EQ(change(run_of(rates, 5), run_of(rates, 4)), Change::kBetter);
}

TEST(Compare, ShortRunsCannotTell) {
  const auto run = run_of(noise(1'000, 0.1, 0, 5, 1));
  const auto comparison = compare({&run, 1}, {&run, 1}, 0.05);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->change, Change::kUnknown);
  EXPECT_THAT(comparison->remarks, Contains(HasSubstr("measure longer")));
  EXPECT_THAT(text(*comparison), HasSubstr("Verdict: cannot say\n"));
}

TEST(Compare, AClientsLimitIsNoThroughputOfTheCluster) {
  const auto before = run_of(noise(1'000, 0.02, 0, 60, 1));
  auto after = run_of(noise(2'000, 0.02, 0, 60, 2));
  after.limited = "the load loop was busy";
  const auto comparison = compare({&before, 1}, {&after, 1}, 0.05);
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->values[0].change, Change::kUnknown);
  EXPECT_EQ(comparison->change, Change::kUnknown);
}

TEST(Compare, DifferentThingsAreRefused) {
  const auto before = run_of(noise(1'000, 0.02, 0, 60, 1));
  auto other = before;
  other.workload = "read";
  EXPECT_THAT(compare({&before, 1}, {&other, 1}, 0.05).error().message,
              HasSubstr("cannot be compared"));
  other = before;
  other.open_loop = true;
  EXPECT_FALSE(compare({&before, 1}, {&other, 1}, 0.05));
  EXPECT_FALSE(compare({&before, 1}, {}, 0.05));
}

TEST(Compare, OtherSettingsAreTold) {
  const auto before = run_of(noise(1'000, 0.02, 0, 60, 1));
  auto after = before;
  after.settings = {{"clients", "100"}, {"value-size", "256B"}, {"duration", "90s"}};
  const auto comparison = compare({&before, 1}, {&after, 1}, 0.05);
  ASSERT_TRUE(comparison);
  EXPECT_THAT(comparison->remarks, Contains("--clients was 10, is 100"));
  EXPECT_THAT(comparison->remarks, Not(Contains(HasSubstr("duration"))));
}

TEST(Compare, SeveralRunsASideTellOfTheNoiseBetweenThem) {
  // Within each run it is calm; from run to run it jumps by a fifth.
  std::vector<ComparedRun> before;
  std::vector<ComparedRun> after;
  for (const double level : {900.0, 1'000.0, 1'100.0})
    before.push_back(run_of(noise(level, 0.01, 0, 60, 1)));
  for (const double level : {1'000.0, 1'200.0, 1'090.0})
    after.push_back(run_of(noise(level, 0.01, 0, 60, 2)));
  EXPECT_EQ(change(before[0], after[0]), Change::kBetter) << "one pair alone looks clear";
  EXPECT_EQ(compare(before, after, 0.05)->change, Change::kNone);
}

}  // namespace
}  // namespace etcdmon::bench::report
