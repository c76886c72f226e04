#include "bench/load/pacer.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1'000s};

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

TEST(Pacer, IsEvenAndDoesNotDrift) {
  Pacer pacer({.rate = 3'000}, kStart);
  for (int i = 0; i < 3'000'000; ++i) pacer.advance();
  // A third of a microsecond each, lost, would be a second by now.
  EXPECT_NEAR(seconds(pacer.next() - kStart), 1'000, 1e-6);
}

TEST(Pacer, SeveralInterleave) {
  Pacer first({.rate = 10, .phase = 0}, kStart);
  Pacer second({.rate = 10, .phase = 0.5}, kStart);
  EXPECT_EQ(first.next(), kStart);
  EXPECT_EQ(second.next(), kStart + 50ms);
}

TEST(Pacer, KnowsNothingOfAnswers) {
  Pacer pacer({.rate = 100}, kStart);
  EXPECT_EQ(pacer.backlog(kStart - 1ms), 0);
  EXPECT_NEAR(pacer.backlog(kStart + 1s), 101, 0.5);
  pacer.advance();
  EXPECT_EQ(pacer.next(), kStart + 10ms);
}

TEST(Pacer, ArrivesByChanceAtTheSameRate) {
  Pacer pacer({.rate = 1'000, .arrivals = Load::Arrivals::kPoisson, .seed = 5}, kStart);
  double squares = 0;
  auto last = pacer.next();
  constexpr int kCount = 200'000;
  for (int i = 0; i < kCount; ++i) {
    pacer.advance();
    squares += std::pow(seconds(pacer.next() - last) * 1'000, 2);
    last = pacer.next();
  }
  EXPECT_NEAR(seconds(pacer.next() - kStart), kCount / 1'000.0, 2);
  EXPECT_NEAR(squares / kCount, 2, 0.1);  // of an exponential time of mean 1
}

TEST(Pacer, RampsEvenly) {
  const PacerOptions ramp{.rate = 100, .ramp_to = 300, .ramp = 10s, .ramp_from = 2s};
  Pacer pacer(ramp, kStart);
  EXPECT_EQ(pacer.rate_at(kStart + 1s), 100);
  EXPECT_NEAR(pacer.rate_at(kStart + 7s), 200, 1e-9);
  EXPECT_EQ(pacer.rate_at(kStart + 60s), 300);
  int in_ramp = 0;
  for (; pacer.next() < kStart + 12s; pacer.advance()) in_ramp += pacer.next() >= kStart + 2s;
  EXPECT_NEAR(in_ramp, 2'000, 20);  // the mean rate for ten seconds
}

}  // namespace
}  // namespace etcdmon::bench
