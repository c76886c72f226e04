#include "bench/load/tally.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::SizeIs;

constexpr OperationKind kKinds[] = {{"read"}, {"put", false}};

TEST(Totals, MergeSecondsOfAllWorkers) {
  Totals totals(kKinds, 2);
  Tally first(2);
  Tally second(2);
  first.succeed(0, 1ms);
  first.succeed(1, 50ms);
  first.fail(0, ErrorCode::kUnavailable, "gone");
  second.succeed(0, 3ms);
  totals.take(0, 1s, first);
  EXPECT_EQ(totals.last().seconds, 0U);  // the other one has still to say
  totals.take(0, 1s, second);
  EXPECT_EQ(totals.last().seconds, 1U);
  EXPECT_EQ(totals.last().rate, 2);

  second.fail(0, ErrorCode::kUnavailable, "later");
  second.backlog = 7;
  totals.take(1, 500ms, second);
  totals.leave();
  totals.leave();

  RunResult result;
  totals.give(result);
  EXPECT_EQ(result.succeeded, 2U);
  EXPECT_EQ(result.failed, 2U);
  EXPECT_EQ(result.latency.count(), 2U);
  EXPECT_EQ(result.latency.max(), 3'000'000U);
  EXPECT_THAT(result.operations, ElementsAre(Field(&OperationResult::succeeded, 2),
                                             Field(&OperationResult::succeeded, 1)));
  ASSERT_THAT(result.errors, SizeIs(1));
  EXPECT_EQ(result.errors.begin()->second.count, 2U);
  EXPECT_EQ(result.errors.begin()->second.example, "gone");
  ASSERT_THAT(result.seconds, SizeIs(2));
  EXPECT_EQ(result.seconds[0].failed, 1U);
  EXPECT_EQ(result.seconds[1].at, 1s);
  EXPECT_EQ(result.seconds[1].length, 500ms);
  EXPECT_EQ(result.client.backlog_max, 7U);
}

TEST(Totals, AWorkerThatLeftIsNotWaitedFor) {
  Totals totals(kKinds, 2);
  Tally tally(2);
  tally.succeed(0, 1ms);
  totals.leave();
  totals.take(0, 1s, tally);
  EXPECT_EQ(totals.last().seconds, 1U);
}

TEST(Totals, TheWorkerCountsOnFromNothing) {
  Totals totals(kKinds, 1);
  Tally tally(2);
  for (int second = 0; second < 3; ++second) {
    tally.succeed(0, 1ms);
    tally.fail(0, ErrorCode::kAborted, "x");
    totals.take(second, 1s, tally);
  }
  totals.leave();
  RunResult result;
  totals.give(result);
  EXPECT_EQ(result.succeeded, 3U);
  EXPECT_EQ(result.failed, 3U);
  EXPECT_EQ(result.latency.count(), 3U);
}

}  // namespace
}  // namespace etcdmon::bench
