// The smaller judgements, each over a cluster that is otherwise well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/judge/judge_testing.hpp"

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;
using model::Check;
using model::EventKind;
using model::PartitionKind;
using model::Reach;
using model::Severity;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Mode;
using ::testing::Not;
using testing::Scene;

class Findings : public ::testing::Test {
 public:
  Findings() : scene(3) { scene.run(31); }
  ~Findings() override { EXPECT_EQ(scene.trouble, ""); }

  model::MemberFacts& facts(std::size_t i) { return scene.seen.members[i]; }

  Scene scene;
};

TEST_F(Findings, VersionSkew) {
  scene["b"].version = "3.4.23";
  scene.run(1);
  EXPECT_EQ(scene.verdict(Check::kVersionSkew).severity, Severity::kInfo);
  EXPECT_EQ(scene.verdict(Check::kVersionSkew).detail, "3.4.23 on b, 3.5.16 on a and c");
  EXPECT_EQ(scene.found.healthy, true);
  EXPECT_THAT(scene.events(), Contains(EventKind::kVersionChanged));
  scene.run(30 * 60);
  EXPECT_EQ(scene.verdict(Check::kVersionSkew).severity, Severity::kWarning);
  scene["b"].version = "3.5.30";
  scene.run(1);
  EXPECT_FALSE(scene.has(Check::kVersionSkew));
  scene["b"].version = "3.7.1";
  scene.run(1);
  EXPECT_EQ(scene.verdict(Check::kVersionSkew).severity, Severity::kWarning);
  EXPECT_THAT(scene.verdict(Check::kVersionSkew).summary,
              HasSubstr("more than one minor version apart"));
}

TEST_F(Findings, Certificates) {
  const auto expiring = [&](Duration in) {
    facts(0).certificates = {{"client url", "CN=a", "CN=ca", {}, scene.seen.at.wall + in}};
    scene.run(1);
    return scene.has(Check::kCertificateExpiry, "a client url")
               ? std::optional(scene.verdict(Check::kCertificateExpiry, "a client url").severity)
               : std::nullopt;
  };
  EXPECT_EQ(expiring(24h * 31), std::nullopt);
  EXPECT_EQ(expiring(24h * 29), Severity::kWarning);
  EXPECT_EQ(expiring(24h * 6), Severity::kCritical);
  EXPECT_EQ(expiring(-1h), Severity::kCritical);
  EXPECT_THAT(scene.verdict(Check::kCertificateExpiry, "a client url").summary,
              HasSubstr("expired at"));
  EXPECT_EQ(scene.found.healthy, true);
  // Our own is met at every member, and is one finding.
  for (std::size_t i = 0; i < 3; ++i) {
    facts(i).certificates = {
        {"our client certificate", "CN=us", "CN=ca", {}, scene.seen.at.wall + 24h}};
  }
  scene.run(1);
  EXPECT_EQ(scene.problems(), "CertificateExpiry(our client certificate)");
}

TEST_F(Findings, OneMemberLagsBehindWithAnAlarmThatWasCleared) {
  scene["c"].errors = {"memberID:2 alarm:NOSPACE "};
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
  scene["a"].errors = scene["c"].errors;
  scene.run(1);
  EXPECT_EQ(scene.problems(), "AlarmNospace(b)");
  scene["a"].errors.clear();
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Findings, CorruptAlarmWithoutAMember) {
  scene.seen.alarms = std::vector<model::AlarmEntry>{{MemberId{}, model::AlarmType::kCorrupt}};
  const SteadyTime at = scene.seen.at.steady;
  scene.seen.alarms_at = at - 909ms;
  scene.look();
  EXPECT_FALSE(scene.has(Check::kAlarmCorrupt));  // Status, which is younger, does not know it
  scene.seen.alarms_at = at;
  scene.look();
  EXPECT_TRUE(scene.has(Check::kAlarmCorrupt));
  EXPECT_EQ(scene.found.healthy, false);
}

TEST_F(Findings, AnotherClusterAnswers) {
  scene["c"].stranger = {MemberId{99}, ClusterId{88}};
  scene.run(1);
  EXPECT_FALSE(scene.has(Check::kClusterIdMismatch, "c"));  // seen once
  scene.run(1);
  EXPECT_TRUE(scene.has(Check::kClusterIdMismatch, "c"));
  EXPECT_FALSE(scene.has(Check::kMisAddressed, "c"));
  EXPECT_THAT(scene.verdict(Check::kClusterIdMismatch, "c").detail,
              HasSubstr("cluster id 58, expected 4d"));
}

TEST_F(Findings, AnEndpointOfAnotherCluster) {
  scene.seen.endpoints = {{"http://10.0.0.9:2379", {MemberId{9}}, ClusterId{88}, {}, true}};
  scene.run(2);
  EXPECT_EQ(scene.problems(), "ClusterIdMismatch(http://10.0.0.9:2379)");
}

TEST_F(Findings, MisAddressed) {
  scene["c"].stranger = {MemberId{1}, ClusterId{77}};
  scene.run(3);
  EXPECT_EQ(scene.problems(), "MisAddressed(c)");
  EXPECT_EQ(scene.verdict(Check::kMisAddressed, "c").summary,
            "a answers where c should be (http://10.0.0.3:2379)");
  EXPECT_EQ(scene.found.healthy, std::nullopt);  // nothing is known of c
}

TEST_F(Findings, Endpoints) {
  const Error refused{ErrorCode::kUnavailable, "connection refused", Cause::kRefused};
  const Error garbage{ErrorCode::kUnavailable, "no HTTP/2 preface", Cause::kProtocol};
  scene.seen.endpoints = {
      {"http://lb:2379", {MemberId{1}, MemberId{2}}, ClusterId{77}, {}, true},
      {"http://10.0.0.1:2379", {MemberId{1}}, ClusterId{77}, {}, true},
      {"http://localhost:2379", {MemberId{1}}, ClusterId{77}, {}, true},
      {"http://10.0.0.3:2379", {}, {}, refused, true},  // a known member says so itself
      {"http://old:2379",
       {MemberId{66}, MemberId{3}},
       ClusterId{77},
       {},
       true},  // its member was replaced
      {"http://web:80", {}, {}, garbage, true},
      {"http://untried:2379", {}, {}, {}, false},
  };
  scene.run(1);
  EXPECT_EQ(scene.problems(), "EndpointUnusable(http://web:80)");
  EXPECT_EQ(scene.verdict(Check::kEndpointUnusable, "http://web:80").summary,
            "endpoint http://web:80 cannot be used: what answers there is not etcd");
  EXPECT_TRUE(scene.has(Check::kLoadBalancer, "http://lb:2379"));
  EXPECT_TRUE(scene.has(Check::kDuplicateEndpoint, "http://localhost:2379"));
  EXPECT_FALSE(scene.has(Check::kDuplicateEndpoint, "http://10.0.0.1:2379"));
  EXPECT_FALSE(scene.has(Check::kLoadBalancer, "http://old:2379"));
  EXPECT_EQ(scene.found.healthy, true);
}

TEST(Endpoint, NothingUsableAtAll) {
  model::Observation seen;
  seen.at = Now{SteadyTime(1'000s), {}};
  seen.members.emplace_back().endpoint = "http://10.0.0.1:2379";
  const Error refused{ErrorCode::kUnavailable, "connection refused", Cause::kRefused};
  seen.members[0].pulse = model::ProbeOutcome{SteadyTime(999s), SteadyTime(999s), refused};
  seen.endpoints = {{"http://10.0.0.1:2379", {}, {}, refused, true}};
  const auto found = judge(make_judge_state(), seen, {}).assessment;
  ASSERT_EQ(found.verdicts.size(), 1U);
  EXPECT_EQ(found.verdicts[0].check, Check::kEndpointUnusable);
  EXPECT_EQ(found.verdicts[0].severity, Severity::kCritical);
  EXPECT_EQ(found.healthy, std::nullopt);
}

TEST_F(Findings, AdvertisedUrlCannotBeReached) {
  facts(1).fallback = true;
  facts(1).fallback_why = "advertised client URL http://10.0.0.2:2379: no route";
  scene.run(1);
  EXPECT_EQ(scene.verdict(Check::kAdvertisedUnreachable, "b").severity, Severity::kInfo);
  EXPECT_EQ(scene.found.healthy, true);
}

TEST_F(Findings, MetricsUnavailable) {
  scene["b"].metrics = false;
  scene.run(25);
  EXPECT_EQ(scene.problems(), "MetricsUnavailable(b)");
  EXPECT_EQ(scene.found.healthy, true);
  scene["b"].metrics = true;
  scene.run(10);
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Findings, ReadsFailOnOneMember) {
  scene["b"].reads = false;
  scene.run(30);
  EXPECT_EQ(scene.problems(), "");
  scene.run(10);
  EXPECT_EQ(scene.problems(), "ReadFailing(b)");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
  EXPECT_EQ(scene.found.healthy, false);
  scene["b"].reads.reset();
  scene.run(30);
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Findings, ReadsFailEverywhere) {
  for (const auto* name : {"a", "b", "c"}) scene[name].reads = false;
  scene.run(36);
  EXPECT_EQ(scene.problems(), "QuorumLost()");
  EXPECT_EQ(scene.verdict(Check::kQuorumLost).summary,
            "quorum lost: 3 of 3 voters alive, but none completes a linearizable read");
}

TEST_F(Findings, MemberListDisagreement) {
  auto stale = scene.seen.membership.members;
  stale.pop_back();
  const auto say = [&] {
    for (std::size_t i = 0; i < 3; ++i) {
      facts(i).local_members = i == 1 ? stale : scene.seen.membership.members;
      facts(i).local_members_at = scene.seen.at.steady;
    }
  };
  say();
  scene.run(10);
  EXPECT_FALSE(scene.has(Check::kMemberListDisagreement, "b"));  // one look
  say();
  scene.run(1);
  EXPECT_EQ(scene.verdict(Check::kMemberListDisagreement, "b").severity, Severity::kWarning);
  EXPECT_EQ(scene.verdict(Check::kMemberListDisagreement, "b").detail, "it does not know c");
  scene.run(30);
  EXPECT_EQ(scene.verdict(Check::kMemberListDisagreement, "b").severity, Severity::kCritical);
  stale = scene.seen.membership.members;
  say();
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Findings, RevisionDivergence) {
  scene["b"].revision = 49;
  scene.run(29);
  EXPECT_EQ(scene.problems(), "");
  scene.run(5);
  EXPECT_EQ(scene.problems(), "RevisionDivergence(b)");
  EXPECT_EQ(scene.verdict(Check::kRevisionDivergence, "b").severity, Severity::kCritical);
  EXPECT_EQ(scene.verdict(Check::kRevisionDivergence, "b").detail,
            "index 100: b at 49, a at 50 and c at 50");
}

TEST_F(Findings, RevisionsOfAMovingClusterAreNotCompared) {
  scene["b"].revision = 49;
  for (int i = 0; i < 60; ++i) {
    for (const auto* name : {"a", "b", "c"}) ++scene[name].applied;
    scene.run(1);
  }
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Findings, LeaderViewDisagreement) {
  scene.follow({"c"}, "b", 5);
  scene["c"].reads = true;
  scene.run(25);
  EXPECT_EQ(scene.problems(), "");
  scene.run(10);
  EXPECT_EQ(scene.problems(), "LeaderViewDisagreement(c)");
  scene["c"].reads.reset();
  // The leader of an older term is a member's lag, not a second leader.
  scene.follow({"a", "b"}, "a", 7);
  scene.run(60);
  EXPECT_EQ(scene.problems(), "ReadFailing(c)");
  EXPECT_EQ(scene.found.leader.name, "a");
}

TEST_F(Findings, DataDivergence) {
  const auto hash = [&](std::size_t i, std::int64_t revision, std::uint32_t value,
                        std::int64_t compacted = 5) {
    facts(i).hash_history.push_back({scene.seen.at.steady, revision, compacted, value});
  };
  for (std::size_t i = 0; i < 3; ++i) hash(i, 40, i == 2 ? 0xbad : 0x900d);
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");  // at one revision only
  hash(0, 45, 0x1), hash(1, 45, 0x1), hash(2, 45, 0x2, 6);
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");  // another compaction cannot be compared
  for (std::size_t i = 0; i < 3; ++i) hash(i, 50, i == 2 ? 0xbad : 0x900d);
  scene.run(1);
  EXPECT_EQ(scene.problems(), "DataDivergence(c)");
  EXPECT_EQ(scene.verdict(Check::kDataDivergence, "c").detail,
            "different hashes at revisions 40 and 50");
  for (std::size_t i = 0; i < 3; ++i) hash(i, 60, 0x900d);
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
}

TEST_F(Findings, ConnectionsThatComeBackAreNoOutage) {
  for (int i = 0; i < 5; ++i) {
    auto& link = facts(1).link;
    link.last_ended = scene.seen.at.steady + 20ms;
    link.state = model::LinkFacts::State::kDown;
    link.last_error = Error{ErrorCode::kUnavailable, "connection ended", Cause::kReset};
    scene.look();
    EXPECT_EQ(scene.reach("b"), Reach::kSuspect);
    scene.run(1);
    EXPECT_EQ(scene.problems(), "");
    EXPECT_EQ(scene.reach("b"), Reach::kReachable);
  }
  EXPECT_THAT(scene.events(), Not(Contains(EventKind::kMemberDown)));
  EXPECT_THAT(scene.events(), Contains(EventKind::kMemberReconnected));
  EXPECT_EQ(scene.found.members[1].restarts_15m, 0U);
}

TEST_F(Findings, LeaderChangesBetweenTwoLooks) {
  for (const std::size_t i : {0U, 1U, 2U}) facts(i).metrics->leader_changes_seen = 1;
  const auto pages = [&](double value) {
    for (const std::size_t i : {0U, 1U, 2U}) {
      facts(i).metrics->at = scene.seen.at.steady;
      facts(i).metrics->leader_changes_seen = value;
    }
    scene.look();
  };
  pages(1);
  scene.step_wall_clock(0s);
  for (int i = 0; i < 3; ++i) {
    facts(0).metrics->at += 1s, facts(1).metrics->at += 1s, facts(2).metrics->at += 1s;
    scene.look();
  }
  EXPECT_EQ(scene.found.leader.changes, 0U);
  // One member's own trouble is no change of leader; a majority's is.
  for (int i = 0; i < 3; ++i) {
    facts(0).metrics->leader_changes_seen = 5;
    for (std::size_t m = 0; m < 3; ++m) facts(m).metrics->at += 1s;
    scene.look();
  }
  EXPECT_EQ(scene.found.leader.changes, 0U);
  for (int i = 0; i < 3; ++i) {
    facts(1).metrics->leader_changes_seen = 3;
    for (std::size_t m = 0; m < 3; ++m) facts(m).metrics->at += 1s;
    scene.look();
  }
  EXPECT_EQ(scene.found.leader.changes, 2U);
  EXPECT_EQ(scene.found.leader.changes_1h, 2U);
}

TEST_F(Findings, LearnerThatDoesNotCatchUp) {
  Scene with_learner(3, 1);
  with_learner["a"].applied = 100'000;
  with_learner.run(60);
  EXPECT_EQ(with_learner.problems(), "");
  with_learner.run(600);
  EXPECT_EQ(with_learner.problems(), "LearnerLagging(d)");
  EXPECT_EQ(with_learner.found.members[3].lag, 99'900U);
  with_learner["d"].applied = 99'000;
  with_learner.run(1);
  EXPECT_EQ(with_learner.problems(), "");
}

TEST_F(Findings, TwoMembersOfOneName) {
  scene.add("d", true, true);
  scene["d"].entry.name = "c";
  scene.seen.membership.members[3].name = "c";
  scene.run(2);
  EXPECT_EQ(scene.found.members[2].name, "c (3)");
  EXPECT_EQ(scene.found.members[3].name, "c (4)");
}

TEST_F(Findings, IsolatedLeaderIsReplaced) {
  scene.follow({"b", "c"}, "b", 6);
  scene.run(1);
  scene.follow({"a"}, "", 5);
  scene.cut("a", "b");
  scene.cut("a", "c");
  scene.run(15);
  EXPECT_EQ(scene.problems(), "Partition()");
  EXPECT_EQ(scene.found.partition.text, "a is cut off from b and c");
  EXPECT_EQ(scene.found.leader.name, "b");
  EXPECT_EQ(scene.found.quorum.has_quorum, true);
}

TEST_F(Findings, ADeadMemberIsNoPartition) {
  scene.kill("c");
  scene.run(40);
  EXPECT_EQ(scene.problems(), "MemberUnreachable(c)");
  EXPECT_EQ(scene.found.partition.kind, PartitionKind::kNone);
  EXPECT_EQ(scene.found.peers.at(0, 2), model::LinkState::kUnknown);
  scene.start("c");
  for (int i = 0; i < 30; ++i) {
    scene.run(1);
    EXPECT_EQ(scene.found.partition.kind, PartitionKind::kNone);
    EXPECT_EQ(scene.problems(), "");
  }
}

TEST_F(Findings, SuspicionEndsWhenTheFollowerFindsItsLeaderAgain) {
  scene.follow({"c"}, "", 5);
  scene.run(4);
  EXPECT_TRUE(scene.found.partition.suspected);
  scene.follow({"c"}, "a", 5);
  scene.run(2);
  EXPECT_EQ(scene.problems(), "");
  EXPECT_FALSE(scene.found.partition.suspected);
  EXPECT_EQ(scene.found.leader.changes, 0U);
}

TEST_F(Findings, WeCannotOpenConnections) {
  facts(0).link.state = model::LinkFacts::State::kDown;
  facts(0).link.failures = 1;
  facts(0).link.since = scene.seen.at.steady;
  facts(0).link.last_error =
      Error{ErrorCode::kResourceExhausted, "too many open files", Cause::kLocal};
  scene.look();
  EXPECT_EQ(scene.problems(), "MonitorStalled()");
  EXPECT_EQ(scene.reach("a"), Reach::kReachable);
}

TEST_F(Findings, AConnectionThatWeDroppedForANewOneIsNoTrouble) {
  facts(0).link.state = model::LinkFacts::State::kDown;
  facts(0).link.since = scene.seen.at.steady;
  facts(0).link.last_error = Error{ErrorCode::kUnavailable, "dropped for a new one", Cause::kLocal};
  scene.look();
  EXPECT_EQ(scene.problems(), "");
}

// A member that lags hears of a fresh token late.
TEST_F(Findings, AnUnknownTokenIsToldWhenItStaysSo) {
  scene["b"].mode = Mode::kNoToken;
  scene.run(1);
  EXPECT_EQ(scene.problems(), "");
  scene.run(1);
  EXPECT_EQ(scene.problems(), "NotAuthorised()");
  scene["b"].mode = Mode::kUp;
  scene.run(31);
  EXPECT_EQ(scene.problems(), "");
}

}  // namespace
}  // namespace etcdmon::collect
