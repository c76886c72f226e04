#include "alert/engine.hpp"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/testing/scene.hpp"

namespace etcdmon::alert {
namespace {

using namespace std::chrono_literals;
using model::AlertEvent;
using model::Severity;

std::vector<std::string> told(const std::vector<AlertEvent>& events) {
  std::vector<std::string> out;
  for (const auto& event : events)
    out.push_back(
        fmt::format("{} {} {}", model::name_of(event.what), event.alert.rule, event.alert.subject));
  return out;
}

TEST(Engine, PendingThenFiringThenResolved) {
  Scene scene;
  Engine engine("prod");
  scene.verdict(model::Check::kMemberUnreachable, Severity::kWarning);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("pending MemberUnreachable infra1"));
  scene.advance(119s);
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty());
  scene.advance(1s);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("firing MemberUnreachable infra1"));
  scene.assessment.verdicts.clear();
  scene.advance(5s);
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty()) << "keeps firing for 10 s";
  scene.advance(10s);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("resolved MemberUnreachable infra1"));
  EXPECT_TRUE(engine.active().empty());
}

TEST(Engine, AfterARestartWhatIsNotFoundYetIsNotTakenForOver) {
  Scene scene;
  Engine before("prod");
  scene.verdict(model::Check::kAlarmNospace, Severity::kCritical);
  scene.verdict(model::Check::kMemberUnreachable, Severity::kWarning);
  (void)before.step(scene.now, scene.input());
  scene.advance(60s);
  Engine after("prod");
  after.restore(before.state(), scene.now.steady + 90s);
  const auto verdicts = std::exchange(scene.assessment.verdicts, {});
  EXPECT_TRUE(after.step(scene.now, scene.input()).empty());
  EXPECT_EQ(after.active().size(), 2U);
  scene.advance(60s);
  scene.assessment.verdicts = verdicts;
  EXPECT_THAT(told(after.step(scene.now, scene.input())),
              testing::ElementsAre("firing MemberUnreachable infra1"))
      << "its two minutes began before the restart";
  scene.assessment.verdicts.clear();
  scene.advance(60s);
  EXPECT_THAT(told(after.step(scene.now, scene.input())),
              testing::UnorderedElementsAre("resolved AlarmNospace infra1",
                                            "resolved MemberUnreachable infra1"));
}

TEST(Engine, AFindingThatGoesBeforeItsTimeIsNeverTold) {
  Scene scene;
  Engine engine("prod");
  scene.verdict(model::Check::kMemberUnreachable, Severity::kWarning);
  (void)engine.step(scene.now, scene.input());
  scene.assessment.verdicts.clear();
  scene.advance(30s);
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty());
  EXPECT_TRUE(engine.active().empty());
}

TEST(Engine, WorseSeverityIsToldBetterIsNot) {
  Scene scene;
  Engine engine("prod");
  scene.verdict(model::Check::kAlarmNospace, Severity::kWarning);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("firing AlarmNospace infra1"));
  scene.assessment.verdicts[0].severity = Severity::kCritical;
  scene.advance(1s);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("changed AlarmNospace infra1"));
  scene.assessment.verdicts[0].severity = Severity::kWarning;
  scene.advance(1s);
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty());
}

TEST(Engine, ASteppedWallClockChangesNothing) {
  Scene scene;
  Engine engine("prod");
  scene.verdict(model::Check::kMemberUnreachable, Severity::kWarning);
  (void)engine.step(scene.now, scene.input());
  scene.now.wall += 24h;
  scene.now.steady += 1s;
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty());
}

TEST(Engine, StateGoesOnInAnotherEngine) {
  Scene scene;
  Engine before("prod");
  scene.verdict(model::Check::kMemberUnreachable, Severity::kWarning);
  (void)before.step(scene.now, scene.input());
  Engine after("prod");
  after.restore(before.state());
  scene.advance(120s);
  EXPECT_THAT(told(after.step(scene.now, scene.input())),
              testing::ElementsAre("firing MemberUnreachable infra1"));
}

// One measured rule, with limits for a warning and something worse.
ActiveRule fsync_rule() {
  ActiveRule active{find_rule("etcdHighFsyncDurations"), {}};
  active.tuning = active.rule->tuning;
  active.tuning.wait = {0s, 600s, 300s};
  return active;
}

TEST(Engine, PatienceAfterARestartIsOnlyForWhatWasNotFoundYet) {
  Scene scene;
  scene.verdict(model::Check::kAlarmNospace, Severity::kCritical);
  Engine before("prod");
  EXPECT_THAT(told(before.step(scene.now, scene.input())),
              testing::Contains("firing AlarmNospace infra1"));
  Engine after("prod");
  after.restore(before.state(), scene.now.steady + 90s);
  scene.advance(1s);
  EXPECT_TRUE(after.step(scene.now, scene.input()).empty());
  scene.assessment.verdicts.clear();
  scene.advance(31s);
  EXPECT_THAT(told(after.step(scene.now, scene.input())),
              testing::ElementsAre("resolved AlarmNospace infra1"))
      << "it was seen after the restart, and is over";
}

TEST(Engine, EachSeverityHasItsOwnPatience) {
  auto scene = Scene::of(1);
  scene.set(model::Metric::kWalFsyncP99, 2.0);
  Engine engine("prod", {fsync_rule()});
  (void)engine.step(scene.now, scene.input());
  scene.advance(300s);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("firing etcdHighFsyncDurations infra1"));
  EXPECT_EQ(engine.active()[0].severity, Severity::kCritical);

  // Beyond the warning's limit all the time, beyond the critical one's not.
  scene.set(model::Metric::kWalFsyncP99, 0.7);
  scene.advance(300s);
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty());
  EXPECT_EQ(engine.active()[0].severity, Severity::kWarning);

  scene.set(model::Metric::kWalFsyncP99, 2.0);
  (void)engine.step(scene.now, scene.input());
  EXPECT_EQ(engine.active()[0].severity, Severity::kWarning) << "not for long enough yet";
  scene.advance(300s);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("changed etcdHighFsyncDurations infra1"));
}

TEST(Engine, AWarningBecomesCriticalByTimeAlone) {
  auto scene = Scene::of(3);
  scene.assessment.quorum.available = 2;
  scene.assessment.quorum.failures_tolerated = 0;
  Engine engine("prod");
  (void)engine.step(scene.now, scene.input());
  scene.advance(5min);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("firing QuorumAtRisk "));
  EXPECT_EQ(engine.active()[0].severity, Severity::kWarning);
  scene.advance(10min);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("changed QuorumAtRisk "));
  EXPECT_EQ(engine.active()[0].severity, Severity::kCritical);
}

TEST(Engine, WhatIsToldAlreadyIsNotToldAgain) {
  auto scene = Scene::of(3);
  scene.assessment.members[0].reach = model::Reach::kUnreachable;
  scene.verdict(model::Check::kMemberUnreachable, Severity::kWarning);
  Engine engine("prod");
  (void)engine.step(scene.now, scene.input());
  scene.advance(25min);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("firing MemberUnreachable infra1"));
  scene.advance(1s);
  EXPECT_TRUE(engine.step(scene.now, scene.input()).empty()) << "etcdMembersDown stays pending";
  // Without the sharper rule the mixin's speaks.
  auto rules = default_rules();
  for (auto& active : rules) {
    if (active.rule->name == "MemberUnreachable") active.tuning.enabled = false;
  }
  engine.set_rules(rules);
  scene.advance(1s);
  EXPECT_THAT(told(engine.step(scene.now, scene.input())),
              testing::ElementsAre("resolved MemberUnreachable infra1", "firing etcdMembersDown "));
}

TEST(Engine, SaysHowEachRuleStands) {
  auto scene = Scene::of(2);
  scene.set(model::Metric::kWalFsyncP99, 0.2).set(model::Metric::kWalFsyncP99, 0.3, 1);
  Engine engine("prod", {fsync_rule(), {find_rule("BackupAge"), find_rule("BackupAge")->tuning}});
  (void)engine.step(scene.now, scene.input());
  const auto status = engine.status();
  ASSERT_EQ(status.size(), 2U);
  EXPECT_TRUE(status[0].has_data);
  EXPECT_EQ(status[0].value, 0.3);
  EXPECT_EQ(status[0].subject, "infra2");
  EXPECT_FALSE(status[1].has_data) << "nobody said when the last backup was made";
}

TEST(Fingerprint, SeparatesItsParts) {
  EXPECT_NE(fingerprint("ab", "c", ""), fingerprint("a", "bc", ""));
  EXPECT_EQ(fingerprint("prod", "NoLeader", ""), fingerprint("prod", "NoLeader", ""));
  EXPECT_EQ(fingerprint("a", "b", "c").size(), 16U);
}

}  // namespace
}  // namespace etcdmon::alert
