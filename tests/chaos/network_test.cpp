// Networks that are cut, between members and between them and us.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/netns_cluster.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::NetnsCluster;
using kit::no;
using kit::reach_is;
using kit::Watched;
using model::Check;
using model::PartitionKind;
using model::Reach;
using testing::IsEmpty;

using Links = std::set<std::pair<std::string, std::string>>;

// The cut links by name, without regard to direction.
Links cut_links(const model::ClusterView& view) {
  Links links;
  for (const auto& [from, to] : view.assessment.partition.cut_links) {
    const auto name = [&](MemberId id) {
      const auto& members = view.assessment.members;
      const auto found = std::ranges::find(members, id, &model::MemberAssessment::id);
      return found == members.end() ? to_hex(id) : found->name;
    };
    links.insert(std::minmax(name(from), name(to)));
  }
  return links;
}

kit::Condition partition_is(std::vector<PartitionKind> kinds, Links links) {
  return [kinds = std::move(kinds), links = std::move(links)](const model::ClusterView& view) {
    const auto& partition = view.assessment.partition;
    return !partition.suspected && std::ranges::find(kinds, partition.kind) != kinds.end() &&
           cut_links(view) == links;
  };
}

bool quorum_holds(const model::ClusterView& view) {
  return view.assessment.quorum.has_quorum == true;
}

class Network : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  void SetUp() override {
    if (const auto& why = NetnsCluster::unavailable_reason(); !why.empty()) GTEST_SKIP() << why;
  }

  void start(std::size_t members = 3) {
    cluster_.emplace(kit::EtcdCluster::Options{.version = GetParam(), .members = members});
  }
  kit::EtcdCluster& etcd() { return cluster_->etcd(); }
  std::string name(std::size_t i) { return etcd().member(i).name; }
  std::pair<std::string, std::string> link(std::size_t i, std::size_t j) {
    return std::minmax(name(i), name(j));
  }
  // Two that do not lead, and the one that does.
  struct Roles {
    std::size_t leader, one, other;
  };
  Roles roles() {
    const auto leader = etcd().leader();
    return {leader, (leader + 1) % 3, (leader + 2) % 3};
  }

  std::optional<NetnsCluster> cluster_;
};

// With the product's own intervals: the time the design gives is for these.
Watched::Options as_delivered(const kit::EtcdCluster& cluster) {
  return {.endpoints = cluster.endpoints(), .adjust = [](app::ClusterOptions& options) {
            options.collect.health_check_interval = 30s;
            options.collect.metrics_interval = 10s;
          }};
}

TEST_P(Network, TwoFollowersCutFromEachOtherShowInTheMatrixOnly) {
  start();
  Watched watched(as_delivered(etcd()));
  watched.until(all_well(3), 10s, "healthy before");
  const auto [leader, one, other] = roles();
  watched.mark();
  cluster_->cut(one, other);
  const auto took = watched.until(partition_is({PartitionKind::kPairwise}, {link(one, other)}), 25s,
                                  "the cut link is named");
  RecordProperty("cut_link_named_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 15s);
  EXPECT_TRUE(quorum_holds(*watched.view()));
  EXPECT_EQ(watched.view()->assessment.leader.changes, 0U);
  for (const auto& member : watched.view()->assessment.members)
    EXPECT_EQ(member.reach, Reach::kReachable) << member.name;
  EXPECT_THAT(watched.said_besides({"Partition"}), IsEmpty()) << watched.story();
  cluster_->heal();
  watched.until(all_well(3), 30s, "healthy after");
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Network, AFollowerCutOffFromItsPeersIsIsolated) {
  start();
  Watched watched(etcd());
  watched.until(all_well(3), 10s, "healthy before");
  const auto [leader, one, other] = roles();
  watched.mark();
  cluster_->isolate(one);
  const auto suspected = watched.until(
      [](const auto& view) { return view.assessment.partition.kind != PartitionKind::kNone; }, 10s,
      "suspected");
  EXPECT_LE(suspected, 5s);
  const auto took = watched.until(
      partition_is({PartitionKind::kIsolatedMember}, {link(one, leader), link(one, other)}), 25s,
      "isolated, both links named");
  RecordProperty("cut_links_named_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 15s);
  EXPECT_TRUE(quorum_holds(*watched.view()));
  EXPECT_EQ(watched.view()->assessment.leader.changes, 0U);
  EXPECT_THAT(watched.said_besides({"Partition", "ReadFailing"}), IsEmpty()) << watched.story();
  cluster_->heal();
  watched.until(all_well(3), 30s, "healthy after");
}

TEST_P(Network, AnIsolatedLeaderStepsDownAndIsNoSecondLeader) {
  start();
  Watched watched(etcd());
  watched.until(all_well(3), 10s, "healthy before");
  const auto [leader, one, other] = roles();
  watched.mark();
  cluster_->isolate(leader);
  const auto changed = watched.until(
      [&, old = name(leader)](const auto& view) {
        const auto& now = view.assessment.leader;
        return now.changes == 1 && now.leader && now.name != old;
      },
      10s, "a new leader");
  RecordProperty("leader_changed_ms", static_cast<int>(changed.count()));
  const auto took = watched.until(
      partition_is({PartitionKind::kIsolatedMember}, {link(leader, one), link(leader, other)}), 25s,
      "isolated, both links named");
  EXPECT_LE(took, 15s);
  EXPECT_TRUE(quorum_holds(*watched.view()));
  EXPECT_THAT(watched.said_besides({"Partition", "ReadFailing", "NoLeader"}), IsEmpty())
      << watched.story();
  cluster_->heal();
  watched.until(all_well(3), 30s, "healthy after");
  EXPECT_THAT(watched.said_besides({"Partition", "ReadFailing", "NoLeader"}), IsEmpty())
      << watched.story();
}

// Acknowledgements are lost too, so that TCP ends both ways in the end.
TEST_P(Network, AOneWayCutBetweenFollowersIsNamed) {
  start();
  Watched watched(etcd());
  watched.until(all_well(3), 10s, "healthy before");
  const auto [leader, one, other] = roles();
  watched.mark();
  cluster_->cut_one_way(one, other);
  const auto took = watched.until(
      partition_is({PartitionKind::kOneWay, PartitionKind::kPairwise}, {link(one, other)}), 25s,
      "the cut link is named");
  EXPECT_LE(took, 15s);
  EXPECT_TRUE(quorum_holds(*watched.view()));
  EXPECT_THAT(watched.said_besides({"Partition"}), IsEmpty()) << watched.story();
  cluster_->heal();
  watched.until(all_well(3), 30s, "healthy after");
}

TEST_P(Network, ASplitOfFiveNamesBothSides) {
  start(5);
  Watched watched(etcd());
  watched.until(all_well(5), 10s, "healthy before");
  const auto leader = etcd().leader();
  const std::vector<std::size_t> minority = {leader, (leader + 1) % 5};
  const std::vector<std::size_t> majority = {(leader + 2) % 5, (leader + 3) % 5, (leader + 4) % 5};
  Links links;
  for (const auto i : minority) {
    for (const auto j : majority) links.insert(link(i, j));
  }
  watched.mark();
  cluster_->split(minority, majority);
  const auto took =
      watched.until(partition_is({PartitionKind::kSplit}, links), 25s, "split, six links named");
  RecordProperty("cut_links_named_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 15s);
  const auto view = watched.view();
  ASSERT_EQ(view->assessment.partition.groups.size(), 2U);
  EXPECT_EQ(view->assessment.partition.groups[0].size(), 3U);
  EXPECT_TRUE(quorum_holds(*view));
  EXPECT_THAT(watched.said_besides({"Partition", "ReadFailing", "NoLeader"}), IsEmpty())
      << watched.story();
  cluster_->heal();
  watched.until(all_well(5), 30s, "healthy after");
}

TEST_P(Network, WhatOnlyWeCannotReachIsSaidSo) {
  start();
  Watched watched(etcd());
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster_->cut_from_monitor(0);
  const auto down = [&](const model::ClusterView& view) {
    return reach_is(name(0), Reach::kUnreachable)(view) || reach_is(name(0), Reach::kHung)(view);
  };
  const auto took = watched.until(down, 8s, "out of our reach");
  RecordProperty("out_of_reach_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 4s);
  const auto seen = watched.until(
      [](const auto& view) {
        return view.assessment.partition.kind == PartitionKind::kUnreachableFromUs;
      },
      25s, "its peers see it");
  RecordProperty("seen_by_peers_ms", static_cast<int>(seen.count()));
  EXPECT_LE(seen, 15s);
  EXPECT_TRUE(quorum_holds(*watched.view()));
  EXPECT_THAT(watched.said_besides({"MemberUnreachable", "MemberHung"}), IsEmpty())
      << watched.story();

  // One is left to us, and its reads through quorum prove that the others live.
  cluster_->cut_from_monitor(1);
  watched.stays(quorum_holds, 6s, "quorum is known by the last one's reads");
  EXPECT_THAT(watched.said_besides({"MemberUnreachable", "MemberHung"}), IsEmpty())
      << watched.story();
  cluster_->heal();
  watched.until(all_well(3), 30s, "healthy after");
}

TEST_P(Network, ALinkThatLosesPacketsIsNoDisaster) {
  start();
  Watched watched(etcd());
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster_->lose(0, 1, 20);
  cluster_->lose(1, 2, 20);
  cluster_->lose(0, 2, 20);
  watched.stays(no([](const auto& view) {
                  return std::ranges::any_of(view.assessment.verdicts, [](const auto& verdict) {
                    return verdict.severity == model::Severity::kCritical &&
                           verdict.check != Check::kNoLeader;
                  });
                }),
                20s, "nothing critical");
  EXPECT_THAT(watched.alerts_fired(), IsEmpty()) << watched.story();
  cluster_->heal();
  watched.until(all_well(3), 30s, "healthy after");
}

INSTANTIATE_TEST_SUITE_P(Versions, Network, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

}  // namespace
}  // namespace etcdmon
