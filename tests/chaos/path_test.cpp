// What stands between the monitor and the members: proxies, load balancers, lines that are slow,
// dead, or lead somewhere else.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chaos/versions.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/run.hpp"
#include "kit/tcp_gate.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::both;
using kit::EtcdCluster;
using kit::has;
using kit::reach_is;
using kit::TcpGate;
using kit::Watched;
using model::Check;
using model::Reach;
using testing::IsEmpty;
using Way = TcpGate::Way;

// Three members that advertise a gate each: there is no other way to them.
class Path : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  void start() {
    cluster_ = std::make_unique<EtcdCluster>(
        EtcdCluster::Options{.version = GetParam(), .advertise_client = [this](const auto& member) {
                               gates_.push_back(std::make_unique<TcpGate>(member.client_url));
                               return "http://" + gates_.back()->address();
                             }});
    watched_ = std::make_unique<Watched>(
        Watched::Options{.endpoints = {"http://" + gates_[0]->address()}});
    watched().until(all_well(3), 10s, "healthy before");
    watched().mark();
  }
  Watched& watched() { return *watched_; }
  TcpGate& gate(std::size_t i) { return *gates_.at(i); }
  std::string name(std::size_t i) { return cluster_->member(i).name; }
  void each(const std::function<void(TcpGate&)>& action) {
    for (const auto& gate : gates_) action(*gate);
  }

  std::vector<std::unique_ptr<TcpGate>> gates_;
  std::unique_ptr<EtcdCluster> cluster_;
  std::unique_ptr<Watched> watched_;
};

TEST_P(Path, ALoadBalancerThatResetsIdleConnectionsIsNoEvent) {
  start();
  each([](TcpGate& gate) { gate.close_idle_after(300ms, TcpGate::End::kReset); });
  watched().stays(kit::healthy(), 8s, "healthy all the while");
  EXPECT_GT(gate(0).counts().accepted, 5);
  EXPECT_THAT(watched().said(), IsEmpty()) << watched().story();
  EXPECT_THAT(watched().alerts_fired(), IsEmpty());
  EXPECT_THAT(watched().errors_logged(), IsEmpty());
}

TEST_P(Path, ConnectionsThatAreHalfOpenAreReplacedWithoutAWord) {
  start();
  gate(1).half_open();
  watched().until(reach_is(name(1), Reach::kSuspect), 3s, "a pulse is missed");
  EXPECT_LE(watched().until(all_well(3), 3s, "answers on a new connection"), 4s);
  watched().stays(all_well(3), 3s, "stays so");
  EXPECT_THAT(watched().said(), IsEmpty()) << watched().story();
}

TEST_P(Path, ABlackHoleIsAHungMemberAndNothingElse) {
  start();
  gate(2).cut(Way::kBoth);
  const auto took = watched().until(reach_is(name(2), Reach::kHung), 8s, "hung");
  RecordProperty("hung_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 4s);
  // In the end the connection is given up: then nobody answers the door either.
  watched().stays(
      [this](const auto& view) {
        return reach_is(name(2), Reach::kHung)(view) ||
               reach_is(name(2), Reach::kUnreachable)(view);
      },
      10s, "stays so");
  EXPECT_EQ(watched().view()->assessment.quorum.has_quorum, true);
  EXPECT_THAT(watched().said_besides({"MemberHung", "MemberUnreachable"}), IsEmpty())
      << watched().story();
  gate(2).heal();
  watched().until(all_well(3), 10s, "healthy after");
}

TEST_P(Path, ADoorThatIsNeverAnsweredIsAnUnreachableMember) {
  start();
  gate(1).ignore();
  gate(1).reset_all();
  const auto took = watched().until(reach_is(name(1), Reach::kUnreachable), 8s, "unreachable");
  RecordProperty("unreachable_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 4s);
  EXPECT_THAT(watched().said_besides({"MemberUnreachable"}), IsEmpty()) << watched().story();
  gate(1).heal();
  watched().until(all_well(3), 10s, "healthy after");
}

TEST_P(Path, ARefusedConnectionIsSeenAtOnce) {
  start();
  gate(1).refuse();
  gate(1).reset_all();
  const auto took = watched().until(reach_is(name(1), Reach::kUnreachable), 3s, "unreachable");
  RecordProperty("refused_ms", static_cast<int>(took.count()));
  EXPECT_LE(took, 200ms);
  gate(1).heal();
  watched().until(all_well(3), 10s, "healthy after");
  EXPECT_THAT(watched().said_besides({"MemberUnreachable"}), IsEmpty()) << watched().story();
}

TEST_P(Path, ASlowLineIsOnlySlow) {
  start();
  each([](TcpGate& gate) { gate.delay(Way::kBoth, 100ms); });
  watched().stays(all_well(3), 8s, "healthy all the while");
  EXPECT_THAT(watched().said(), IsEmpty()) << watched().story();
}

TEST_P(Path, AnswersInSlicesOfAByteAreAnswers) {
  start();
  // The gate pauses after each byte: a page of /metrics takes longer than it is waited for, Status
  // does not.
  each([](TcpGate& gate) { gate.slice(Way::kBoth, 1); });
  watched().stays(all_well(3), 7s, "healthy all the while");
  EXPECT_THAT(watched().said(), IsEmpty()) << watched().story();
}

INSTANTIATE_TEST_SUITE_P(Versions, Path, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Path);

struct Footprint {
  std::size_t descriptors = 0;
  double resident_mb = 0;
};

Footprint footprint() {
  Footprint now;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++now.descriptors;
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  now.resident_mb = resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  return now;
}

// A connection that is reset within a second is not redialled at once, and rightly so: many
// monitors make many connections.
class Leaks : public Path {
 protected:
  static constexpr std::size_t kMonitors = 16;

  void start_all() {
    start();
    for (std::size_t i = 1; i < kMonitors; ++i) {
      others_.push_back(std::make_unique<Watched>(
          Watched::Options{.endpoints = {"http://" + gates_[0]->address()}}));
    }
    all_are_well();
  }
  void all_are_well() {
    watched().until(all_well(3), 10s, "healthy");
    for (const auto& other : others_) other->until(all_well(3), 10s, "healthy");
  }
  int accepted() const {
    int sum = 0;
    for (const auto& gate : gates_) sum += gate->counts().accepted;
    return sum;
  }
  // All connections stand for a second, and are reset, until that many new ones have come.
  void reconnect(int times) {
    const int goal = accepted() + times;
    for (int round = 0; round < 60 && accepted() < goal; ++round) {
      std::this_thread::sleep_for(1100ms);
      each([](TcpGate& gate) { gate.reset_all(); });
    }
    ASSERT_GE(accepted(), goal);
  }
  void forget_what_was_said() {
    watched().mark();
    for (const auto& other : others_) other->mark();
  }

  std::vector<std::unique_ptr<Watched>> others_;
};

TEST_P(Leaks, AThousandReconnectsLeaveNothingBehind) {
  start_all();
  reconnect(300);
  all_are_well();
  forget_what_was_said();
  const auto before = footprint();
  reconnect(1'000);
  all_are_well();
  EXPECT_THAT(watched().errors_logged(), IsEmpty());
  forget_what_was_said();
  const auto after = footprint();
  RecordProperty("resident_growth_kb",
                 static_cast<int>(1024 * (after.resident_mb - before.resident_mb)));
  RecordProperty("descriptors_growth", static_cast<int>(after.descriptors - before.descriptors));
  EXPECT_LT(after.resident_mb, before.resident_mb + 4);
  EXPECT_LE(after.descriptors, before.descriptors + 3 * kMonitors / 2);
}

ETCDMON_NEWEST_AND_NIGHTLY(Leaks);

class Addresses : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options() const { return {.version = GetParam()}; }
};

TEST_P(Addresses, ALoadBalancerIsRecognisedAndEveryMemberIsFoundBehindIt) {
  EtcdCluster cluster(options());
  TcpGate balancer(cluster.endpoint(0));
  const auto url = "http://" + balancer.address();
  Watched watched({.endpoints = {url}});
  watched.until(all_well(3), 10s, "three members, all well");
  watched.mark();
  for (std::size_t turn = 1; turn <= 4; ++turn) {
    balancer.set_target(cluster.endpoint(turn % 3));
    balancer.reset_all();
    if (turn == 1) watched.until(has(Check::kLoadBalancer, url), 6s, "recognised");
    watched.until(all_well(3), 5s, "all well");
    watched.stays(all_well(3), 2s, "stays so");
  }
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
}

TEST_P(Addresses, TwoEndpointsThatAreOneMemberAreTold) {
  EtcdCluster cluster(options());
  TcpGate other_way(cluster.endpoint(0));
  const auto url = "http://" + other_way.address();
  Watched watched({.endpoints = {cluster.endpoint(0), url}});
  watched.until(both(all_well(3), has(Check::kDuplicateEndpoint)), 10s, "told, and all well");
  watched.stays(both(all_well(3), has(Check::kDuplicateEndpoint)), 3s, "stays so");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
}

TEST_P(Addresses, AnAdvertisedUrlThatNobodyCanReachIsToldAndNotUsed) {
  auto chosen = options();
  chosen.advertise_client = [](const auto& member) {
    return "http://127.0.0.1:" + std::string(member.name.ends_with('0') ? "1" : "2");
  };
  const EtcdCluster cluster(chosen);
  Watched watched(cluster);
  watched.until(both(all_well(3), has(Check::kAdvertisedUnreachable, cluster.member(1).name)), 10s,
                "asked at the given endpoints, and told so");
  watched.stays(both(all_well(3), has(Check::kAdvertisedUnreachable)), 8s, "stays so");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
}

// As with all members advertising http://localhost:2379.
TEST_P(Addresses, AMemberThatAdvertisesAnothersAddressIsNotTakenForIt) {
  auto chosen = options();
  std::string first;
  chosen.advertise_client = [&first](const auto& member) {
    if (first.empty()) first = member.client_url;
    return first;
  };
  EtcdCluster cluster(chosen);
  Watched watched({.endpoints = {cluster.endpoint(0)}});
  watched.until(both(has(Check::kMisAddressed, cluster.member(1).name),
                     has(Check::kMisAddressed, cluster.member(2).name)),
                10s, "mis-addressed");
  watched.mark();
  const auto knows_quorum = [](const model::ClusterView& view) {
    return view.assessment.quorum.has_quorum == true;
  };
  watched.until(knows_quorum, 5s, "quorum, by the reads of the one that is reached");
  watched.stays(knows_quorum, 12s, "stays known");
  EXPECT_EQ(watched.view()->assessment.quorum.voters, 3);
  EXPECT_THAT(watched.said_besides({"MisAddressed"}), IsEmpty()) << watched.story();
}

INSTANTIATE_TEST_SUITE_P(Versions, Addresses, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Addresses);

}  // namespace
}  // namespace etcdmon
