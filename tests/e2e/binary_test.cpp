// The program as an operator runs it: its flags, its exit codes, its API, its signals.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/demo/reserved_port.hpp"
#include "kit/command.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/monitor.hpp"
#include "kit/temp_dir.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::EtcdCluster;
using kit::Monitor;
using kit::TempDir;
using nlohmann::json;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

async::Captured run_monitor(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), kit::monitor_binary());
  return kit::command(std::move(arguments));
}

std::string joined(const std::vector<std::string>& endpoints) {
  return fmt::format("--endpoints={}", fmt::join(endpoints, ","));
}

bool is_healthy(const json& status) {
  return status["healthy"] == true;
}

template <class Condition>
bool any_verdict(const json& status, Condition condition) {
  return std::ranges::any_of(status["verdicts"], condition);
}

// --- flags and exit codes

TEST(Binary, SaysItsVersionAndItsFlags) {
  for (const char* flag : {"--version", "version"}) {
    const auto version = run_monitor({flag});
    EXPECT_EQ(version.status.code, 0);
    EXPECT_THAT(version.out, testing::StartsWith("etcd-monitor 0."));
  }
  const auto help = run_monitor({"--help"});
  EXPECT_EQ(help.status.code, 0);
  for (const char* flag : {"--endpoints",
                           "--dial-timeout",
                           "--cert",
                           "--key",
                           "--cacert",
                           "--insecure-skip-tls-verify",
                           "--user",
                           "--password",
                           "--password-file",
                           "--health-check-interval",
                           "--metrics-interval",
                           "--pulse-interval",
                           "--max-latency-ms",
                           "--max-db-size-mb",
                           "--min-available-nodes",
                           "--max-leader-changes",
                           "--api-host",
                           "--api-port",
                           "--election-timeout",
                           "--write-probe",
                           "--config",
                           "--log-level",
                           "--log-format",
                           "--version",
                           "--help",
                           "--discovery-srv"})
    EXPECT_THAT(help.out, HasSubstr(flag));
  EXPECT_THAT(run_monitor({"help"}).out, AllOf(HasSubstr("check"), HasSubstr("demo")));
}

TEST(Binary, AnUnknownFlagIsRefusedWithAHint) {
  const auto refused = run_monitor({"--endpoint=localhost:2379"});
  EXPECT_EQ(refused.status.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--endpoint"), HasSubstr("did you mean"),
                                 HasSubstr("--endpoints"), HasSubstr("nothing was started")));
  const auto command = run_monitor({"chekc"});
  EXPECT_EQ(command.status.code, 2);
  EXPECT_THAT(command.err, HasSubstr("did you mean \"check\""));
}

TEST(Binary, AllErrorsAreToldAtOnce) {
  const TempDir dir;
  const auto file = dir.write("config.yaml",
                              "etcd:\n"
                              "  endpoint: [localhost:2379]\n"
                              "monitoring:\n"
                              "  pulse_interval: 3\n");
  const auto refused = run_monitor(
      {"--config=" + file, "--api-port=99999", "--log-level=loud", "--nonsense", "--user=:x"});
  EXPECT_EQ(refused.status.code, 2);
  for (const auto& part :
       {file + ":2", std::string("endpoints"), file + ":4", std::string("--api-port"),
        std::string("--log-level"), std::string("--nonsense")})
    EXPECT_THAT(refused.err, HasSubstr(part));
  EXPECT_THAT(refused.out, IsEmpty());
}

TEST(Binary, ConfigIsCheckedShownAndDocumented) {
  const TempDir dir;
  const auto file = dir.write("config.yaml",
                              "etcd:\n  endpoints: [localhost:2379]\n  user: monitor\n"
                              "  password: hunter2\n");
  EXPECT_EQ(run_monitor({"config", "check", "--config=" + file}).status.code, 0);
  const auto shown = run_monitor({"config", "show", "--config=" + file, "--pulse-interval=2s"});
  EXPECT_EQ(shown.status.code, 0);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("pulse_interval: 2s"), HasSubstr("localhost:2379"),
                               Not(HasSubstr("hunter2"))));
  EXPECT_THAT(run_monitor({"config", "docs"}).out, HasSubstr("max_leader_changes"));
  EXPECT_TRUE(json::accept(run_monitor({"config", "schema"}).out));
  const auto bad = dir.write("bad.yaml", "etdc: {}\n");
  const auto refused = run_monitor({"config", "check", "--config=" + bad});
  EXPECT_EQ(refused.status.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(bad + ":1"), HasSubstr("did you mean")));
}

TEST(Binary, CheckExitsWithTheVerdict) {
  EtcdCluster cluster;
  const auto good = run_monitor({"check", "--endpoints=" + cluster.endpoint(0)});
  EXPECT_EQ(good.status.code, 0) << good.out << good.err;
  EXPECT_THAT(good.out, AllOf(HasSubstr("healthy"), HasSubstr("3 of 3 voting members")));
  const auto machine = run_monitor({"check", joined(cluster.endpoints()), "-w", "json"});
  EXPECT_EQ(machine.status.code, 0);
  const auto seen = json::parse(machine.out);
  EXPECT_EQ(seen["healthy"], true);
  EXPECT_EQ(seen["members"].size(), 3U);
  EXPECT_THAT(seen["verdicts"], IsEmpty());

  const auto allowed = run_monitor({"check", "permissions", joined(cluster.endpoints())});
  EXPECT_EQ(allowed.status.code, 0) << allowed.out << allowed.err;
  EXPECT_THAT(allowed.out, AllOf(HasSubstr("KV.Range"), HasSubstr("allowed")));

  cluster.kill(2);
  const auto bad = run_monitor({"check", joined(cluster.endpoints()), "-w=json"});
  EXPECT_EQ(bad.status.code, 1) << bad.out << bad.err;
  const auto told = json::parse(bad.out);
  EXPECT_EQ(told["healthy"], false);
  EXPECT_THAT(told["verdicts"].dump(), HasSubstr("MemberUnreachable"));

  cluster.enable_auth("root-password", {{"nobody", "n", ""}});
  const auto denied = run_monitor(
      {"check", "permissions", "--endpoints=" + cluster.endpoint(0), "--user=nobody:n"});
  EXPECT_EQ(denied.status.code, 1) << denied.out << denied.err;
  EXPECT_THAT(denied.out, AllOf(HasSubstr("DENIED"), HasSubstr("etcdctl user grant-role nobody")));
}

TEST(Binary, CheckPermissionsAsksBothLogins) {
  EtcdCluster cluster({.members = 1});
  cluster.enable_auth("root-password", {{"reader", "r", "read"}});
  const TempDir dir;
  const auto config_of = [&](const std::string& more) {
    return "--config=" + dir.write("config.yaml", fmt::format("etcd:\n  endpoints: ['{}']\n"
                                                              "  user: reader\n  password: r\n{}",
                                                              cluster.endpoint(0), more));
  };
  const auto one = run_monitor({"check", "permissions", config_of("")});
  EXPECT_EQ(one.status.code, 1) << one.out << one.err;
  EXPECT_THAT(one.out, AllOf(ContainsRegex("HashKV +DENIED"), HasSubstr("`privileged`")));
  const auto none =
      run_monitor({"check", "permissions", config_of("monitoring:\n  hash_check_interval: 0s\n")});
  EXPECT_EQ(none.status.code, 0) << none.out << none.err;

  const auto privileged = config_of("  privileged: {user: root, password: root-password}\n");
  const auto both = run_monitor({"check", "permissions", privileged});
  EXPECT_EQ(both.status.code, 0) << both.out << both.err;
  EXPECT_THAT(both.out,
              AllOf(ContainsRegex("reader +root"), ContainsRegex("HashKV +denied +allowed"),
                    Not(HasSubstr("to allow"))));
  const auto machine =
      json::parse(run_monitor({"check", "permissions", privileged, "-w=json"}).out);
  EXPECT_EQ(machine["permissions"].size(), 12U);
  EXPECT_THAT(both.out + machine.dump(), Not(HasSubstr("root-password")));

  const auto wrong = config_of("  privileged: {user: root, password: wrong}\n");
  const auto refused = run_monitor({"check", "permissions", wrong});
  EXPECT_EQ(refused.status.code, 1) << refused.out << refused.err;
  EXPECT_THAT(refused.out, AllOf(HasSubstr("logging in as root"), HasSubstr("user passwd root")));
}

TEST(Binary, CheckThatFindsNobodySaysSo) {
  const auto port = app::demo::ReservedPort::take("127.0.0.1");
  const auto endpoint = fmt::format("--endpoints=127.0.0.1:{}", port->number());
  const auto began = steady_clock::now();
  const auto nobody = run_monitor({"check", endpoint, "--timeout=3s"});
  EXPECT_EQ(nobody.status.code, 2) << nobody.out << nobody.err;
  EXPECT_THAT(nobody.out, HasSubstr("nothing listens there"));
  EXPECT_LT(steady_clock::now() - began, 6s);
  EXPECT_EQ(run_monitor({"check", "permissions", endpoint}).status.code, 2);
}

TEST(Binary, AnAddressInUseIsAClearError) {
  const auto port = app::demo::ReservedPort::take("127.0.0.1");
  kit::Program holder({"python3", "-c",
                       fmt::format("import socket, time; s = socket.socket(); "
                                   "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); "
                                   "s.bind(('127.0.0.1', {})); s.listen(); print('holds', "
                                   "flush=True); time.sleep(60)",
                                   port->number())});
  ASSERT_TRUE(holder.await_text("holds")) << holder.err();
  const auto refused =
      run_monitor({"--api-host=127.0.0.1", fmt::format("--api-port={}", port->number()),
                   "--endpoints=127.0.0.1:1"});
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr(fmt::format("127.0.0.1:{}", port->number())), HasSubstr("in use")));
}

// --- the API

void expect_keys(const json& object, const std::vector<std::string>& keys) {
  for (const auto& key : keys) EXPECT_TRUE(object.contains(key)) << key << " in " << object.dump();
}

class Daemon : public testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = std::make_unique<EtcdCluster>(); }
  static void TearDownTestSuite() { cluster_.reset(); }
  static std::string endpoints() { return joined(cluster_->endpoints()); }

  static std::unique_ptr<EtcdCluster> cluster_;  // NOLINT(readability-identifier-naming): a member
};
std::unique_ptr<EtcdCluster> Daemon::cluster_;

TEST_F(Daemon, AnswersWithTheFieldsOfTheSpecification) {
  const Monitor monitor({.flags = {endpoints(), "--metrics-interval=1s"}});
  const auto status = monitor.until(is_healthy, 10s, "healthy");
  expect_keys(status,
              {"healthy", "leader_id", "member_count", "quorum_size", "has_leader",
               "leader_changes", "last_leader_change", "network_partition", "alarms", "last_check",
               "leader_id_hex", "failures_tolerated", "split_brain", "verdicts"});
  EXPECT_EQ(status["member_count"], 3);
  EXPECT_EQ(status["quorum_size"], 2);
  EXPECT_EQ(status["leader_id"].get<std::uint64_t>(), cluster_->id(cluster_->leader()).value);
  EXPECT_EQ(status["network_partition"], false);
  EXPECT_EQ(status["alarms"], json::array());

  const auto health = monitor.json("/health");
  expect_keys(health, {"status", "ready", "version", "uptime_seconds", "clusters"});
  EXPECT_EQ(kit::fetch(monitor.url("/health?ready")).status, 200);
  EXPECT_EQ(monitor.json("/api/v1/clusters")["clusters"].size(), 1U);

  const auto members = monitor.json("/api/v1/cluster/members")["members"];
  ASSERT_EQ(members.size(), 3U);
  for (const auto& member : members) {
    expect_keys(member, {"id", "id_hex", "name", "role", "version", "db_size", "db_size_in_use",
                         "raft_term", "raft_index", "lag", "reach", "certificates"});
    EXPECT_EQ(member["reach"], "reachable");
  }
  const auto leader = monitor.json("/api/v1/cluster/leader");
  expect_keys(leader, {"leader_id", "name", "term", "since", "changes", "history"});
  const auto peers = monitor.until([](const json& page) { return page["matrix"].size() == 3; }, 5s,
                                   "the matrix", "/api/v1/cluster/peers");
  EXPECT_EQ(peers["matrix"][0]["peers"].size(), 3U);

  // The second page of each member makes rates.
  const auto current =
      monitor.until([](const json& page) { return page["request_rate"].is_number(); }, 8s,
                    "a request rate", "/api/v1/metrics/current");
  expect_keys(current, {"timestamp", "request_rate", "read_latency_p50", "read_latency_p95",
                        "read_latency_p99", "write_latency_p50", "write_latency_p95",
                        "write_latency_p99", "db_size", "db_size_in_use"});
  EXPECT_GT(current["db_size"].get<std::uint64_t>(), 0U);
  const auto latency = monitor.json("/api/v1/metrics/latency");
  expect_keys(latency, {"read", "write", "members"});
}

TEST_F(Daemon, RefusesWhatItDoesNotKnow) {
  const Monitor monitor({.flags = {endpoints()}});
  const auto missing = kit::fetch(monitor.url("/api/v1/nothing"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.headers, HasSubstr("application/problem+json"));
  expect_keys(json::parse(missing.body), {"type", "title", "status"});
  const auto wrong = kit::fetch(monitor.url("/api/v1/cluster/status"), {"-X", "DELETE"});
  EXPECT_EQ(wrong.status, 405);
  EXPECT_THAT(wrong.headers, AllOf(HasSubstr("Allow: GET"), HasSubstr("problem+json")));
  EXPECT_EQ(json::parse(wrong.body)["status"], 405);
  const auto other = kit::fetch(monitor.url("/api/v1/cluster/status?cluster=other"));
  EXPECT_EQ(other.status, 404);
  EXPECT_THAT(other.body, HasSubstr("other"));
}

TEST_F(Daemon, SpeaksPrometheus) {
  if (!kit::has_program("promtool")) GTEST_SKIP() << "promtool is not installed";
  const Monitor monitor({.flags = {endpoints(), "--metrics-interval=1s"}});
  monitor.until(is_healthy, 10s, "healthy");
  const auto page = kit::fetch(monitor.url("/metrics"));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.headers, HasSubstr("text/plain"));
  const auto checked = kit::command({"promtool", "check", "metrics"}, page.body);
  EXPECT_EQ(checked.status.code, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out + checked.err, IsEmpty()) << "not even a hint";
}

TEST_F(Daemon, TakesFileAndEnvironment) {
  const TempDir dir;
  const auto file =
      dir.write("config.yaml", fmt::format("etcd:\n  name: from-file\n  endpoints: [\"{}\"]\n"
                                           "monitoring:\n  pulse_interval: 500ms\n",
                                           cluster_->endpoint(0)));
  const Monitor monitor(
      {.flags = {"--log-format=json"},
       .environment = {{"ETCD_MONITOR_CONFIG", file}, {"ETCD_MONITOR_LOG_LEVEL", "debug"}}});
  EXPECT_EQ(monitor.until(is_healthy, 10s, "healthy")["cluster"], "from-file");
}

TEST_F(Daemon, WatchesTwoClusters) {
  const EtcdCluster other({.members = 1});
  const TempDir dir;
  const auto file =
      dir.write("config.yaml", fmt::format("clusters:\n  - name: big\n    endpoints: [\"{}\"]\n"
                                           "  - name: small\n    endpoints: [\"{}\"]\n",
                                           cluster_->endpoint(0), other.endpoint(0)));
  const Monitor monitor({.flags = {"--config=" + file}});
  const auto status = [](const char* name) {
    return std::string("/api/v1/cluster/status?cluster=") + name;
  };
  EXPECT_EQ(monitor.until(is_healthy, 10s, "big", status("big"))["member_count"], 3);
  EXPECT_EQ(monitor.until(is_healthy, 10s, "small", status("small"))["member_count"], 1);
  EXPECT_EQ(monitor.json("/api/v1/clusters")["clusters"].size(), 2U);
  const auto which = kit::fetch(monitor.url("/api/v1/cluster/status"));
  EXPECT_EQ(which.status, 400) << which.body;
  EXPECT_THAT(which.body, AllOf(HasSubstr("big"), HasSubstr("small")));
}

// --- signals

// Connects, begins a request and never ends it.
kit::Program stuck_client(const Monitor& monitor) {
  const auto port = monitor.url().substr(monitor.url().rfind(':') + 1);
  return kit::Program({"bash", "-c",
                       "exec 3<>/dev/tcp/127.0.0.1/" + port +
                           "; printf 'GET /health HTTP/1.1\\r\\nHost: x\\r\\n' >&3; echo sent; "
                           "sleep 60"});
}

TEST_F(Daemon, StopsInTimeWhateverHangs) {
  Monitor monitor({.flags = {endpoints()}});
  monitor.until(is_healthy, 10s, "healthy");
  const auto client = stuck_client(monitor);
  ASSERT_TRUE(client.await_text("sent"));
  const auto hung = cluster_->follower();
  cluster_->stop(hung);
  monitor.until([](const json& status) { return status["healthy"] == false; }, 10s, "hung");
  const auto began = steady_clock::now();
  const auto ended = monitor.program().terminate(6s);
  EXPECT_LT(steady_clock::now() - began, 5s);
  cluster_->cont(hung);
  ASSERT_TRUE(ended) << monitor.said("does not stop");
  EXPECT_EQ(ended->code, 0) << monitor.said("ended badly");
}

TEST_F(Daemon, LeavesAtOnceAtTheSecondSignal) {
  Monitor monitor({.flags = {endpoints()}});
  monitor.until(is_healthy, 10s, "healthy");
  const auto client = stuck_client(monitor);
  ASSERT_TRUE(client.await_text("sent"));
  monitor.program().signal(SIGTERM);
  ASSERT_TRUE(monitor.program().await_text("stopping", 2s));
  monitor.program().signal(SIGINT);
  const auto ended = monitor.program().wait(1s);
  ASSERT_TRUE(ended) << monitor.said("does not leave");
  // It may have been through already.
  const bool told = monitor.program().err().find("second signal") != std::string::npos;
  EXPECT_EQ(told, ended->code != 0) << monitor.said("ended otherwise");
}

TEST_F(Daemon, ReloadsAllOrNothing) {
  const TempDir dir;
  const auto write = [&](std::string_view level, std::string_view more) {
    return dir.write("config.yaml",
                     fmt::format("etcd:\n  endpoints: [\"{}\"]\nlogging:\n  level: {}\n{}",
                                 cluster_->endpoint(0), level, more));
  };
  const auto file = write("info", "");
  Monitor monitor({.flags = {"--config=" + file}});
  monitor.until(is_healthy, 10s, "healthy");
  auto& program = monitor.program();

  write("debug", "monitoring:\n  thresholds:\n    min_available_nodes: 3\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(program.await_text("min_available_nodes: 2 -> 3", 5s)) << program.err();
  EXPECT_TRUE(program.await_text("info -> debug", 1s)) << program.err();

  write("debug", "monitoring:\n  thresholds:\n    min_available_nodes: many\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(program.await_text("reload refused", 5s)) << program.err();
  EXPECT_TRUE(program.await_text("min_available_nodes", 1s));

  write("debug", "api:\n  limits:\n    max_connections: 7\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(program.await_text("api.limits.max_connections", 5s)) << program.err();
  EXPECT_THAT(program.err(), HasSubstr("restart the monitor"));
  EXPECT_TRUE(is_healthy(monitor.json("/api/v1/cluster/status"))) << "the old one goes on";

  write("info", "monitoring:\n  pulse_interval: 2s\n");
  program.signal(SIGHUP);
  ASSERT_TRUE(program.await_text("pulse_interval: 1s -> 2s", 5s)) << program.err();
  monitor.until(is_healthy, 5s, "watched anew");
  const auto ended = program.terminate(5s);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 0);
}

// --- demo

TEST(Demo, ShowsAClusterAndCleansUp) {
  const TempDir dir;
  Monitor monitor({.environment = {{"TMPDIR", dir.path().string()}}, .command = {"demo"}});
  monitor.until([](const json& status) { return is_healthy(status) && status["available"] == 3; },
                10s, "a healthy demo");
  auto& program = monitor.program();
  ASSERT_TRUE(program.await_text("Ctrl-C", 5s));
  const auto out = program.out();
  const auto at = out.find("kill -9 ") + 8;
  const auto victim = std::stoi(out.substr(at));
  const auto began = steady_clock::now();
  ASSERT_EQ(::kill(victim, SIGKILL), 0);
  EXPECT_TRUE(program.await_text("unreachable (refused)", 2s)) << program.out();
  EXPECT_LT(steady_clock::now() - began, 1s);
  const auto status = monitor.until(
      [](const json& page) {
        return any_verdict(page, [](const json& v) { return v["check"] == "MemberUnreachable"; });
      },
      2s, "told by the API");
  EXPECT_LT(steady_clock::now() - began, 1s);
  EXPECT_EQ(status["failures_tolerated"], 0);

  // Its members are its children: all gone with it.
  const auto children = kit::command({"pgrep", "-P", std::to_string(program.pid())}).out;
  EXPECT_THAT(children, Not(IsEmpty()));
  program.signal(SIGINT);
  const auto ended = program.wait(6s);
  ASSERT_TRUE(ended) << monitor.said("does not stop");
  EXPECT_EQ(ended->code, 0) << monitor.said("ended badly");
  std::istringstream pids(children);
  for (pid_t pid = 0; pids >> pid;) EXPECT_NE(::kill(pid, 0), 0) << pid << " still runs";
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Demo, LeavesNothingWhenItCannotServe) {
  const TempDir dir;
  const auto refused = kit::command({"env", "TMPDIR=" + dir.path().string(), kit::monitor_binary(),
                                     "demo", "--members=1", "--api-host=192.0.2.1"});
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("192.0.2.1"));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  EXPECT_EQ(run_monitor({"demo", "--members=none"}).status.code, 2);
}

}  // namespace
}  // namespace etcdmon
