#include "app/benchmark/fitness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/benchmark/prefix_claim.hpp"

namespace etcdmon::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = 1U << 20U;

// A healthy, idle cluster of three with a tenth of its quota in use.
model::ClusterView idle() {
  model::ClusterView view;
  view.cluster = "prod";
  view.assessment.healthy = true;
  view.assessment.quorum = {.voters = 3, .quorum_size = 2, .available = 3, .has_quorum = true};
  view.metrics.request_rate = 20;
  view.metrics.db_size = 200 * kMiB;
  view.metrics.db_quota = 2'048 * kMiB;
  return view;
}

bench::RunSpec small_run() {
  return bench::spec_of(bench::Options{}, "write", 10'000);
}

TEST(Fitness, AnIdleHealthyClusterIsFit) {
  const auto fitness = judge_fitness(idle(), {}, small_run());
  EXPECT_THAT(fitness.objections, IsEmpty());
  EXPECT_THAT(fitness.doubts, IsEmpty());
}

TEST(Fitness, WhatIsNotFitIsSaidAndMayBeForced) {
  const struct {
    const char* about;
    void (*change)(model::ClusterView&, bench::Options&, bench::RunSpec&);
    const char* text;
    bool forceable;
  } cases[] = {
      {"no quorum", [](auto& view, auto&, auto&) { view.assessment.quorum.has_quorum = false; },
       "no quorum", false},
      {"nobody answers", [](auto& view, auto&, auto&) { view.assessment.quorum.available = 0; },
       "nobody answers", false},
      {"too few answer, and it is not judged yet",
       [](auto& view, auto&, auto&) {
         view.assessment.quorum.available = 1;
         view.assessment.quorum.has_quorum.reset();
       },
       "no quorum", false},
      {"not known", [](auto& view, auto&, auto&) { view.assessment.healthy.reset(); },
       "could not find out", true},
      {"a member is away",
       [](auto& view, auto&, auto&) {
         view.assessment.healthy = false;
         view.assessment.verdicts.push_back({.check = model::Check::kMemberUnreachable,
                                             .severity = model::Severity::kWarning,
                                             .subject = "m3",
                                             .summary = "m3 is unreachable"});
       },
       "MemberUnreachable: m3 is unreachable", true},
      {"near the quota", [](auto& view, auto&, auto&) { view.metrics.db_size = 1'900 * kMiB; },
       "of its quota of 2.0 GiB", true},
      {"near the quota afterwards", [](auto&, auto&, auto& spec) { spec.ops = 10'000'000; },
       "the run writes about", true},
      {"busy", [](auto& view, auto&, auto&) { view.metrics.request_rate = 501; },
       "serves 501 requests a second of its own", true},
      {"busy for its owner", [](auto&, auto& options, auto&) { options.safety.busy_above = 10; },
       "requests a second", true},
  };
  for (const auto& each : cases) {
    auto view = idle();
    bench::Options options;
    auto spec = small_run();
    each.change(view, options, spec);
    const auto fitness = judge_fitness(view, options, spec);
    ASSERT_EQ(fitness.objections.size(), 1U) << each.about;
    EXPECT_THAT(fitness.objections[0].text, HasSubstr(each.text)) << each.about;
    EXPECT_EQ(fitness.objections[0].forceable, each.forceable) << each.about;
  }
}

TEST(Fitness, ATestClusterMayBeBusy) {
  auto view = idle();
  view.metrics.request_rate = 50'000;
  bench::Options options;
  options.safety.test_cluster = true;
  EXPECT_THAT(judge_fitness(view, options, small_run()).objections, IsEmpty());
}

TEST(Fitness, WhatIsNotKnownIsADoubtAndNoObjection) {
  auto view = idle();
  view.metrics.request_rate.reset();
  view.metrics.db_quota.reset();
  const auto fitness = judge_fitness(view, {}, small_run());
  EXPECT_THAT(fitness.objections, IsEmpty());
  EXPECT_EQ(fitness.doubts.size(), 2U);
}

TEST(EndOfPrefix, Table) {
  EXPECT_EQ(end_of_prefix("/a/"), "/a0");
  EXPECT_EQ(end_of_prefix("a\xff"), "b");
  EXPECT_EQ(end_of_prefix("\xff\xff"), std::string(1, '\0'));
}

}  // namespace
}  // namespace etcdmon::app
