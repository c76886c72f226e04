#include "rpc/deadlines.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::rpc {
namespace {

using namespace std::chrono_literals;

struct Waiting final : UnaryExchange {
  explicit Waiting(SteadyTime when) { deadline = when; }
  void ready() override {}
};

constexpr SteadyTime kStart{1'000s};

TEST(Deadlines, EmptyHasNone) {
  Deadlines deadlines;
  EXPECT_EQ(deadlines.next(), SteadyTime::max());
  EXPECT_EQ(deadlines.pop_expired(SteadyTime::max()), nullptr);
}

TEST(Deadlines, WithoutDeadlineIsNotKept) {
  Deadlines deadlines;
  Waiting forever(Deadline::max());
  deadlines.add(forever, kStart);
  EXPECT_EQ(deadlines.next(), SteadyTime::max());
  deadlines.remove(forever);
}

TEST(Deadlines, SameTimeoutExpiresInOrder) {
  Deadlines deadlines;
  Waiting first(kStart + 1s);
  Waiting second(kStart + 5ms + 1s);
  deadlines.add(first, kStart);
  deadlines.add(second, kStart + 5ms);
  EXPECT_EQ(deadlines.next(), kStart + 1s);
  EXPECT_EQ(deadlines.pop_expired(kStart + 999ms), nullptr);
  EXPECT_EQ(deadlines.pop_expired(kStart + 1s), &first);
  EXPECT_EQ(deadlines.pop_expired(kStart + 1s), nullptr);
  EXPECT_EQ(deadlines.next(), kStart + 1005ms);
  deadlines.remove(second);
  EXPECT_EQ(deadlines.next(), SteadyTime::max());
}

TEST(Deadlines, ManyTimeoutsExpireExactly) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  Deadlines deadlines;
  std::vector<std::unique_ptr<Waiting>> kept;
  auto now = kStart;
  for (int step = 0; step < 20'000; ++step) {
    now += std::chrono::microseconds(random() % 3'000);
    const auto dice = random() % 3;
    if (dice == 0 || kept.size() > 300) {
      if (!kept.empty()) {
        const auto victim = kept.begin() + static_cast<std::ptrdiff_t>(random() % kept.size());
        deadlines.remove(**victim);
        kept.erase(victim);
      }
    } else {
      const auto timeout = dice == 1 ? std::chrono::microseconds(500'000)
                                     : std::chrono::microseconds(1 + random() % 900'000);
      kept.push_back(std::make_unique<Waiting>(now + timeout));
      deadlines.add(*kept.back(), now);
    }
    while (auto* expired = deadlines.pop_expired(now)) {
      ASSERT_LE(expired->deadline, now);
      ASSERT_EQ(std::erase_if(kept, [&](const auto& one) { return one.get() == expired; }), 1U);
    }
    auto earliest = SteadyTime::max();
    for (const auto& one : kept) earliest = std::min(earliest, one->deadline);
    ASSERT_EQ(deadlines.next(), earliest);
    ASSERT_GT(earliest, now);
  }
  for (const auto& one : kept) deadlines.remove(*one);
}

}  // namespace
}  // namespace etcdmon::rpc
