// The benchmark as its user runs it: from the command line and over HTTP, on every etcd.
#include <csignal>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kit/certificates.hpp"
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
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPath = "/api/v1/performance/benchmark";
constexpr const char* kPrefix = "/etcd-monitor/bench/";

// One member of each version serves all cases.
class Bench : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  static void TearDownTestSuite() { clusters().clear(); }

  EtcdCluster& cluster() {
    auto& made = clusters()[GetParam().version];
    if (!made)
      made =
          std::make_unique<EtcdCluster>(EtcdCluster::Options{.version = GetParam(), .members = 1});
    return *made;
  }
  std::vector<std::string> command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), kit::monitor_binary());
    arguments.push_back("--endpoints=" + cluster().endpoint(0));
    return arguments;
  }
  async::Captured bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    return kit::command(command(std::move(arguments)), {}, 60s);
  }
  std::string keys() { return cluster().etcdctl({"get", "--prefix", kPrefix, "--keys-only"}); }

 private:
  static std::map<std::string, std::unique_ptr<EtcdCluster>>& clusters() {
    static std::map<std::string, std::unique_ptr<EtcdCluster>> all;
    return all;
  }
};

TEST_P(Bench, PrintsTheBlockOfTheSpecification) {
  const auto run = kit::command(
      command({"--run-benchmark", "--benchmark-type=mixed", "--benchmark-ops=2000"}), {}, 60s);
  EXPECT_EQ(run.status.code, 0) << run.out << run.err;
  const std::regex block(
      "=== Benchmark Results ===\n"
      "Type:             mixed\n"
      "Duration:         [0-9.]+s\n"
      "Total Operations: 2000\n"
      "Successful:       2000\n"
      "Failed:           0\n"
      "Throughput:       [0-9]+\\.[0-9]{2} ops/sec[^\n]*\n"
      "\n"
      "Latency:\n"
      "  Average:        [0-9]+\\.[0-9]{2} ms\n"
      "  P50:            [0-9]+\\.[0-9]{2} ms\n"
      "  P95:            [0-9]+\\.[0-9]{2} ms\n"
      "  P99:            [0-9]+\\.[0-9]{2} ms\n"
      "  Min:            [0-9]+\\.[0-9]{2} ms\n"
      "  Max:            [0-9]+\\.[0-9]{2} ms\n"
      "  P99\\.9:          [0-9]+\\.[0-9]{2} ms\n(.|\n)*");
  EXPECT_TRUE(std::regex_match(run.out, block)) << run.out;
  EXPECT_THAT(run.out,
              AllOf(HasSubstr("\n  read "), HasSubstr("\n  write "), HasSubstr("Targets:")));
  EXPECT_THAT(run.err, IsEmpty());
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(Bench, WritesEveryForm) {
  const TempDir dir;
  const auto page = dir.file("run.html");
  const auto saved = dir.file("run.json");
  const auto written =
      bench({"write", "--ops=500", "-w", "json", "--html=" + page, "--save=" + saved});
  ASSERT_EQ(written.status.code, 0) << written.err;
  const auto document = json::parse(written.out);
  EXPECT_EQ(document["type"], "write");
  EXPECT_EQ(document["successful"], 500);
  EXPECT_EQ(document["keys_removed"], 500);
  EXPECT_EQ(document["place"]["versions"][0], GetParam().version);
  EXPECT_THAT(dir.read("run.html"), AllOf(StartsWith("<!doctype html>"), HasSubstr("<svg")));
  EXPECT_EQ(json::parse(dir.read("run.json")), document);

  EXPECT_THAT(bench({"read", "--ops=300", "-w=csv"}).out, StartsWith("row,name,at_seconds"));
  EXPECT_THAT(bench({"read", "--ops=300", "--format", "etcd"}).out,
              AllOf(StartsWith("\nSummary:\n  Total:\t"), HasSubstr("99.9% in ")));

  const auto compared = kit::command({kit::monitor_binary(), "bench", "compare", saved, saved});
  EXPECT_EQ(compared.status.code, 3) << compared.out << "half a second tells nothing";
  EXPECT_THAT(compared.out, HasSubstr("Verdict: cannot say"));
}

TEST_P(Bench, KeysOfOthersAreLeftAlone) {
  cluster().put("/mine/precious", "value");
  const auto refused = bench({"write", "--ops=10", "--prefix=/mine/", "--clear-prefix", "--force"});
  EXPECT_EQ(refused.status.code, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("/mine/precious"), HasSubstr("--prefix")));
  EXPECT_EQ(cluster().get("/mine/precious"), "value");
}

TEST_P(Bench, WhatARunLeftIsClearedOnRequestOnly) {
  const auto left = bench({"write", "--ops=20", "--clean-up=false"});
  EXPECT_EQ(left.status.code, 0) << left.err;
  EXPECT_THAT(keys(), Not(IsEmpty()));
  const auto refused = bench({"write", "--ops=20"});
  EXPECT_EQ(refused.status.code, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("left behind"), HasSubstr("--clear-prefix")));
  EXPECT_EQ(bench({"write", "--ops=20", "--clear-prefix", "--compact"}).status.code, 0);
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(Bench, ATargetThatIsSetDecidesTheExitCode) {
  EXPECT_EQ(bench({"write", "--ops=100", "--clients=1"}).status.code, 0);
  const auto missed = bench({"write", "--ops=100", "--clients=1", "--slo-write-rate=10000000"});
  EXPECT_EQ(missed.status.code, 1) << missed.out;
  EXPECT_THAT(missed.out, HasSubstr("missed      write rate >= 10000000 ops/sec"));
  const auto preset = bench({"--preset=s", "--duration=1s"});
  EXPECT_THAT(preset.status.code, testing::AnyOf(0, 1)) << preset.err;
  EXPECT_THAT(preset.out, AllOf(HasSubstr("Check perf s:"), HasSubstr("the slowest took")));
}

TEST_P(Bench, CtrlCPrintsWhatThereIsAndCleansUp) {
  kit::Program running(command({"bench", "write", "--duration=60s", "--progress=json"}));
  ASSERT_TRUE(running.await_text("\"phase\":\"measuring\"")) << running.err();
  running.signal(SIGINT);
  const auto ended = running.wait();
  ASSERT_TRUE(ended) << running.err();
  EXPECT_EQ(ended->code, 130);
  EXPECT_THAT(running.out(),
              AllOf(StartsWith("=== Benchmark Results ==="), HasSubstr("stopped before its end")));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(Bench, CtrlCEndsSoonWhenAllMembersHang) {
  kit::Program running(command({"bench", "write", "--duration=60s", "--progress=json"}));
  ASSERT_TRUE(running.await_text("\"phase\":\"measuring\"")) << running.err();
  cluster().stop(0);
  running.signal(SIGINT);
  const auto ended = running.wait(3s);
  cluster().cont(0);
  ASSERT_TRUE(ended) << running.err();
  EXPECT_EQ(ended->code, 130);
  EXPECT_THAT(running.err(), HasSubstr("no member answers, so the keys under"));
  cluster().etcdctl({"del", "--prefix", kPrefix});
}

TEST_P(Bench, OverHttp) {
  const Monitor monitor({.flags = {"--endpoints=" + cluster().endpoint(0)}});
  const auto post = [&monitor](const std::string& body, const std::string& header = "A: b") {
    return kit::fetch(monitor.url(kPath), {"-X", "POST", "-d", body, "-H", header, "-H",
                                           "Content-Type: application/json"});
  };
  EXPECT_EQ(post("{}", "X-Forwarded-For: 10.0.0.7").status, 403);
  const auto wrong = post(R"({"clinets": 1, "ops": -1})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(json::parse(wrong.body)["errors"].size(), 2U) << wrong.body;

  const auto started = post(R"({"type": "write", "ops": 300})");
  ASSERT_EQ(started.status, 202) << started.body;
  EXPECT_THAT(started.headers, HasSubstr(std::string("Location: ") + kPath + "/1"));
  const auto one = [&monitor](const char* id) {
    return monitor.json(std::string(kPath) + "/" + id);
  };
  EXPECT_TRUE(kit::eventually([&] { return one("1")["state"] != "running"; }, 30s));
  const auto done = one("1");
  EXPECT_EQ(done["state"], "finished") << done.dump(1);
  EXPECT_EQ(done["result"]["successful"], 300);
  EXPECT_EQ(done["exit_code"], 0);

  ASSERT_EQ(post(R"({"type": "write", "duration": "60s"})").status, 202);
  EXPECT_TRUE(kit::eventually([&] { return one("2")["progress"]["phase"] == "measuring"; }, 30s));
  EXPECT_EQ(post("{}").status, 409);
  EXPECT_EQ(kit::fetch(monitor.url(std::string(kPath) + "/2"), {"-X", "DELETE"}).status, 202);
  EXPECT_TRUE(kit::eventually([&] { return one("2")["state"] == "cancelled"; }, 30s));
  EXPECT_EQ(one("2")["result"]["end"], "stopped");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_P(Bench, ItEndsAndCleansUpWhenTheMonitorDies) {
  Monitor monitor({.flags = {"--endpoints=" + cluster().endpoint(0)}});
  ASSERT_EQ(kit::fetch(monitor.url(kPath), {"-X", "POST", "-H", "Content-Type: application/json",
                                            "-d", R"({"type": "write", "duration": "60s"})"})
                .status,
            202);
  EXPECT_TRUE(kit::eventually([&] { return !keys().empty(); }, 30s));
  monitor.program().signal(SIGKILL);
  EXPECT_TRUE(kit::eventually([&] { return keys().empty(); }, 20s)) << keys();
}

INSTANTIATE_TEST_SUITE_P(Versions, Bench, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

TEST(BenchRefuses, WrongFlagsAllAtOnce) {
  const auto refused = kit::command({kit::monitor_binary(), "bench", "wirte", "--clinets=4",
                                     "--ops=x", "--preset=xxl", "-w", "xml", "--margin=7"});
  EXPECT_EQ(refused.status.code, 2);
  for (const auto* part : {"did you mean write?", "did you mean --clients?", "--ops", "--preset",
                           "simple, json, csv or etcd", "--margin"})
    EXPECT_THAT(refused.err, HasSubstr(part));
  const auto rules = kit::command({kit::monitor_binary(), "bench", "--ramp-to=5"});
  EXPECT_EQ(rules.status.code, 2) << rules.err;
  EXPECT_EQ(kit::command({kit::monitor_binary(), "bench", "compare", "/nowhere.json"}).status.code,
            2);
  EXPECT_THAT(kit::command({kit::monitor_binary(), "bench", "--help"}).out,
              AllOf(HasSubstr("Exit code"), HasSubstr("--abort-p99"), HasSubstr("compare")));
}

TEST(BenchRefuses, AnUnhealthyCluster) {
  EtcdCluster cluster;
  cluster.kill(2);
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> argv{
        kit::monitor_binary(), "bench", "read", "--ops=200",
        fmt::format("--endpoints={},{}", cluster.endpoint(0), cluster.endpoint(1))};
    argv.insert(argv.end(), more.begin(), more.end());
    return kit::command(std::move(argv), {}, 60s);
  };
  const auto refused = run({});
  EXPECT_EQ(refused.status.code, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("MemberUnreachable"), HasSubstr("--force")));
  const auto forced = run({"--force"});
  EXPECT_EQ(forced.status.code, 0) << forced.err;
  EXPECT_THAT(forced.err, HasSubstr("warning: MemberUnreachable"));
  cluster.kill(1);
  const auto hopeless = run({"--force"});
  EXPECT_EQ(hopeless.status.code, 3);
  EXPECT_THAT(hopeless.err, HasSubstr("quorum"));
}

// What the child's command line and environment hold is open to every user of the machine.
TEST(BenchChild, SecretsTravelByPipe) {
  const TempDir dir;
  kit::CertificateAuthority authority(dir.path());
  EtcdCluster cluster(
      {.members = 1, .tls = authority.etcd_tls(kit::CertificateAuthority::ClientAuth::kNo)});
  cluster.enable_auth("root-password", {{"bench", "hunter2", "readwrite"}});
  const Monitor monitor({.flags = {"--endpoints=" + cluster.endpoint(0),
                                   "--cacert=" + authority.ca(), "--user=bench:hunter2"}});
  ASSERT_EQ(
      kit::fetch(monitor.url(kPath), {"-X", "POST", "-H", "Content-Type: application/json", "-d",
                                      R"({"type": "write", "duration": "2s", "force": true})"})
          .status,
      202);
  const auto one = std::string(kPath) + "/1";
  const auto children = kit::must({"ps", "-o", "args", "e", "-A"});
  std::istringstream lines(children);
  std::string line;
  bool seen = false;
  while (std::getline(lines, line)) {
    if (line.find("--config=/dev/stdin") == std::string::npos) continue;
    seen = true;
    EXPECT_THAT(line, Not(HasSubstr("hunter2")));
  }
  EXPECT_TRUE(seen) << children;
  EXPECT_TRUE(kit::eventually([&] { return monitor.json(one)["state"] != "running"; }, 30s));
  const auto done = monitor.json(one);
  EXPECT_EQ(done["state"], "finished") << done.dump(1);
  EXPECT_GT(done["result"]["successful"], 0);
}

}  // namespace
}  // namespace etcdmon
