// What etcd itself complains about: space, corruption, diverged data, users and passwords.
#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chaos/versions.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/program.hpp"
#include "kit/watched.hpp"

namespace etcdmon {
namespace {

using namespace std::chrono_literals;
using kit::all_well;
using kit::both;
using kit::EtcdCluster;
using kit::has;
using kit::no;
using kit::Watched;
using model::Check;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

etcd::Credentials login(std::string user, std::string password) {
  return {std::move(user), Secret(std::move(password))};
}

const model::Verdict* verdict_of(const model::ClusterView& view, Check check) {
  const auto& verdicts = view.assessment.verdicts;
  const auto found = std::ranges::find(verdicts, check, &model::Verdict::check);
  return found == verdicts.end() ? nullptr : &*found;
}

kit::Condition nobody_is_down() {
  return [](const model::ClusterView& view) {
    return std::ranges::all_of(view.assessment.members,
                               [](const auto& member) { return model::is_alive(member.reach); }) &&
           view.assessment.quorum.has_quorum.value_or(true);
  };
}

// Logins that the members of a cluster have handled since they started.
int logins(const EtcdCluster& cluster) {
  int sum = 0;
  for (const auto& url : cluster.endpoints()) {
    std::istringstream lines(kit::fetch(url + "/metrics").body);
    for (std::string line; std::getline(lines, line);) {
      const bool counts = line.starts_with("grpc_server_handled_total{") &&
                          line.find("grpc_method=\"Authenticate\"") != std::string::npos;
      if (counts) sum += std::stoi(line.substr(line.rfind(' ') + 1));
    }
  }
  return sum;
}

class Trouble : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options(std::size_t members = 3) const {
    return {.version = GetParam(), .members = members};
  }
  static Watched::Options watch(const EtcdCluster& cluster,
                                std::function<void(collect::CollectOptions&)> adjust) {
    return {.endpoints = cluster.endpoints(),
            .adjust = [adjust = std::move(adjust)](app::ClusterOptions& made) {
              adjust(made.collect);
            }};
  }
};

TEST_P(Trouble, NospaceIsRaisedAndCleared) {
  auto made = options();
  made.quota_bytes = 8U << 20U;
  EtcdCluster cluster(std::move(made));
  Watched watched(watch(cluster, [](auto& collect) { collect.write_probe = true; }));
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster.fill_quota();
  watched.until(has(Check::kAlarmNospace), 5s, "the alarm");
  watched.stays(both(has(Check::kAlarmNospace), nobody_is_down()), 6s, "alarm, everybody up");
  EXPECT_FALSE(*watched.view()->assessment.healthy);
  EXPECT_THAT(watched.said_besides({"AlarmNospace"}), IsEmpty()) << watched.story();

  cluster.etcdctl({"del", "kit/fill/", "--prefix"});
  cluster.compact();
  for (std::size_t i = 0; i < 3; ++i) cluster.defrag(i);
  cluster.disarm_alarms();
  watched.until(all_well(3), 10s, "healthy again");
  const auto events = watched.events();
  const auto told = [&](model::EventKind kind) {
    return std::ranges::count(events, kind, &model::Event::kind);
  };
  EXPECT_EQ(told(model::EventKind::kAlarmRaised), told(model::EventKind::kAlarmCleared));
  EXPECT_GE(told(model::EventKind::kAlarmRaised), 1);
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
}

TEST_P(Trouble, ACorruptAlarmNamesItsMember) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster.raise_alarm(1, "CORRUPT");
  watched.until(has(Check::kAlarmCorrupt, cluster.member(1).name), 5s, "the alarm");
  watched.stays(both(has(Check::kAlarmCorrupt), nobody_is_down()), 6s, "alarm, everybody up");
  EXPECT_THAT(watched.said_besides({"AlarmCorrupt"}), IsEmpty()) << watched.story();
  cluster.disarm_alarms();
  watched.until(all_well(3), 10s, "healthy again");
}

TEST_P(Trouble, DivergedDataIsSeenAtTwoRevisions) {
  EtcdCluster cluster(options());
  Watched watched({.endpoints = {cluster.endpoint(0)}, .adjust = [](app::ClusterOptions& made) {
                     made.collect.hash_check_interval = 1s;
                   }});
  watched.until(all_well(3), 10s, "healthy before");
  const auto compared = [](const model::ClusterView& view) {
    return std::ranges::all_of(view.observation.members,
                               [](const auto& member) { return !member.hash_history.empty(); });
  };
  watched.until(compared, 10s, "hashes of all");
  watched.mark();
  cluster.corrupt(2);
  watched.until(all_well(3), 10s, "back");
  const auto revision = watched.view()->observation.members[0].status->revision;
  const auto compared_again = [revision](const model::ClusterView& view) {
    return std::ranges::all_of(view.observation.members, [revision](const auto& member) {
      return member.hash && member.hash->revision == revision;
    });
  };
  watched.until(compared_again, 10s, "hashes after the damage");
  watched.stays(no(has(Check::kDataDivergence)), 2s, "one revision proves nothing");
  cluster.put("another", "revision");
  watched.until(has(Check::kDataDivergence, cluster.member(2).name), 10s, "diverged");
  EXPECT_FALSE(*watched.view()->assessment.healthy);
  watched.stays(has(Check::kDataDivergence), 3s, "goes on");
  EXPECT_THAT(watched.said_besides({"DataDivergence", "MemberUnreachable", "NoLeader"}), IsEmpty())
      << watched.story();
  cluster.replace(2);
  watched.until(all_well(3), 20s, "healthy again");
}

TEST_P(Trouble, AuthSwitchedOnIsNotAnOutage) {
  EtcdCluster cluster(options());
  Watched watched(cluster);
  watched.until(all_well(3), 10s, "healthy before");
  watched.mark();
  cluster.enable_auth("root-password");
  watched.until(has(Check::kNotAuthorised), 10s, "not authorised");
  watched.stays(both(has(Check::kNotAuthorised), nobody_is_down()), 8s, "alive, may not be asked");
  EXPECT_THAT(watched.said_besides({"NotAuthorised"}), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
  // Its followers may still die, and it is said.
  cluster.kill(cluster.follower());
  watched.until(has(Check::kMemberUnreachable), 3s, "a death is seen all the same");
  EXPECT_TRUE(watched.view()->assessment.quorum.has_quorum.value_or(true));
}

TEST_P(Trouble, WithCredentialsAuthIsNoNews) {
  EtcdCluster cluster(options());
  Watched watched(
      watch(cluster, [](auto& collect) { collect.credentials = login("root", "root-password"); }));
  watched.until(all_well(3), 10s, "healthy before");
  EXPECT_EQ(logins(cluster), 0);
  watched.mark();
  cluster.enable_auth("root-password");
  const auto before = logins(cluster);
  watched.stays(all_well(3), 12s, "healthy");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
  EXPECT_THAT(watched.errors_logged(), IsEmpty());
  EXPECT_LE(logins(cluster) - before, 1) << "one token for the whole cluster";
}

TEST_P(Trouble, AWrongPasswordIsSaidAndNotRepeated) {
  EtcdCluster cluster(options());
  cluster.enable_auth("root-password");
  const auto before = logins(cluster);
  Watched watched(
      watch(cluster, [](auto& collect) { collect.credentials = login("root", "not-that"); }));
  watched.until(has(Check::kNotAuthorised), 10s, "not authorised");
  watched.stays(both(has(Check::kNotAuthorised), nobody_is_down()), 10s, "alive");
  EXPECT_THAT(watched.said_besides({"NotAuthorised"}), IsEmpty()) << watched.story();
  const auto* verdict = verdict_of(*watched.view(), Check::kNotAuthorised);
  ASSERT_NE(verdict, nullptr);
  EXPECT_THAT(verdict->detail, HasSubstr("logging in as root"));
  EXPECT_THAT(watched.story(), Not(HasSubstr("not-that")));
  EXPECT_EQ(logins(cluster) - before, 1);
}

TEST_P(Trouble, ThePrivilegedUserHashesAndLogsInOnce) {
  EtcdCluster cluster(options());
  cluster.enable_auth("root-password", {{"reader", "r", "read"}});
  const auto before = logins(cluster);
  Watched watched(watch(cluster, [](auto& collect) {
    collect.credentials = login("reader", "r");
    collect.privileged = login("root", "root-password");
    collect.hash_check_interval = 1s;
  }));
  watched.until(all_well(3), 10s, "healthy");
  const auto hashed_often = [](const model::ClusterView& view) {
    return std::ranges::all_of(view.observation.members,
                               [](const auto& member) { return member.hash_history.size() >= 3; });
  };
  watched.until(hashed_often, 15s, "three hash checks");
  EXPECT_THAT(watched.said(), IsEmpty()) << watched.story();
  EXPECT_EQ(logins(cluster) - before, 2) << "one for each user";
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Trouble);
INSTANTIATE_TEST_SUITE_P(Versions, Trouble, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

// Slow: a login that was refused is not tried again for half a minute.
class LongTrouble : public Trouble {};

TEST_P(LongTrouble, AChangedPasswordIsSaidAndForgotten) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("root-password", {{"reader", "r", "read"}});
  Watched watched(
      watch(cluster, [](auto& collect) { collect.credentials = login("reader", "r"); }));
  watched.until(all_well(1), 10s, "healthy before");
  watched.mark();
  cluster.etcdctl({"user", "passwd", "reader", "--interactive=false"}, "changed\n");
  watched.until(has(Check::kNotAuthorised), 15s, "not authorised");
  cluster.etcdctl({"user", "passwd", "reader", "--interactive=false"}, "r\n");
  watched.until(all_well(1), 45s, "healthy again");
  EXPECT_THAT(watched.said_besides({"NotAuthorised"}), IsEmpty()) << watched.story();
}

ETCDMON_NEWEST_AND_NIGHTLY(LongTrouble);

}  // namespace
}  // namespace etcdmon
