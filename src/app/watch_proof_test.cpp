#include "app/watch_proof.hpp"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app {
namespace {

using namespace std::chrono_literals;
using model::Check;
using model::Reach;
using notify::Pulse;

constexpr SteadyTime kStart{1'000s};

std::shared_ptr<model::ClusterView> view_of(std::vector<Cause> causes,
                                            std::optional<Check> check = std::nullopt) {
  auto view = std::make_shared<model::ClusterView>();
  view->version = 1;
  view->observation.pulse_rounds = 1;
  for (const auto cause : causes) {
    model::MemberAssessment member;
    member.cause = cause;
    member.reach = cause == Cause::kNone ? Reach::kReachable : Reach::kUnreachable;
    view->assessment.members.push_back(member);
  }
  view->assessment.healthy = std::ranges::all_of(causes, [](Cause c) { return c == Cause::kNone; });
  if (check) view->assessment.verdicts.push_back({.check = *check, .summary = "as judged"});
  return view;
}

struct Blind {
  const char* name;
  std::vector<Cause> causes;
  std::optional<Check> check;
  bool another_cluster_answers;
  const char* believed;
  const char* why;
  friend std::ostream& operator<<(std::ostream& os, const Blind& b) { return os << b.name; }
};

class WhenNothingIsSeen : public testing::TestWithParam<Blind> {};

TEST_P(WhenNothingIsSeen, OneIsBelieved) {
  const auto& blind = GetParam();
  std::vector<std::string> names = {"prod"};
  std::vector<model::ClusterViewPtr> views = {view_of(blind.causes, blind.check)};
  if (blind.another_cluster_answers) {
    names.emplace_back("test");
    views.push_back(view_of({Cause::kNone}));
  }
  WatchProof proof;
  const auto pulses = proof.look(names, views, 1s, kStart);
  EXPECT_EQ(pulses[0].state, Pulse::State::kUnknown);
  EXPECT_EQ(pulses[0].believed, blind.believed);
  EXPECT_THAT(pulses[0].why, testing::HasSubstr(blind.why));
  EXPECT_EQ(is_blind(pulses), !blind.another_cluster_answers);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WhenNothingIsSeen,
    testing::Values(
        Blind{"AllRefuse", {Cause::kRefused, Cause::kRefused}, {}, false, "cluster", "refuse"},
        Blind{"OneRefuses", {Cause::kTimeout, Cause::kRefused}, {}, false, "cluster", "refuse"},
        Blind{
            "AllSilent", {Cause::kTimeout, Cause::kTimeout}, {}, false, "monitor", "none refuses"},
        Blind{"AllSilentAtOnce",
              {Cause::kTimeout},
              Check::kMonitorIsolated,
              false,
              "monitor",
              "as judged"},
        Blind{"SilentButOthersAnswer",
              {Cause::kTimeout},
              Check::kMonitorIsolated,
              true,
              "cluster",
              "other clusters do"},
        Blind{"NoNames", {Cause::kDns, Cause::kDns}, {}, false, "monitor", "resolved"},
        Blind{"NoWay", {Cause::kUnreachable}, {}, false, "monitor", "no way"},
        Blind{"NoDescriptors", {Cause::kLocal}, {}, false, "monitor", "cannot open"},
        Blind{"Stalled", {Cause::kRefused}, Check::kMonitorStalled, true, "monitor", "as judged"}),
    testing::PrintToStringParamName());

TEST(WatchProof, AClusterIsWatchedWhileItsRoundsGoOn) {
  WatchProof proof;
  const auto view = view_of({Cause::kNone});
  const auto state = [&](Duration after) {
    return proof.look({"prod"}, {view}, 10s, kStart + after)[0].state;
  };
  EXPECT_EQ(state(0s), Pulse::State::kHealthy);
  EXPECT_EQ(state(30s), Pulse::State::kHealthy);
  EXPECT_EQ(state(31s), Pulse::State::kUnwatched);
  ++view->observation.pulse_rounds;
  EXPECT_EQ(state(32s), Pulse::State::kHealthy);
  EXPECT_EQ(state(63s), Pulse::State::kUnwatched);
  view->observation.last_health_check = kStart + 63s;
  EXPECT_EQ(state(64s), Pulse::State::kHealthy);
}

TEST(WatchProof, TroubleIsNoBlindness) {
  WatchProof proof;
  const auto pulses = proof.look(
      {"prod"}, {view_of({Cause::kNone, Cause::kRefused}, Check::kMemberUnreachable)}, 1s, kStart);
  EXPECT_EQ(pulses[0].state, Pulse::State::kUnhealthy);
  EXPECT_EQ(pulses[0].why, "as judged");
  EXPECT_EQ(pulses[0].believed, "");
}

TEST(WatchProof, WhatNeverHadAViewIsUnwatchedInTheEnd) {
  WatchProof proof;
  EXPECT_EQ(proof.look({"prod"}, {nullptr}, 1s, kStart)[0].state, Pulse::State::kUnknown);
  EXPECT_EQ(proof.look({"prod"}, {nullptr}, 1s, kStart + 16s)[0].state, Pulse::State::kUnwatched);
}

}  // namespace
}  // namespace etcdmon::app
