#include "collect/scrape/probe_window.hpp"

#include <gtest/gtest.h>

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;

SteadyTime at(Duration since) {
  return SteadyTime{} + 1000h + since;
}

TEST(ProbeWindow, EmptySaysNothing) {
  const ProbeWindow window;
  EXPECT_EQ(window.quantiles(at(0s)).count, 0U);
  EXPECT_EQ(window.quantiles(at(0s)).p50, std::nullopt);
  EXPECT_EQ(window.short_median(at(0s)), std::nullopt);
}

TEST(ProbeWindow, QuantilesNeedTheirNumberOfProbes) {
  ProbeWindow window;
  for (int i = 1; i <= 100; ++i) {
    window.add(i * 1ms, at(i * 1s));
    const auto& now = window.quantiles(at(i * 1s));
    ASSERT_EQ(now.count, static_cast<std::size_t>(i));
    EXPECT_TRUE(now.p50);
    EXPECT_EQ(now.p95.has_value(), i >= 20);
    EXPECT_EQ(now.p99.has_value(), i >= 100);
  }
  const auto& all = window.quantiles(at(100s));
  EXPECT_NEAR(*all.p50, 0.050, 0.0005);
  EXPECT_NEAR(*all.p95, 0.095, 0.00095);
  EXPECT_NEAR(*all.p99, 0.099, 0.00099);
}

TEST(ProbeWindow, SlidesExactly) {
  ProbeWindow window;
  for (int i = 0; i < 30; ++i) window.add(5ms, at(i * 30s));
  EXPECT_EQ(window.quantiles(at(870s)).count, 21U);
  EXPECT_EQ(window.quantiles(at(870s + 29s)).count, 20U);
  EXPECT_EQ(window.quantiles(at(870s + 10min)).count, 1U);
  EXPECT_EQ(window.quantiles(at(870s + 10min + 1s)).count, 0U);
}

TEST(ProbeWindow, TheShortMedianSeesTheLastMinuteOnly) {
  ProbeWindow window;
  window.add(900ms, at(0s));
  window.add(100ms, at(40s));
  window.add(120ms, at(80s));
  window.add(500ms, at(90s));
  EXPECT_NEAR(*window.short_median(at(90s)), 0.12, 0.0012);
  EXPECT_NEAR(*window.short_median(at(59s)), 0.10, 0.5);
  EXPECT_EQ(window.short_median(at(151s)), std::nullopt);
}

TEST(ProbeWindow, KeepsTenMinutesOfPulsesAndNoMore) {
  ProbeWindow window;
  for (int i = 0; i < 100'000; ++i)
    window.add(std::chrono::microseconds(200 + i % 100), at(i * 1s));
  const auto& last = window.quantiles(at(99'999s));
  EXPECT_EQ(last.count, 601U);
  EXPECT_NEAR(*last.p50, 250e-6, 3e-6);
  EXPECT_LT(window.memory_bytes(), 20'000U);
}

TEST(ProbeWindow, AFloodDropsTheOldest) {
  ProbeWindow window;
  for (int i = 0; i < 50'000; ++i) window.add(1ms, at(i * 1ms));
  EXPECT_LE(window.quantiles(at(50s)).count, ProbeWindow::kMaxSamples);
  EXPECT_GE(window.quantiles(at(50s)).count, ProbeWindow::kMaxSamples / 2);
}

TEST(ProbeWindow, SurvivesTimesOutOfOrderAndNegativeDurations) {
  ProbeWindow window;
  window.add(5ms, at(10s));
  window.add(-5ms, at(9s));
  window.add(Duration::max(), at(8s));
  EXPECT_EQ(window.quantiles(at(10s)).count, 3U);
}

}  // namespace
}  // namespace etcdmon::collect
