#include "collect/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;

SteadyTime at(Duration d) {
  return SteadyTime(d);
}

TEST(Timeline, KeepsItsRhythmAndCountsWhatItMissed) {
  Timeline timeline;
  const auto id = timeline.add(1s, 300ms, at(10s));
  EXPECT_EQ(timeline.next(), at(10300ms));
  EXPECT_TRUE(timeline.pop_due(at(10299ms)).empty());
  auto due = timeline.pop_due(at(10305ms));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].scheduled, at(10300ms));
  EXPECT_EQ(due[0].missed, 0U);
  EXPECT_EQ(timeline.next(), at(11300ms));
  // Asleep for 30 s: one run, not thirty.
  due = timeline.pop_due(at(41305ms));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].missed, 30U);
  EXPECT_EQ(timeline.next(), at(42300ms));
  timeline.remove(id);
  EXPECT_EQ(timeline.next(), SteadyTime::max());
}

TEST(Timeline, SlotsBringNeighboursTogether) {
  Timeline timeline;
  timeline.add(1s, 301ms, at(10s));
  timeline.add(1s, 307ms, at(10s));
  EXPECT_EQ(timeline.next(), at(10310ms));
  EXPECT_EQ(timeline.pop_due(at(10310ms)).size(), 2U);
}

TEST(Timeline, BringForwardKeepsTheRhythmAfterwards) {
  Timeline timeline;
  const auto id = timeline.add(30s, 0s, at(1s));
  timeline.bring_forward(id, at(5s));
  EXPECT_EQ(timeline.pop_due(at(5s)).size(), 1U);
  EXPECT_EQ(timeline.next(), at(30s));
  timeline.bring_forward(id, at(40s));  // later than planned: nothing changes
  EXPECT_EQ(timeline.next(), at(30s));
}

TEST(PhaseOf, IsStableAndInside) {
  EXPECT_EQ(phase_of("prod/8e9e05c52164694d", 10s), phase_of("prod/8e9e05c52164694d", 10s));
  for (const auto* name : {"a", "b", "c", ""}) {
    EXPECT_GE(phase_of(name, 10s), 0s);
    EXPECT_LT(phase_of(name, 10s), 10s);
  }
}

}  // namespace
}  // namespace etcdmon::collect
