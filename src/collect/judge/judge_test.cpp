// Bad days, and good ones, played from the beginning to the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/judge/judge_testing.hpp"

namespace etcdmon::collect {
namespace {

using model::Check;
using model::EventKind;
using model::LinkState;
using model::PartitionKind;
using model::Reach;
using model::Severity;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Mode;
using ::testing::Not;
using testing::Scene;

// Every test ends here: nothing impossible was said on the way.
class Judge : public ::testing::Test {
 protected:
  static void expect_healthy(const Scene& scene) {
    EXPECT_EQ(scene.problems(), "");
    EXPECT_EQ(scene.found.healthy, true);
    EXPECT_EQ(scene.found.quorum.has_quorum, true);
    EXPECT_TRUE(scene.found.leader.leader.has_value());
    EXPECT_EQ(scene.found.partition.kind, PartitionKind::kNone);
    EXPECT_FALSE(scene.found.partition.suspected);
    EXPECT_EQ(scene.trouble, "");
  }
};

TEST_F(Judge, HealthyFromTheFirstPulse) {
  Scene scene(3);
  scene.run(1);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.quorum.voters, 3);
  EXPECT_EQ(scene.found.quorum.quorum_size, 2);
  EXPECT_EQ(scene.found.quorum.available, 3);
  EXPECT_EQ(scene.found.quorum.failures_tolerated, 1);
  EXPECT_EQ(scene.found.leader.name, "a");
  EXPECT_EQ(scene.found.leader.term, 5U);
  scene.run(120);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.leader.changes, 0U);
  EXPECT_THAT(scene.events(), IsEmpty());
  EXPECT_EQ(scene.found.peers.at(0, 1), LinkState::kUp);
  EXPECT_NEAR(*scene.found.peers.rtt_ms[1], 0.5, 1e-9);
}

TEST_F(Judge, NothingIsKnownBeforeAnybodyAnswered) {
  Scene scene(3);
  scene.look();
  EXPECT_EQ(scene.found.healthy, std::nullopt);
  EXPECT_EQ(scene.found.quorum.has_quorum, std::nullopt);
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Judge, RefusedIsSeenAtOnce) {
  Scene scene(3);
  scene.run(30);
  scene.kill("b");
  EXPECT_EQ(scene.reach("b"), Reach::kUnreachable);
  EXPECT_EQ(scene.verdict(Check::kMemberUnreachable, "b").summary,
            "member b is unreachable (refused)");
  EXPECT_THAT(scene.verdict(Check::kMemberUnreachable, "b").detail,
              HasSubstr("2 of 3 voters; 0 more may be lost"));
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kMemberDown));
  scene.run(60);
  EXPECT_EQ(scene.problems(), "MemberUnreachable(b)");
  EXPECT_EQ(scene.verdict(Check::kMemberUnreachable, "b").severity, Severity::kWarning);
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  EXPECT_EQ(scene.found.quorum.failures_tolerated, 0);
  EXPECT_EQ(scene.found.healthy, false);
  scene.start("b");
  scene.run(15);
  expect_healthy(scene);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kMemberDown, EventKind::kMemberUp,
                                          EventKind::kMemberRestarted));
}

TEST_F(Judge, TwoOfThreeDeadLoseQuorum) {
  Scene scene(3);
  scene.run(30);
  scene.kill("b");
  scene.kill("a");
  scene.run(1);
  EXPECT_FALSE(scene.has(Check::kQuorumLost));
  scene.follow({"c"}, "", 5);
  scene.run(3);
  EXPECT_EQ(scene.problems(), "QuorumLost() MemberUnreachable(a) MemberUnreachable(b)");
  EXPECT_EQ(scene.verdict(Check::kQuorumLost).summary,
            "quorum lost: 1 of 3 voters alive, 2 needed");
  EXPECT_THAT(scene.verdict(Check::kQuorumLost).detail,
              HasSubstr("a unreachable (refused) and b unreachable (refused)"));
  EXPECT_EQ(scene.found.leader.leader, std::nullopt);
  EXPECT_EQ(scene.found.quorum.failures_tolerated, 0);
  const auto since = scene.verdict(Check::kQuorumLost).since;
  scene.run(60);
  EXPECT_EQ(scene.verdict(Check::kQuorumLost).since, since);
  scene.start("a");
  scene.start("b");
  scene.follow({"a", "b", "c"}, "b", 6);
  scene.run(15);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.leader.changes, 1U);
  EXPECT_EQ(scene.found.leader.history.back().reason, "old leader a unreachable (refused)");
}

// Two candidates may split the votes once: the second round is over within four election timeouts.
TEST_F(Judge, AnElectionOfTwoRoundsIsNotALostQuorum) {
  Scene scene(3);
  scene.run(30);
  scene.kill("a");
  scene.follow({"b", "c"}, "", 6);
  scene.run(4);
  EXPECT_EQ(scene.problems(), "NoLeader() MemberUnreachable(a)");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  scene.follow({"b", "c"}, "b", 7);
  scene.run(2);
  EXPECT_EQ(scene.problems(), "MemberUnreachable(a)");
}

TEST_F(Judge, AllDeadIsNotOurFault) {
  Scene scene(3);
  scene.run(30);
  for (const auto* name : {"a", "b", "c"}) scene.kill(name);
  scene.run(3);
  EXPECT_THAT(scene.problems(), HasSubstr("QuorumLost()"));
  EXPECT_FALSE(scene.has(Check::kMonitorIsolated));
  EXPECT_EQ(scene.found.healthy, false);
}

TEST_F(Judge, AllSilentSuspectsItselfFirst) {
  Scene scene(3);
  scene.run(30);
  for (const auto* name : {"a", "b", "c"}) scene[name].mode = Mode::kStopped;
  scene.run(2);
  EXPECT_EQ(scene.problems(), "MonitorIsolated()");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  scene.run(3);
  EXPECT_EQ(scene.problems(), "MonitorIsolated() MemberHung(a) MemberHung(b) MemberHung(c)");
  EXPECT_EQ(scene.found.quorum.has_quorum, std::nullopt);
  scene.run(15);
  EXPECT_TRUE(scene.has(Check::kQuorumLost));
  for (const auto* name : {"a", "b", "c"}) scene[name].mode = Mode::kUp;
  scene.run(5);
  expect_healthy(scene);
}

TEST_F(Judge, CutOffOurselvesKnowsNothing) {
  Scene scene(3);
  scene.run(30);
  for (const auto* name : {"a", "b", "c"}) scene[name].mode = Mode::kBlackHoled;
  scene.run(40);
  EXPECT_THAT(scene.problems(), HasSubstr("MonitorIsolated()"));
  EXPECT_EQ(scene.found.healthy, std::nullopt);
  EXPECT_EQ(scene.reach("a"), Reach::kUnreachable);
  EXPECT_EQ(scene.found.quorum.has_quorum, std::nullopt);
  EXPECT_FALSE(scene.has(Check::kQuorumLost));
  EXPECT_FALSE(scene.has(Check::kNoLeader));
  for (const auto* name : {"a", "b", "c"}) scene[name].mode = Mode::kUp;
  scene.run(15);
  expect_healthy(scene);
}

TEST_F(Judge, StoppedLeaderHangsAndIsReplaced) {
  Scene scene(3);
  scene.run(30);
  scene["a"].mode = Mode::kStopped;
  scene.run(2);
  EXPECT_EQ(scene.problems(), "");
  scene.follow({"b", "c"}, "b", 6);
  scene.run(1);
  EXPECT_EQ(scene.found.leader.name, "b");
  EXPECT_EQ(scene.reach("a"), Reach::kHung);
  EXPECT_EQ(scene.problems(), "MemberHung(a)");
  EXPECT_EQ(scene.found.leader.changes, 1U);
  scene.run(30);
  EXPECT_EQ(scene.problems(), "MemberHung(a)");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  // It wakes up and still believes for a moment.
  scene["a"].mode = Mode::kUp;
  scene.run(1);
  scene.follow({"a"}, "b", 6);
  scene.run(3);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.leader.changes, 1U);
}

TEST_F(Judge, AnOrdinaryElectionIsNoVerdict) {
  Scene scene(3);
  scene.run(30);
  scene.follow({"b", "c"}, "", 5);  // they lost its heartbeat, it does not know yet
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
  EXPECT_EQ(scene.found.leader.leader, std::nullopt);
  scene.follow({"a", "b", "c"}, "c", 5);  // the new leader's first entry is not applied yet
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
  EXPECT_EQ(scene.found.leader.name, "c");
  scene.follow({"a", "b", "c"}, "c", 6);
  scene.run(10);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.leader.changes, 1U);
  EXPECT_EQ(scene.found.leader.history.back().term, 6U);
  EXPECT_EQ(scene.found.leader.history.back().from, Scene::id("a"));
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kLeaderChanged));
  EXPECT_THAT(scene.event_texts(), HasSubstr("the leader changed from a to c"));
}

TEST_F(Judge, NoLeaderWhileAllAreAlive) {
  Scene scene(3);
  scene.run(30);
  scene.follow({"a", "b", "c"}, "", 5);
  scene.run(4);
  EXPECT_TRUE(scene.has(Check::kNoLeader));
  EXPECT_EQ(scene.verdict(Check::kNoLeader).severity, Severity::kCritical);
  scene.run(2);
  EXPECT_EQ(scene.found.quorum.has_quorum, false);
  EXPECT_THAT(scene.events(), Contains(EventKind::kLeaderLost));
  EXPECT_EQ(scene.found.partition.kind, PartitionKind::kNone);
  scene.follow({"a", "b", "c"}, "a", 7);
  scene.run(5);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.leader.history.back().from, scene.found.leader.history.back().to);
  EXPECT_EQ(scene.found.leader.history.back().reason, "re-elected in term 7");
}

TEST_F(Judge, LeaderMovedTenTimes) {
  Scene scene(3);
  scene.run(30);
  const std::vector<std::string> names = {"a", "b", "c"};
  for (std::size_t i = 1; i <= 10; ++i) {
    scene.follow(names, names[i % 3], 5 + i);
    scene.run(1);
    EXPECT_EQ(scene.found.leader.name, names[i % 3]);
    EXPECT_EQ(scene.problems(), "");
  }
  EXPECT_EQ(scene.found.leader.changes, 10U);
  EXPECT_EQ(scene.found.leader.changes_1h, 10U);
  scene.run(1);
  expect_healthy(scene);
}

TEST_F(Judge, DisputedLeadershipIsNotASplitBrainWithoutProof) {
  Scene scene(4);
  scene.run(30);
  scene.follow({"c", "d"}, "c", 6);
  scene["a"].reads = false;
  scene.run(2);
  EXPECT_FALSE(scene.has(Check::kLeaderDisputed));
  scene.run(6);
  EXPECT_TRUE(scene.has(Check::kLeaderDisputed));
  EXPECT_FALSE(scene.has(Check::kSplitBrain));
  EXPECT_EQ(scene.verdict(Check::kLeaderDisputed).severity, Severity::kWarning);
  EXPECT_EQ(scene.found.leader.leader, std::nullopt);
}

TEST_F(Judge, SplitBrainIsProvenByReadsOnBothSides) {
  Scene scene(4);
  scene.run(30);
  scene.follow({"c", "d"}, "c", 6);
  for (const auto* name : {"a", "b", "c", "d"}) scene[name].reads = true;
  scene.run(8);
  EXPECT_TRUE(scene.has(Check::kSplitBrain));
  EXPECT_EQ(scene.verdict(Check::kSplitBrain).severity, Severity::kCritical);
  EXPECT_TRUE(scene.found.leader.split_brain);
  EXPECT_FALSE(scene.has(Check::kLeaderDisputed));
  scene.follow({"a", "b", "c", "d"}, "c", 6);
  for (const auto* name : {"a", "b", "c", "d"}) scene[name].reads.reset();
  scene.run(5);
  expect_healthy(scene);
}

TEST_F(Judge, AnOldLeaderThatStepsDownIsNoDispute) {
  Scene scene(3);
  scene.run(30);
  scene.follow({"b", "c"}, "b", 6);  // a still claims
  scene.run(1);
  EXPECT_EQ(scene.found.leader.name, "b");
  scene.follow({"a"}, "", 5);
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
  scene.follow({"a"}, "b", 6);
  scene.run(30);
  expect_healthy(scene);
}

TEST_F(Judge, FollowersCutFromEachOther) {
  Scene scene(3);
  scene.run(30);
  scene.cut("b", "c");
  scene.run(15);
  EXPECT_EQ(scene.problems(), "Partition()");
  const auto& partition = scene.found.partition;
  EXPECT_EQ(partition.kind, PartitionKind::kPairwise);
  EXPECT_EQ(partition.text, "b and c do not see each other");
  EXPECT_THAT(partition.cut_links, ElementsAre(std::pair(Scene::id("b"), Scene::id("c")),
                                               std::pair(Scene::id("c"), Scene::id("b"))));
  EXPECT_EQ(scene.verdict(Check::kPartition).severity, Severity::kWarning);
  scene.heal();
  scene.run(15);
  expect_healthy(scene);
}

TEST_F(Judge, IsolatedMemberIsSuspectedThenNamed) {
  Scene scene(3);
  scene.run(31);
  scene.follow({"c"}, "", 5);
  scene.run(3);
  EXPECT_EQ(scene.problems(), "Partition()");
  EXPECT_TRUE(scene.found.partition.suspected);
  EXPECT_EQ(scene.found.partition.kind, PartitionKind::kIsolatedMember);
  EXPECT_EQ(scene.found.partition.text,
            "c may be cut off: knows no leader, while a leads the others");
  EXPECT_EQ(scene.found.peers.at(2, 0), LinkState::kSuspect);
  scene.cut("c", "a");
  scene.cut("c", "b");
  scene.run(12);
  EXPECT_EQ(scene.problems(), "Partition()");
  EXPECT_FALSE(scene.found.partition.suspected);
  EXPECT_EQ(scene.found.partition.kind, PartitionKind::kIsolatedMember);
  EXPECT_EQ(scene.found.partition.text, "c is cut off from a and b");
  EXPECT_EQ(scene.found.partition.cut_links.size(), 4U);
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  EXPECT_EQ(scene.found.leader.name, "a");
}

TEST_F(Judge, OneWayCut) {
  Scene scene(3);
  scene.run(30);
  scene.cut_one_way("b", "c");
  scene.run(35);
  EXPECT_EQ(scene.found.partition.kind, PartitionKind::kOneWay);
  EXPECT_THAT(scene.found.partition.cut_links,
              ElementsAre(std::pair(Scene::id("b"), Scene::id("c"))));
  EXPECT_EQ(scene.problems(), "Partition()");
}

TEST_F(Judge, MinorityAndMajority) {
  Scene scene(5);
  scene.run(30);
  for (const auto* left : {"a", "b"}) {
    for (const auto* right : {"c", "d", "e"}) scene.cut(left, right);
  }
  scene.follow({"a", "b"}, "", 5);
  scene.follow({"c", "d", "e"}, "c", 6);
  scene.run(15);
  EXPECT_EQ(scene.problems(), "Partition()");
  const auto& partition = scene.found.partition;
  EXPECT_EQ(partition.kind, PartitionKind::kSplit);
  EXPECT_EQ(partition.text, "the cluster is split: c, d and e | a and b");
  EXPECT_EQ(partition.groups.size(), 2U);
  EXPECT_EQ(partition.cut_links.size(), 12U);
  EXPECT_EQ(scene.found.leader.name, "c");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  EXPECT_EQ(scene.verdict(Check::kPartition).severity, Severity::kWarning);
}

TEST_F(Judge, UnreachableFromUsOnly) {
  Scene scene(3);
  scene.run(30);
  scene["c"].mode = Mode::kBlackHoled;
  scene.run(60);
  EXPECT_EQ(scene.problems(), "MemberUnreachable(c)");
  EXPECT_EQ(scene.found.partition.kind, PartitionKind::kUnreachableFromUs);
  EXPECT_THAT(scene.verdict(Check::kMemberUnreachable, "c").summary, HasSubstr("its peers see it"));
  EXPECT_EQ(scene.found.quorum.available, 3);
  EXPECT_EQ(scene.found.peers.at(0, 2), LinkState::kUp);
}

TEST_F(Judge, UnreachableLeaderStaysLeader) {
  Scene scene(3);
  scene.run(30);
  scene["a"].mode = Mode::kBlackHoled;
  scene.run(60);
  EXPECT_EQ(scene.problems(), "MemberUnreachable(a)");
  EXPECT_EQ(scene.found.leader.name, "a");
  EXPECT_EQ(scene.found.leader.changes, 0U);
}

TEST_F(Judge, NospaceRaisedAndCleared) {
  Scene scene(3);
  scene.run(30);
  for (const auto* name : {"a", "b", "c"}) scene[name].errors = {"memberID:2 alarm:NOSPACE "};
  scene.run(1);
  EXPECT_EQ(scene.problems(), "AlarmNospace(b)");
  EXPECT_EQ(scene.verdict(Check::kAlarmNospace, "b").severity, Severity::kCritical);
  scene.seen.alarms = std::vector<model::AlarmEntry>{{MemberId{2}, model::AlarmType::kNospace}};
  scene.seen.alarms_at = scene.seen.at.steady;
  scene.run(10);
  EXPECT_EQ(scene.problems(), "AlarmNospace(b)");
  for (const auto* name : {"a", "b", "c"}) scene[name].errors.clear();
  scene.run(1);
  expect_healthy(scene);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kAlarmRaised, EventKind::kAlarmCleared));
}

TEST_F(Judge, DefragmentationIsNoFailure) {
  Scene scene(3);
  scene.run(30);
  scene["b"].mode = Mode::kBusy;
  scene["b"].defragmenting = true;
  scene.run(30);
  EXPECT_EQ(scene.reach("b"), Reach::kDefragmenting);
  EXPECT_EQ(scene.problems(), "");
  EXPECT_TRUE(scene.has(Check::kDefragmenting, "b"));
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  scene["b"].mode = Mode::kUp;
  scene["b"].defragmenting = false;
  scene.run(12);
  expect_healthy(scene);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kDefragStarted, EventKind::kDefragEnded));
}

TEST_F(Judge, BusyBackendIsNotHung) {
  Scene scene(3);
  scene.run(30);
  scene["b"].mode = Mode::kBusy;
  scene.run(5);
  EXPECT_EQ(scene.reach("b"), Reach::kBackendBusy);
  EXPECT_EQ(scene.problems(), "");
  scene.run(10);
  EXPECT_EQ(scene.problems(), "BackendBusy(b)");
  scene["b"].mode = Mode::kStopped;
  scene.run(20);
  EXPECT_EQ(scene.problems(), "MemberHung(b)");
}

TEST_F(Judge, NotAuthorisedIsNeverDown) {
  Scene scene(3);
  scene.run(30);
  for (const auto* name : {"a", "b", "c"}) scene[name].mode = Mode::kNotAllowed;
  scene.seen.auth_required = true;
  scene.run(100);
  EXPECT_EQ(scene.problems(), "NotAuthorised()");
  EXPECT_EQ(scene.reach("a"), Reach::kNotAuthorised);
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  EXPECT_EQ(scene.found.leader.name, "a");
  EXPECT_EQ(scene.found.healthy, true);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kAuthRequired, EventKind::kVerdictRaised));
  // Quorum is lost while we may not ask: /metrics tells.
  for (const auto* name : {"a", "b", "c"}) scene[name].leader = MemberId{};
  scene.run(25);
  EXPECT_EQ(scene.found.quorum.has_quorum, false);
}

TEST_F(Judge, LearnersDoNotCount) {
  Scene scene(3, 1);
  scene.run(60);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.quorum.voters, 3);
  EXPECT_EQ(scene.found.quorum.learners, 1);
  scene.kill("d");
  scene.run(5);
  EXPECT_EQ(scene.found.quorum.failures_tolerated, 1);
  EXPECT_EQ(scene.problems(), "MemberUnreachable(d)");
  EXPECT_THAT(scene.verdict(Check::kMemberUnreachable, "d").detail, HasSubstr("learner"));
  scene.start("d");
  scene.run(1);
  scene["d"].entry.learner = false;
  scene.seen.membership.members[3].learner = false;
  scene.run(12);
  EXPECT_EQ(scene.found.quorum.voters, 4);
  EXPECT_THAT(scene.events(), Contains(EventKind::kMemberPromoted));
  expect_healthy(scene);
}

TEST_F(Judge, AnUnstartedMemberIsAVoter) {
  Scene scene(2);
  scene.run(30);
  scene.add("c", false, false);
  scene.run(5);
  EXPECT_EQ(scene.found.quorum.voters, 3);
  EXPECT_EQ(scene.found.quorum.failures_tolerated, 0);
  EXPECT_EQ(scene.reach("c"), Reach::kUnstarted);
  EXPECT_EQ(scene.problems(), "MemberUnstarted(3)");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  scene["c"].entry.name = "c";
  scene["c"].entry.client_urls = {"http://10.0.0.3:2379"};
  scene.seen.membership.members[2] = scene["c"].entry;
  scene["c"].mode = Mode::kUp;
  scene.run(30);
  expect_healthy(scene);
  EXPECT_THAT(scene.events(), Contains(EventKind::kMemberAdded));
}

TEST_F(Judge, ARemovedMemberIsForgotten) {
  Scene scene(3);
  scene.run(30);
  scene.remove("c");
  scene.run(15);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.quorum.voters, 2);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kMemberRemoved));
}

TEST_F(Judge, ReplacedUnderTheSameName) {
  Scene scene(3);
  scene.run(30);
  scene.kill("c");
  scene.run(5);
  scene.remove("c");
  scene.run(2);
  scene.add("d", false, true);
  scene["d"].entry.name = "c";
  scene.seen.membership.members[2].name = "c";
  scene.run(30);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.members[2].name, "c");
  EXPECT_EQ(scene.found.members[2].restarts_15m, 0U);
}

TEST_F(Judge, OwnStallIsNobodysFault) {
  Scene scene(3);
  scene.run(30);
  scene.stall(std::chrono::seconds(30));
  EXPECT_EQ(scene.problems(), "MonitorStalled()");
  scene.run(1);
  EXPECT_EQ(scene.problems(), "MonitorStalled()");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  scene.run(2);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.leader.changes, 0U);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kVerdictRaised, EventKind::kVerdictCleared));
}

TEST_F(Judge, AClockStepChangesNothing) {
  Scene scene(3);
  scene.run(30);
  scene.step_wall_clock(std::chrono::hours(2));
  // The members compute their start time from the same clock.
  for (const auto* name : {"a", "b", "c"}) scene[name].start_time += 7'200;
  scene.run(30);
  expect_healthy(scene);
  EXPECT_THAT(scene.events(), ElementsAre(EventKind::kClockStepped, EventKind::kClockStepped,
                                          EventKind::kClockStepped, EventKind::kClockStepped));
  EXPECT_THAT(scene.event_texts(), Not(HasSubstr("restarted")));
  EXPECT_EQ(scene.found.members[0].restarts_15m, 0U);
}

TEST_F(Judge, ASingleVoter) {
  Scene scene(1);
  scene.run(30);
  expect_healthy(scene);
  EXPECT_EQ(scene.found.quorum.failures_tolerated, 0);
  scene.kill("a");
  scene.run(4);
  EXPECT_EQ(scene.problems(), "QuorumLost() MemberUnreachable(a)");
  scene.start("a");
  scene.follow({"a"}, "a", 6);
  scene.run(15);
  expect_healthy(scene);
}

TEST_F(Judge, CrashLoop) {
  Scene scene(3);
  scene.run(30);
  for (int i = 0; i < 3; ++i) {
    scene.kill("b");
    scene.run(5);
    scene.start("b");
    scene.run(20);
  }
  EXPECT_EQ(scene.problems(), "CrashLoop(b)");
  EXPECT_EQ(scene.found.members[1].restarts_15m, 3U);
  scene.run(15 * 60);
  expect_healthy(scene);
}

TEST_F(Judge, SameInputsSameJudgement) {
  const auto play = [] {
    Scene scene(5);
    scene.run(20);
    scene.kill("b");
    scene.cut("c", "d");
    scene.follow({"a", "c", "d", "e"}, "e", 6);
    scene.run(25);
    scene["a"].mode = Mode::kStopped;
    scene.run(10);
    return std::pair(scene.found.verdicts, scene.event_texts());
  };
  EXPECT_EQ(play(), play());
}

}  // namespace
}  // namespace etcdmon::collect
