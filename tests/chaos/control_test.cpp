// Control runs: what is no trouble, or is not etcd's, and must not be told as if it were.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chaos/versions.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/monitor.hpp"
#include "kit/program.hpp"
#include "kit/run.hpp"
#include "kit/temp_dir.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::EtcdCluster;
using kit::Monitor;
using kit::Program;
using kit::Watched;
using model::Reach;
using nlohmann::json;
using std::chrono::steady_clock;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string joined(const EtcdCluster& cluster) {
  std::string out = "--endpoints=";
  for (const auto& url : cluster.endpoints()) out += url + ",";
  out.pop_back();
  return out;
}

bool is_well(const json& status) {
  return status["healthy"] == true && status["available"] == 3 &&
         std::ranges::all_of(status["verdicts"],
                             [](const json& v) { return v["severity"] == "info"; });
}

class Control : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options() const {
    EtcdCluster::Options made{.version = GetParam()};
    return made;
  }

  // The real binary, which is stopped for a while and goes on.
  static void stop_the_monitor(const EtcdCluster& cluster, std::chrono::seconds time) {
    Monitor monitor({.flags = {joined(cluster), "--health-check-interval=5s"}});
    monitor.until(is_well, 10s, "healthy before");
    auto& program = monitor.program();
    const auto said_before = program.out().size();
    program.signal(SIGSTOP);
    std::this_thread::sleep_for(time);
    program.signal(SIGCONT);
    monitor.until(is_well, 10s, "healthy again");
    std::this_thread::sleep_for(4s);
    EXPECT_TRUE(is_well(monitor.json("/api/v1/cluster/status")));
    EXPECT_EQ(monitor.json("/api/v1/cluster/leader")["changes"], 0);
    EXPECT_THAT(program.out().substr(said_before),
                Not(AnyOf(HasSubstr("FIRING"), HasSubstr("unreachable"), HasSubstr("hung"),
                          HasSubstr("quorum"), HasSubstr("leader"), HasSubstr("partition"))));
    EXPECT_THAT(program.err(), Not(AnyOf(HasSubstr("ERROR"), HasSubstr("error"))));
  }

  // A member that ends in good order, is away for a while and comes back.
  static void restart_a_member(EtcdCluster& cluster, std::size_t i, std::chrono::seconds time) {
    Watched watched(cluster);
    watched.until(all_well(3), 10s, "healthy before");
    watched.mark();
    cluster.terminate(i);
    std::this_thread::sleep_for(time);
    cluster.restart(i);
    watched.until(all_well(3), 20s, "healthy again");
    EXPECT_THAT(watched.said_besides({"MemberUnreachable", "NoLeader"}), IsEmpty())
        << watched.story();
    EXPECT_THAT(watched.alerts_fired(), IsEmpty()) << "the rule waits two minutes";
    EXPECT_THAT(watched.errors_logged(), IsEmpty());
  }
};

TEST_P(Control, TheMonitorStoppedForSecondsAccusesNobody) {
  const EtcdCluster cluster(options());
  stop_the_monitor(cluster, 6s);
}

TEST_P(Control, AMemberAwayForSecondsPagesNobody) {
  EtcdCluster cluster(options());
  restart_a_member(cluster, cluster.leader(), 10s);
}

/// Each fdatasync of a running process takes so much longer, until this dies.
Program slow_disk(pid_t pid, std::chrono::microseconds delay) {
  return Program({"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                  fmt::format("inject=fdatasync:delay_enter={}", delay.count()), "-p",
                  std::to_string(pid)});
}

bool being_traced(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("TracerPid:")) return line.find_first_of("123456789") != std::string::npos;
  }
  return false;
}

TEST_P(Control, ADefragOfSecondsIsABusyMemberAndNeverAHungOne) {
  auto made = options();
  if (made.version.at_least(3, 5)) made.flags["unsafe-no-fsync"] = "false";
  EtcdCluster cluster(std::move(made));
  cluster.put("key", "value");
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  const auto busy = cluster.follower();
  const auto name = cluster.member(busy).name;
  Program disk = slow_disk(cluster.pid(busy), 1200ms);
  if (!kit::eventually([&] { return being_traced(cluster.pid(busy)); }, 5s))
    GTEST_SKIP() << "strace cannot attach here: " << disk.err();
  watched.mark();
  const auto began = steady_clock::now();
  Program defrag({"env", "ETCDCTL_API=3", GetParam().etcdctl,
                  "--endpoints=" + cluster.endpoint(busy), "--command-timeout=60s", "defrag"});
  const auto shown = [&](const model::ClusterView& view) {
    return kit::reach_is(name, Reach::kBackendBusy)(view) ||
           kit::reach_is(name, Reach::kDefragmenting)(view);
  };
  watched.until(shown, 5s, "busy or defragmenting");
  const auto ended = defrag.wait(60s);
  ASSERT_TRUE(ended && ended->code == 0) << defrag.err();
  const auto took = steady_clock::now() - began;
  EXPECT_GE(took, 5s) << "no defrag of seconds: the case proves nothing";
  disk.terminate();
  watched.until(all_well(3), 10s, "healthy again");
  EXPECT_THAT(watched.said_besides({"BackendBusy", "Defragmenting"}), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.alerts_fired(), IsEmpty());
  EXPECT_EQ(watched.view()->assessment.leader.changes, 0U);
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Control, ASnapshotIsNoEvent) {
  EtcdCluster cluster(options());
  const kit::TempDir dir;
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster.etcdctl_at(cluster.leader(), {"snapshot", "save", dir.file("backup.db")});
  watched.stays(all_well(3), 3s, "healthy");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
}

ETCDMON_NEWEST_AND_NIGHTLY(Control);

// --- What takes long.

class LongControl : public Control {};

TEST_P(LongControl, TheMonitorStoppedForHalfAMinuteAccusesNobody) {
  const EtcdCluster cluster(options());
  stop_the_monitor(cluster, 30s);
}

TEST_P(LongControl, MembersAwayForUpToAMinuteAndAHalfPageNobody) {
  EtcdCluster cluster(options());
  for (const auto time : {30s, 50s, 90s}) {
    SCOPED_TRACE(fmt::format("{} s", time.count()));
    restart_a_member(cluster, cluster.leader(), time);
  }
}

TEST_P(LongControl, HashScansOfABigDatabaseHurtNobody) {
  EtcdCluster cluster(options());
  const std::string value(1'000'000, 'v');
  for (int i = 0; i < 100; ++i) cluster.put(fmt::format("big/{}", i), value);
  Watched watched({.endpoints = cluster.endpoints(), .adjust = [](app::ClusterOptions& made) {
                     made.collect.hash_check_interval = 1s;
                   }});
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  const auto hashed_often = [](const model::ClusterView& view) {
    return std::ranges::all_of(view.observation.members,
                               [](const auto& member) { return member.hash_history.size() >= 8; });
  };
  for (int i = 0; i < 8; ++i) {
    cluster.put("small", std::to_string(i));
    std::this_thread::sleep_for(2s);
  }
  watched.until(hashed_often, 60s, "eight hash checks");
  EXPECT_THAT(watched.said_besides({"BackendBusy"}), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.alerts_fired(), IsEmpty());
  EXPECT_EQ(watched.view()->assessment.leader.changes, 0U);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LongControl);
INSTANTIATE_TEST_SUITE_P(Nightly, LongControl, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

// --- Of all versions at once, and of none.

TEST(ControlRuns, ARollingUpgradeIsOnlyNews) {
  const auto& versions = kit::etcd_versions();
  if (versions.size() < 2) GTEST_SKIP() << "only one version of etcd is installed";
  EtcdCluster cluster({.version = versions.front()});
  cluster.put("key", "value");
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    cluster.restart_with(i, versions.back());
    watched.until(all_well(3), 20s, fmt::format("healthy after member {}", i));
  }
  const auto upgraded = [&](const model::ClusterView& view) {
    return all_well(3)(view) &&
           std::ranges::all_of(view.observation.members, [&](const auto& member) {
             return member.status && member.status->version == versions.back().version;
           });
  };
  watched.until(upgraded, 20s, "all of the new version");
  EXPECT_THAT(watched.said_besides({"MemberUnreachable", "NoLeader"}), IsEmpty())
      << watched.story();
  EXPECT_THAT(watched.alerts_fired(), IsEmpty());
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
  const auto events = watched.events();
  EXPECT_EQ(std::ranges::count(events, model::EventKind::kVersionChanged, &model::Event::kind), 3);
  EXPECT_THAT(events,
              Not(Contains(testing::Field(&model::Event::severity, model::Severity::kCritical))));
}

/// The library that lies about the time to one process; empty: not installed.
std::string libfaketime() {
  for (const auto* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"}) {
    const auto path = std::string(folder) + "/faketime/libfaketime.so.1";
    if (std::filesystem::exists(path)) return path;
  }
  return {};
}

TEST(ControlRuns, AStepOfTheClockIsNoNewsOfTheCluster) {
  const auto library = libfaketime();
  if (library.empty()) GTEST_SKIP() << "libfaketime is not installed";
  const EtcdCluster cluster;
  const kit::TempDir dir;
  const auto clock = dir.file("clock");
  const auto set_clock = [&](const std::string& offset) {
    // In one step: the monitor reads it at each look at the clock.
    std::ofstream(clock + ".new") << offset << "\n";
    std::filesystem::rename(clock + ".new", clock);
  };
  set_clock("+0");
  Monitor monitor({.flags = {joined(cluster), "--health-check-interval=5s"},
                   .environment = {{"LD_PRELOAD", library},
                                   {"FAKETIME_TIMESTAMP_FILE", clock},
                                   {"FAKETIME_NO_CACHE", "1"},
                                   {"FAKETIME_DONT_FAKE_MONOTONIC", "1"}}});
  monitor.until(is_well, 10s, "healthy before");
  auto& program = monitor.program();
  const auto said_before = program.out().size();
  for (const auto* offset : {"+2h", "-3d"}) {
    SCOPED_TRACE(offset);
    set_clock(offset);
    std::this_thread::sleep_for(6s);
    EXPECT_TRUE(is_well(monitor.json("/api/v1/cluster/status")))
        << monitor.json("/api/v1/cluster/status").dump(1);
  }
  EXPECT_EQ(monitor.json("/api/v1/cluster/leader")["changes"], 0);
  const auto said = program.out().substr(said_before);
  EXPECT_THAT(said, HasSubstr("the clock of this monitor's host was set by +2h"));
  EXPECT_THAT(said, Not(AnyOf(HasSubstr("FIRING"), HasSubstr("unreachable"), HasSubstr("hung"),
                              HasSubstr("restarted"), HasSubstr("leader"))));
}

}  // namespace
}  // namespace etcdmon
