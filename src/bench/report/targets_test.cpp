#include "bench/report/targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench::report {
namespace {

using namespace std::chrono_literals;
using Outcome = TargetVerdict::Outcome;

constexpr std::uint64_t kMs = 1'000'000;

// One second of a run.
RunResult run_of(std::string workload, std::uint64_t reads, std::uint64_t writes,
                 std::uint64_t latency = kMs) {
  RunResult result;
  result.workload = std::move(workload);
  result.measured = 1s;
  result.succeeded = reads + writes;
  if (reads > 0) result.operations.push_back({.name = "read", .succeeded = reads});
  if (writes > 0) result.operations.push_back({.name = "write", .succeeded = writes});
  result.latency.record(latency, reads + writes);
  return result;
}

TEST(Targets, Rates) {
  const struct {
    const char* about;
    RunResult result;
    double offered;
    const char* limited;
    Outcome outcome;
  } cases[] = {
      {"reads enough", run_of("read", 40'000, 0), 0, "", Outcome::kMet},
      {"reads too few", run_of("read", 39'999, 0), 0, "", Outcome::kMissed},
      {"writes enough", run_of("write", 0, 20'000), 0, "", Outcome::kMet},
      {"writes too few", run_of("write", 0, 19'999), 0, "", Outcome::kMissed},
      {"half of both", run_of("mixed", 20'000, 10'000), 0, "", Outcome::kMet},
      {"less than half of both", run_of("mixed", 19'000, 10'000), 0, "", Outcome::kMissed},
      {"less was asked for", run_of("read", 1'000, 0), 1'000, "", Outcome::kNotJudged},
      {"enough was asked for", run_of("read", 30'000, 0), 45'000, "", Outcome::kMissed},
      {"less of both was asked for", run_of("mixed", 7'000, 3'000), 10'000, "",
       Outcome::kNotJudged},
      {"the client was the limit", run_of("read", 30'000, 0), 0, "busy", Outcome::kNotJudged},
      {"reached although the client was the limit", run_of("read", 50'000, 0), 0, "busy",
       Outcome::kMet},
  };
  for (const auto& each : cases) {
    auto result = each.result;
    result.client.limited = each.limited;
    const auto verdicts = judge(result, each.offered, Targets{});
    ASSERT_EQ(verdicts.size(), 2U) << each.about;
    EXPECT_EQ(verdicts[0].outcome, each.outcome) << each.about << ": " << verdicts[0].why;
    EXPECT_FALSE(failed(verdicts)) << each.about << ": a default is only shown";
  }
}

TEST(Targets, Latency) {
  EXPECT_EQ(judge(run_of("read", 1, 0, 99 * kMs), 0, {})[1].outcome, Outcome::kMet);
  EXPECT_EQ(judge(run_of("read", 1, 0, 101 * kMs), 0, {})[1].outcome, Outcome::kMissed);
  EXPECT_EQ(judge(run_of("read", 0, 0), 0, {})[1].outcome, Outcome::kMissed) << "nothing succeeded";
  auto limited = run_of("read", 1, 0, 101 * kMs);
  limited.client.limited = "busy";
  EXPECT_EQ(judge(limited, 0, {})[1].outcome, Outcome::kNotJudged);
}

TEST(Targets, OtherWorkloadsHaveNoRate) {
  const auto verdicts = judge(run_of("txn", 0, 0), 0, {});
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(verdicts[0].name, "P99");
}

TEST(Targets, WhatIsSetIsEnforced) {
  const auto result = run_of("read", 1'000, 0, 5 * kMs);
  EXPECT_FALSE(failed(judge(result, 0, {})));
  EXPECT_TRUE(failed(judge(result, 0, {.read_rate = 1'001})));
  EXPECT_FALSE(failed(judge(result, 0, {.read_rate = 1'000})));
  EXPECT_TRUE(failed(judge(result, 0, {.p99 = 4ms})));
  EXPECT_FALSE(failed(judge(result, 0, {.p99 = 6ms})));
  EXPECT_FALSE(failed(judge(result, 0, {.write_rate = 1e6}))) << "nothing was written";
}

}  // namespace
}  // namespace etcdmon::bench::report
