#include <algorithm>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/demo/reserved_port.hpp"
#include "kit/certificates.hpp"
#include "kit/command.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/http_impostor.hpp"
#include "kit/loop_test.hpp"
#include "kit/manual_clock.hpp"
#include "kit/netns_cluster.hpp"
#include "kit/program.hpp"
#include "kit/run.hpp"
#include "kit/tcp_gate.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon::kit {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Steady = std::chrono::steady_clock;

std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto begin = Steady::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begin);
}

async::Captured curl(const std::string& url, std::vector<std::string> more = {}) {
  std::vector<std::string> argv{"curl", "-sS", "--noproxy", "*", "--max-time", "5"};
  argv.insert(argv.end(), more.begin(), more.end());
  argv.push_back(url);
  return command(std::move(argv));
}

// The members' HashKV, in the order of their numbers.
std::vector<std::string> hashes(EtcdCluster& cluster) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    const auto row = cluster.etcdctl_at(i, {"endpoint", "hashkv"});
    result.push_back(row.substr(row.find(", ") + 2));
  }
  return result;
}

class OnEachVersion : public testing::TestWithParam<EtcdVersion> {
 protected:
  EtcdCluster::Options options() { return {.version = GetParam()}; }
};

INSTANTIATE_TEST_SUITE_P(Versions, OnEachVersion, testing::ValuesIn(etcd_versions()), version_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OnEachVersion);

TEST_P(OnEachVersion, SurvivesItsMembersFates) {
  std::unique_ptr<EtcdCluster> cluster;
  const auto took = time_of([&] { cluster = std::make_unique<EtcdCluster>(options()); });
  RecordProperty("start_ms", static_cast<int>(took.count()));
  cluster->put("key", "one");

  const auto old_leader = cluster->leader();
  cluster->kill(old_leader);
  EXPECT_FALSE(cluster->running(old_leader));
  EXPECT_NE(cluster->leader(), old_leader);
  cluster->put("key", "two");
  EXPECT_EQ(cluster->get("key"), "two");

  cluster->restart(old_leader);
  const auto stopped = cluster->follower();
  cluster->stop(stopped);
  cluster->put("key", "three");
  cluster->cont(stopped);
  EXPECT_EQ(cluster->get("key"), "three");

  cluster->move_leader(stopped);
  EXPECT_EQ(cluster->leader(), stopped);

  for (std::size_t i = 0; i < 3; ++i) cluster->terminate(i);
  cluster->restart_all();
  EXPECT_EQ(cluster->get("key"), "three");
}

TEST_P(OnEachVersion, ChangesItsMembers) {
  EtcdCluster cluster(options());
  const auto learner = cluster.add_learner();
  EXPECT_THAT(cluster.etcdctl({"member", "list"}), HasSubstr("true"));
  cluster.promote(learner);
  EXPECT_THAT(cluster.etcdctl({"member", "list"}), testing::Not(HasSubstr("true")));
  const auto replaced = cluster.replace(learner);
  EXPECT_EQ(cluster.member(replaced).name, cluster.member(learner).name);
  EXPECT_NE(cluster.member(replaced).data_dir, cluster.member(learner).data_dir);
  EXPECT_EQ(cluster.endpoints().size(), 4U);
  cluster.remove(replaced);
  EXPECT_FALSE(cluster.running(replaced));
  EXPECT_EQ(cluster.endpoints().size(), 3U);
}

TEST_P(OnEachVersion, RaisesAndClearsAlarms) {
  auto chosen = options();
  chosen.members = 1;
  chosen.quota_bytes = 8U << 20U;
  EtcdCluster cluster(std::move(chosen));
  EXPECT_GT(cluster.fill_quota(), 3);
  EXPECT_THAT(cluster.etcdctl({"alarm", "list"}), HasSubstr("NOSPACE"));
  cluster.etcdctl({"del", "--prefix", "kit/fill"});
  cluster.compact();
  cluster.defrag(0);
  cluster.disarm_alarms();
  cluster.put("key", "fits again");
  cluster.raise_alarm(0, "CORRUPT");
  EXPECT_THAT(cluster.etcdctl({"alarm", "list"}), HasSubstr("CORRUPT"));
  cluster.disarm_alarms();
  EXPECT_EQ(cluster.etcdctl({"alarm", "list"}), "");
}

TEST_P(OnEachVersion, DivergesAfterCorruption) {
  EtcdCluster cluster(options());
  cluster.put("key", "value");
  EXPECT_TRUE(eventually([&] {
    const auto all = hashes(cluster);
    return all[0] == all[1] && all[1] == all[2];
  }));
  const auto victim = cluster.follower();
  cluster.corrupt(victim);
  const auto all = hashes(cluster);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i] == all[victim], i == victim) << testing::PrintToString(all);
  }
}

TEST_P(OnEachVersion, SpeaksTlsWithClientCertificatesAndAuth) {
  const TempDir dir;
  CertificateAuthority authority(dir.path());
  auto chosen = options();
  chosen.members = 1;
  chosen.tls = authority.etcd_tls(CertificateAuthority::ClientAuth::kRequired);
  EtcdCluster cluster(std::move(chosen));
  cluster.put("key", "secret");
  EXPECT_EQ(cluster.get("key"), "secret");

  const auto health = cluster.endpoint(0) + "/health";
  const auto with = [&](const CertificateAuthority::Files& files) {
    return curl(health, {"--cacert", authority.ca(), "--cert", files.cert, "--key", files.key});
  };
  EXPECT_THAT(with(authority.client("monitor")).out, HasSubstr("true"));
  EXPECT_FALSE(curl(health, {"--cacert", authority.ca()}).status.ok());
  EXPECT_FALSE(with(authority.issue({.ends = -1h})).status.ok());

  cluster.enable_auth("root-password", {{"reader", "reader-password", "read"}});
  cluster.put("key", "by root");
  cluster.raise_alarm(0, "CORRUPT");
  cluster.disarm_alarms();
  EXPECT_THROW(cluster.etcdctl({"put", "--user=reader:reader-password", "key", "no"}),
               std::runtime_error);
}

TEST_P(OnEachVersion, WritesSlowlyUnderStrace) {
  if (!has_program("strace")) GTEST_SKIP() << "strace is not installed";
  auto chosen = options();
  chosen.members = 1;
  chosen.slow_fsync[0] = 100ms;
  EtcdCluster cluster(std::move(chosen));
  EXPECT_GE(time_of([&] { cluster.put("key", "value"); }), 100ms);
  cluster.kill(0);
  EXPECT_FALSE(cluster.running(0));
}

TEST(EtcdCluster, MixesVersions) {
  if (etcd_versions().size() < 2) GTEST_SKIP() << "only one version of etcd is installed";
  EtcdCluster cluster({.version = etcd_versions().front()});
  cluster.put("key", "value");
  for (std::size_t i = 0; i < 3; ++i) cluster.restart_with(i, etcd_versions().back());
  EXPECT_EQ(cluster.get("key"), "value");
  EXPECT_THAT(cluster.etcdctl_at(1, {"endpoint", "status"}),
              HasSubstr(etcd_versions().back().version));
}

TEST(EtcdCluster, AdvertisesWhatItIsTold) {
  std::vector<std::unique_ptr<TcpGate>> gates;
  EtcdCluster cluster({.members = 1, .advertise_client = [&](const auto& member) {
                         gates.push_back(std::make_unique<TcpGate>(member.client_url));
                         return "http://" + gates.back()->address();
                       }});
  EXPECT_THAT(cluster.etcdctl({"member", "list"}), HasSubstr(gates.at(0)->address()));
  EXPECT_THAT(curl("http://" + gates[0]->address() + "/health").out, HasSubstr("true"));
}

TEST(EtcdCluster, LeavesNothingBehindWhenItsProcessIsKilled) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::pipe(pair.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    EtcdCluster cluster({.members = 1});
    const pid_t member = cluster.pid(0);
    const auto written = ::write(pair[1], &member, sizeof member);
    ::kill(::getpid(), SIGKILL);
    ::_exit(written > 0 ? 0 : 1);
  }
  pid_t member = 0;
  ASSERT_EQ(::read(pair[0], &member, sizeof member), static_cast<ssize_t>(sizeof member));
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(eventually([&] {
    const auto state = command({"ps", "-o", "stat=", "-p", std::to_string(member)}).out;
    return state.empty() || state.starts_with("Z");
  }));
}

TEST(ReservedPort, IsGivenToNobodyElse) {
  const auto port = app::demo::ReservedPort::take("127.0.0.1");
  ASSERT_TRUE(port);
  std::vector<Result<app::demo::ReservedPort>> others;
  for (int i = 0; i < 2000; ++i) {
    others.push_back(app::demo::ReservedPort::take("127.0.0.1"));
    ASSERT_TRUE(others.back());
    ASSERT_NE(others.back()->number(), port->number());
  }
}

class TcpGateTest : public testing::Test {
 protected:
  TcpGateTest() { server_.when("/", HttpImpostor::Reply{.body = "hello"}); }
  async::Captured get(std::vector<std::string> more = {}) {
    return curl("http://" + gate_.address() + "/", std::move(more));
  }

  HttpImpostor server_;
  TcpGate gate_{server_.url()};
};

TEST_F(TcpGateTest, PassesOnAndCounts) {
  EXPECT_EQ(get().out, "hello");
  EXPECT_EQ(gate_.counts().accepted, 1);
  EXPECT_GT(gate_.counts().to_client, 5U);
  EXPECT_TRUE(eventually([&] { return gate_.counts().open == 0; }));
}

TEST_F(TcpGateTest, Delays) {
  gate_.delay(TcpGate::Way::kBoth, 100ms);
  std::string said;
  EXPECT_GE(time_of([&] { said = get().out; }), 200ms);
  EXPECT_EQ(said, "hello");
}

TEST_F(TcpGateTest, SlicesAndDrips) {
  gate_.slice(TcpGate::Way::kToClient, 1);
  EXPECT_EQ(get().out, "hello");
  gate_.heal();
  gate_.bandwidth(TcpGate::Way::kToClient, 200);
  std::string said;
  EXPECT_GE(time_of([&] { said = get().out; }), 200ms);
  EXPECT_EQ(said, "hello");
}

TEST_F(TcpGateTest, RefusesIgnoresAndHeals) {
  gate_.refuse();
  EXPECT_THAT(get().err, HasSubstr("connect"));
  gate_.heal();
  EXPECT_EQ(get().out, "hello");
  gate_.ignore();
  EXPECT_THAT(get({"--max-time", "0.2"}).err, HasSubstr("timed out"));
  gate_.heal();
  EXPECT_EQ(get().out, "hello");
}

TEST_F(TcpGateTest, CutsOneWayAndStopsReading) {
  gate_.cut(TcpGate::Way::kToClient);
  EXPECT_THAT(get({"--max-time", "0.2"}).err, HasSubstr("timed out"));
  EXPECT_EQ(server_.requests().size(), 1U);
  gate_.heal();
  gate_.stop_reading(TcpGate::Way::kToTarget);
  EXPECT_THAT(get({"--max-time", "0.2"}).err, HasSubstr("timed out"));
  EXPECT_EQ(server_.requests().size(), 1U);
  gate_.heal();
  EXPECT_EQ(get().out, "hello");
}

TEST_F(TcpGateTest, EndsConnectionsInEveryManner) {
  HttpImpostor::Reply hanging{.status = 200, .body = "x"};
  hanging.cut_after = 0;
  hanging.after = HttpImpostor::After::kHang;
  server_.when("/", hanging);
  const auto outcome = [&](const std::function<void()>& end, const std::string& limit) {
    const auto before = gate_.counts();
    async::Captured said;
    std::thread client([&] { said = get({"--max-time", limit}); });
    const auto wanted = server_.requests().size() + 1;
    EXPECT_TRUE(server_.await_requests(wanted));
    EXPECT_EQ(gate_.counts().accepted, before.accepted + 1);
    EXPECT_TRUE(eventually([&] { return gate_.counts().to_client > before.to_client; }));
    end();
    client.join();
    return said.err;
  };
  EXPECT_THAT(outcome([&] { gate_.reset_all(); }, "5"), HasSubstr("reset by peer"));
  EXPECT_THAT(outcome([&] { gate_.close_all(); }, "5"), HasSubstr("transfer closed"));
  EXPECT_THAT(outcome([&] { gate_.half_open(); }, "0.3"), HasSubstr("timed out"));
  EXPECT_THAT(outcome([&] { gate_.close_idle_after(50ms, TcpGate::End::kReset); }, "5"),
              HasSubstr("reset by peer"));
}

TEST(HttpImpostor, AnswersAsToldAndRecords) {
  HttpImpostor server;
  server.when("/many", {{.status = 503, .body = "no"}, {.status = 200, .body = "yes"}});
  EXPECT_EQ(curl(server.url() + "/many?a=1", {"-H", "X-Kit: 7"}).out, "no");
  EXPECT_EQ(curl(server.url() + "/many", {"-d", "posted"}).out, "yes");
  EXPECT_EQ(curl(server.url() + "/many").out, "yes");
  const auto seen = server.requests("/many");
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].target, "/many?a=1");
  EXPECT_EQ(seen[0].header("x-kit"), "7");
  EXPECT_EQ(seen[1].method, "POST");
  EXPECT_EQ(seen[1].body, "posted");
  EXPECT_EQ(seen[2].connection, 3);
  EXPECT_EQ(curl(server.url() + "/none", {"-o", "/dev/null", "-w", "%{http_code}"}).out, "404");
}

TEST(HttpImpostor, MisbehavesAsTold) {
  using Reply = HttpImpostor::Reply;
  using Framing = HttpImpostor::Framing;
  HttpImpostor server;
  server.when("/chunks", Reply{.body = "hello", .framing = Framing::kChunked, .piece = 2});
  EXPECT_EQ(curl(server.url() + "/chunks").out, "hello");
  server.when("/end", Reply{.body = "hello", .framing = Framing::kToEnd});
  EXPECT_EQ(curl(server.url() + "/end").out, "hello");
  server.when("/huge", Reply{.body = std::string(1U << 16U, 'x'), .repeat = 1024});
  EXPECT_EQ(curl(server.url() + "/huge", {"-o", "/dev/null", "-w", "%{size_download}"}).out,
            "67108864");
  server.when("/drip", Reply{.body = "hello", .piece = 1, .pause = 20ms});
  EXPECT_GE(time_of([&] { curl(server.url() + "/drip"); }), 80ms);
  server.when("/cut", Reply{.body = "hello", .cut_after = 2});
  EXPECT_THAT(curl(server.url() + "/cut").err, HasSubstr("transfer closed"));
  server.when("/reset", Reply{.after = HttpImpostor::After::kReset, .cut_after = 0});
  server.when("/garbage", Reply{.after = HttpImpostor::After::kClose, .raw = "\x01\x02garbage"});
  EXPECT_FALSE(curl(server.url() + "/garbage").status.ok());
  server.when("/handler", [](const HttpImpostor::Request& request) {
    return Reply{.body = request.header("X-Echo")};
  });
  EXPECT_EQ(curl(server.url() + "/handler", {"-H", "X-Echo: back"}).out, "back");
}

TEST(Program, RunsBesideTheTest) {
  Program program(
      {"sh", "-c", "trap 'echo bye; exit 3' TERM; echo $KIT >&2; while :; do sleep 0.01; done"},
      {{"KIT", "ready"}});
  ASSERT_TRUE(program.await_text("ready"));
  EXPECT_EQ(program.wait(10ms), std::nullopt);
  EXPECT_EQ(program.terminate(), (async::ExitStatus{.code = 3}));
  EXPECT_EQ(program.out(), "bye\n");
}

TEST(Fetch, GivesStatusHeadersAndBody) {
  HttpImpostor server;
  server.when("/", HttpImpostor::Reply{.status = 503, .body = "no", .headers = {{"X-Kit", "7"}}});
  const auto fetched = fetch(server.url() + "/");
  EXPECT_EQ(fetched.status, 503);
  EXPECT_EQ(fetched.body, "no");
  EXPECT_THAT(fetched.headers, HasSubstr("X-Kit: 7"));
  const auto closed = app::demo::ReservedPort::take("127.0.0.1");
  ASSERT_TRUE(closed);
  const auto refused = fetch(fmt::format("http://127.0.0.1:{}/", closed->number()));
  EXPECT_EQ(refused.status, 0);
  EXPECT_THAT(refused.error, HasSubstr("connect"));
}

TEST(Certificates, AreWhatTheirNamesSay) {
  const TempDir dir;
  CertificateAuthority authority(dir.path());
  const auto verify = [&](const std::string& cert, const std::string& name) {
    return command({"openssl", "verify", "-CAfile", authority.ca(), "-verify_ip", name, cert});
  };
  const auto server = authority.server();
  EXPECT_TRUE(verify(server.cert, "127.0.0.1").status.ok());
  EXPECT_THAT(verify(authority.expired().cert, "127.0.0.1").err, HasSubstr("has expired"));
  EXPECT_THAT(verify(authority.not_yet_valid().cert, "127.0.0.1").err, HasSubstr("not yet valid"));
  EXPECT_THAT(verify(authority.wrong_name().cert, "127.0.0.1").err, HasSubstr("mismatch"));
  const auto before = must({"openssl", "x509", "-noout", "-serial", "-in", server.cert});
  authority.renew(server, {});
  EXPECT_NE(must({"openssl", "x509", "-noout", "-serial", "-in", server.cert}), before);
  EXPECT_THAT(must({"openssl", "x509", "-noout", "-subject", "-in", authority.client("eva").cert}),
              HasSubstr("CN = eva"));
}

class NetnsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& why = NetnsCluster::unavailable_reason(); !why.empty()) GTEST_SKIP() << why;
  }
  static bool answers(NetnsCluster& cluster, std::size_t i) {
    return curl(cluster.etcd().endpoint(i) + "/health", {"--max-time", "1"}).status.ok();
  }
};

TEST_F(NetnsTest, CutsAreCutsAndHeal) {
  NetnsCluster cluster;
  auto& etcd = cluster.etcd();
  etcd.put("key", "one");
  const auto victim = etcd.leader();
  cluster.isolate(victim);
  EXPECT_TRUE(eventually([&] {
    const auto now = etcd.leader();
    return now != victim;
  }));
  EXPECT_TRUE(curl(etcd.endpoint(victim) + "/metrics").status.ok());
  cluster.cut_from_monitor(victim);
  EXPECT_FALSE(answers(cluster, victim));
  cluster.heal();
  EXPECT_TRUE(eventually([&] { return answers(cluster, victim); }));
  etcd.put("key", "two");
  EXPECT_EQ(etcd.get("key"), "two");
}

TEST_F(NetnsTest, TwoClustersStandSideBySide) {
  NetnsCluster one({.members = 1});
  NetnsCluster two({.members = 1});
  EXPECT_NE(one.address(0), two.address(0));
  EXPECT_TRUE(answers(one, 0));
  EXPECT_TRUE(answers(two, 0));
  one.cut_from_monitor(0);
  EXPECT_FALSE(answers(one, 0));
  EXPECT_TRUE(answers(two, 0));
}

TEST_F(NetnsTest, VanishesWithItsProcess) {
  const auto has_link = [](pid_t owner) {
    return command({"ip", "-o", "link"}).out.find(fmt::format("emk{}x", owner)) !=
           std::string::npos;
  };
  std::array<int, 2> pair{};
  ASSERT_EQ(::pipe(pair.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const NetnsCluster cluster({.members = 1});
    const char there = has_link(::getpid()) ? 'y' : 'n';
    const auto written = ::write(pair[1], &there, 1);
    ::kill(::getpid(), SIGKILL);
    ::_exit(written > 0 ? 0 : 1);
  }
  char there = '?';
  ASSERT_EQ(::read(pair[0], &there, 1), 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(there, 'y');
  EXPECT_TRUE(eventually([&] { return !has_link(child); }));
}

TEST(ManualClock, MovesWhenToldTo) {
  ManualClock clock;
  const auto before = clock.now();
  clock.advance(90s);
  clock.step_wall(-1h);
  EXPECT_EQ(clock.now().steady - before.steady, 90s);
  EXPECT_EQ(clock.now().wall - before.wall, 90s - 1h);
  EXPECT_EQ(to_rfc3339(before.wall), "2026-01-01T00:00:00Z");
}

class LoopTestTest : public LoopTest {};

Task<int> after_a_while() {
  co_await async::sleep_for(1ms);
  co_return 7;
}

TEST_F(LoopTestTest, RunsATask) {
  EXPECT_EQ(run(after_a_while()), 7);
}

}  // namespace
}  // namespace etcdmon::kit
