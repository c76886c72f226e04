// Members that die, hang, restart, come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/etcd_cluster.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::EtcdCluster;
using kit::has;
using kit::reach_is;
using kit::Watched;
using model::Check;
using model::Reach;
using testing::IsEmpty;

class Members : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options() const { return {.version = GetParam()}; }
};

TEST_P(Members, AHealthyClusterIsFoundFromOneEndpoint) {
  const EtcdCluster cluster(options());
  Watched watched({.endpoints = {cluster.endpoint(0)}});
  EXPECT_LT(watched.until(all_well(3), 5s, "three members, all well"), 3s);
  watched.stays(all_well(3), 3s, "healthy");
  EXPECT_THAT(watched.said(), IsEmpty());
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Members, AKilledFollowerIsSeenAtOnceAndOnlyThat) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  const auto victim = cluster.follower();
  const auto name = cluster.member(victim).name;
  watched.mark();
  cluster.kill(victim);
  EXPECT_LT(watched.until(reach_is(name, Reach::kUnreachable), 5s, "unreachable"), 1s);
  watched.stays(has(Check::kMemberUnreachable, name), 8s, "goes on being unreachable");
  EXPECT_THAT(watched.said_besides({"MemberUnreachable"}), IsEmpty()) << watched.story();
  EXPECT_EQ(watched.view()->assessment.quorum.failures_tolerated, 0);
  EXPECT_EQ(watched.view()->assessment.quorum.has_quorum, true);
  cluster.restart(victim);
  watched.until(all_well(3), 20s, "healthy again");
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Members, AStoppedMemberIsHung) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  const auto victim = cluster.follower();
  const auto name = cluster.member(victim).name;
  watched.mark();
  cluster.stop(victim);
  EXPECT_LE(watched.until(reach_is(name, Reach::kHung), 8s, "hung"), 4s + 300ms);
  watched.stays(has(Check::kMemberHung, name), 5s, "goes on being hung");
  EXPECT_THAT(watched.said_besides({"MemberHung"}), IsEmpty()) << watched.story();
  cluster.cont(victim);
  watched.until(all_well(3), 20s, "healthy again");
}

TEST_P(Members, TheDeathOfTheLeaderIsAnElection) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  const auto victim = cluster.leader();
  const auto name = cluster.member(victim).name;
  watched.mark();
  cluster.kill(victim);
  watched.until(reach_is(name, Reach::kUnreachable), 2s, "unreachable");
  watched.until(
      [&](const auto& view) {
        return view.assessment.leader.changes == 1 && view.assessment.leader.leader;
      },
      10s, "a new leader, counted once");
  watched.stays([](const auto& view) { return view.assessment.leader.changes == 1; }, 5s,
                "one change only");
  EXPECT_THAT(watched.said_besides({"MemberUnreachable", "NoLeader"}), IsEmpty())
      << watched.story();
  cluster.restart(victim);
  watched.until(all_well(3), 20s, "healthy again");
}

TEST_P(Members, TenMovesOfTheLeaderAreTenChanges) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  for (std::uint64_t move = 1; move <= 10; ++move) {
    cluster.move_leader(cluster.follower());
    watched.until([move](const auto& view) { return view.assessment.leader.changes >= move; }, 6s,
                  fmt::format("change {}", move));
  }
  watched.stays([](const auto& view) { return view.assessment.leader.changes == 10; }, 3s,
                "ten changes");
  EXPECT_THAT(watched.said_besides({"NoLeader"}), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.alerts_fired(), testing::Contains("LeaderChanges"));
}

TEST_P(Members, TwoOfThreeGoneIsTheQuorumLost) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster.kill(0);
  cluster.kill(1);
  EXPECT_LE(watched.until(has(Check::kQuorumLost), 10s, "quorum lost"), 5s);
  watched.stays(has(Check::kQuorumLost), 6s, "goes on being lost");
  EXPECT_THAT(watched.said_besides({"MemberUnreachable", "QuorumLost", "NoLeader", "ReadFailing"}),
              IsEmpty())
      << watched.story();
  cluster.launch(0);
  cluster.launch(1);
  watched.until(all_well(3), 30s, "healthy again");
}

TEST_P(Members, AllGoneAndBack) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  for (std::size_t i = 0; i < 3; ++i) cluster.kill(i);
  watched.until(has(Check::kQuorumLost), 10s, "quorum lost");
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(reach_is(cluster.member(i).name, Reach::kUnreachable)(*watched.view()))
        << watched.story();
  cluster.restart_all();
  watched.until(all_well(3), 30s, "healthy again");
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Members, ALearnerIsAddedAndPromotedWithoutAFalseWord) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  const auto learner = cluster.add_learner();
  watched.until(
      [](const auto& view) {
        return view.assessment.quorum.learners == 1 && view.assessment.quorum.voters == 3;
      },
      20s, "a learner");
  watched.until(all_well(4), 20s, "four members, all well");
  cluster.promote(learner);
  watched.until(
      [](const auto& view) {
        return view.assessment.quorum.voters == 4 && view.assessment.quorum.quorum_size == 3;
      },
      20s, "a voter");
  watched.until(all_well(4), 20s, "healthy");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
}

TEST_P(Members, ARemovedMemberIsForgotten) {
  EtcdCluster cluster(options());
  Watched watched({.endpoints = {cluster.endpoint(0)}});
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster.remove(2);
  watched.until(all_well(2), 20s, "two members");
  watched.stays(all_well(2), 3s, "stays so");
}

TEST_P(Members, AReplacedMemberKeepsItsNameOnly) {
  EtcdCluster cluster(options());
  Watched watched({.endpoints = {cluster.endpoint(0)}});
  watched.until(all_well(3), 10s, "healthy before");
  const auto old_id = cluster.id(2);
  watched.mark();
  cluster.replace(2);
  watched.until(
      [&](const auto& view) {
        const auto& members = view.assessment.members;
        return all_well(3)(view) &&
               std::ranges::none_of(members, [&](const auto& m) { return m.id == old_id; });
      },
      30s, "three members, one of them new");
}

TEST_P(Members, ARestartIsAnEventAndNotAnAlarm) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.stays(all_well(3), 6s, "with metrics of every member");
  watched.mark();
  cluster.restart(cluster.follower());
  watched.until(all_well(3), 20s, "healthy again");
  watched.until(
      [](const auto& view) {
        return std::ranges::any_of(view.events, [](const auto& e) {
          return e.kind == model::EventKind::kMemberRestarted;
        });
      },
      15s, "told as a restart");
  EXPECT_THAT(watched.alerts_fired(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Versions, Members, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

}  // namespace
}  // namespace etcdmon
