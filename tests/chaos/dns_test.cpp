// Endpoints by name: SRV records, names that stop resolving, a DNS server that keeps silent.
#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chaos/versions.hpp"
#include "kit/dns_server.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/monitor.hpp"
#include "kit/netns_cluster.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::DnsServer;
using kit::EtcdCluster;
using kit::Monitor;
using nlohmann::json;
using testing::HasSubstr;

bool is_healthy(const json& status) {
  return status["healthy"] == true && status["member_count"] == 3 && status["available"] == 3;
}

// A cluster and a monitor in a network of their own, where names mean what the test says. The
// members advertise themselves by name.
class Dns : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  void SetUp() override {
    if (const auto& why = kit::NetnsCluster::unavailable_reason(); !why.empty())
      GTEST_SKIP() << why;
    net_ = kit::Netns::make();
    dns_.emplace(*net_);
    for (int i = 1; i <= 3; ++i) dns_->address(fmt::format("m{}.etcd.test", i), "127.0.0.1");
    EtcdCluster::Options options{.version = GetParam()};
    options.place = [this](std::size_t) { return kit::LocalEtcd::Place{.command = net_->enter()}; };
    options.ctl_command = net_->enter();
    options.advertise_client = [](const kit::LocalEtcd::Member& member) {
      return fmt::format("http://{}.etcd.test{}", member.name,
                         member.client_url.substr(member.client_url.rfind(':')));
    };
    cluster_.emplace(std::move(options));
  }

  std::string name(std::size_t i) const { return cluster_->member(i).name + ".etcd.test"; }
  Monitor monitor(std::vector<std::string> flags) {
    return Monitor({.flags = std::move(flags),
                    .inside = net_->enter(),
                    .before = DnsServer::resolve_there(dir_.path().string())});
  }

  kit::TempDir dir_;
  std::optional<kit::Netns> net_;
  std::optional<DnsServer> dns_;
  std::optional<EtcdCluster> cluster_;
};

TEST_P(Dns, SrvRecordsLeadToTheCluster) {
  for (std::size_t i = 0; i < 3; ++i)
    dns_->service("_etcd-client._tcp.prod.test", name(i), cluster_->port(i));
  dns_->service("_etcd-client-blue._tcp.prod.test", name(1), cluster_->port(1));
  const auto all = monitor({"--discovery-srv=prod.test"});
  const auto status = all.until(is_healthy, 10s, "healthy by SRV records");
  EXPECT_EQ(status["endpoints"].size(), 3U);
  const auto one = monitor({"--discovery-srv=prod.test", "--discovery-srv-name=blue"});
  EXPECT_EQ(one.until(is_healthy, 10s, "healthy by one record")["endpoints"].size(), 1U);
}

TEST_P(Dns, RecordsThatComeLaterAreFound) {
  const auto watching = monitor({"--discovery-srv=prod.test"});
  EXPECT_NE(watching.json("/api/v1/cluster/status")["healthy"], true);
  dns_->service("_etcd-client._tcp.prod.test", name(0), cluster_->port(0));
  watching.until(is_healthy, 20s, "healthy once the record is there");
}

TEST_P(Dns, ANameThatStopsResolvingHurtsWhenItIsNeeded) {
  auto watching = monitor({"--endpoints=" + name(0) + fmt::format(":{}", cluster_->port(0))});
  watching.until(is_healthy, 10s, "healthy before");
  for (std::size_t i = 0; i < 3; ++i) dns_->forget(name(i));
  const auto still =
      kit::eventually([&] { return !is_healthy(watching.json("/api/v1/cluster/status")); }, 3s);
  EXPECT_FALSE(still) << "open connections need no name";

  cluster_->restart(2);
  const auto lost = watching.until(
      [](const json& status) {
        return std::ranges::any_of(status["verdicts"], [](const json& verdict) {
          return verdict["check"] == "MemberUnreachable";
        });
      },
      10s, "the restarted member is lost by name");
  EXPECT_THAT(lost.dump(), HasSubstr("m3 is unreachable (dns)"));
  EXPECT_THAT(lost.dump(), HasSubstr("m3.etcd.test"));
  EXPECT_EQ(lost["has_quorum"], true);
  for (int i = 1; i <= 3; ++i) dns_->address(fmt::format("m{}.etcd.test", i), "127.0.0.1");
  watching.until(is_healthy, 15s, "healthy again");
  EXPECT_TRUE(watching.program().terminate(5s).has_value());
}

TEST_P(Dns, ASilentServerHoldsNothingUp) {
  dns_->ignore(true);
  auto watching = monitor({"--endpoints=" + name(0) + fmt::format(":{}", cluster_->port(0)) + "," +
                           cluster_->endpoint(1)});
  watching.until([](const json& status) { return status["available"] >= 1; }, 10s,
                 "the endpoint with an address is asked");
  // Its threads hang in the system's resolver meanwhile.
  const auto began = std::chrono::steady_clock::now();
  const auto ended = watching.program().terminate(6s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 0) << watching.said("ended badly");
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Dns);
INSTANTIATE_TEST_SUITE_P(Newest, Dns, testing::ValuesIn(kit::newest_only()), kit::version_name);

}  // namespace
}  // namespace etcdmon
