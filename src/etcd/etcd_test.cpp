#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "etcd/client.hpp"
#include "etcd/permissions.hpp"

namespace etcdmon::etcd {
namespace {

struct ErrorCase {
  const char* name;
  Error error;
  bool not_authorised;
};

TEST(Errors, NotAuthorisedIsNeverATransportError) {
  const ErrorCase cases[] = {
      {"NoToken", {ErrorCode::kInvalidArgument, "etcdserver: user name is empty"}, true},
      {"BadToken", {ErrorCode::kUnauthenticated, "etcdserver: invalid auth token"}, true},
      {"Denied", {ErrorCode::kPermissionDenied, "etcdserver: permission denied"}, true},
      {"OldRevision",
       {ErrorCode::kInvalidArgument, "etcdserver: revision of auth store is old"},
       true},
      {"HashWithoutRoot", {ErrorCode::kUnknown, "auth: permission denied"}, true},
      {"HashWithoutUser", {ErrorCode::kUnknown, "auth: user name is empty"}, true},
      {"Refused", {ErrorCode::kUnavailable, "connection refused", Cause::kRefused}, false},
      {"Timeout",
       {ErrorCode::kDeadlineExceeded, "etcdserver: permission denied", Cause::kTimeout},
       false},
      {"NoLeader", {ErrorCode::kUnavailable, "etcdserver: no leader"}, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(is_not_authorised(c.error), c.not_authorised);
  }
}

TEST(Errors, LearnerAndSpaceAndLeader) {
  EXPECT_TRUE(is_unsupported_for_learner(
      {ErrorCode::kUnavailable, "etcdserver: rpc not supported for learner"}));
  EXPECT_TRUE(
      is_no_space({ErrorCode::kResourceExhausted, "etcdserver: mvcc: database space exceeded"}));
  EXPECT_TRUE(is_no_leader({ErrorCode::kUnavailable, "etcdserver: no leader"}));
  EXPECT_FALSE(
      is_no_space({ErrorCode::kResourceExhausted, "grpc: received message larger than max"}));
}

TEST(Alarms, AreReadFromStatusErrors) {
  const auto alarms =
      alarms_in({"etcdserver: no leader", "memberID:10276657743932975437 alarm:NOSPACE ",
                 "memberID:1 alarm:CORRUPT ", "memberID: alarm:CORRUPT"});
  EXPECT_THAT(alarms,
              testing::ElementsAre(
                  model::AlarmEntry{MemberId{10276657743932975437U}, model::AlarmType::kNospace},
                  model::AlarmEntry{MemberId{1}, model::AlarmType::kCorrupt}));
}

TEST(Alarms, AreNotListedWhereThatHarms) {
  for (const auto* version : {"3.5.0", "3.5.4"}) EXPECT_TRUE(alarm_list_harms(version)) << version;
  for (const auto* version : {"", "3.4.4", "3.4.23", "3.5.5", "3.5.16", "3.5.40", "3.6.0", "3.5.x"})
    EXPECT_FALSE(alarm_list_harms(version)) << version;
}

struct RemedyCase {
  const char* rpc;
  const char* user;
  std::vector<const char*> says;
};

TEST(Permissions, RemedyNamesTheCommandsAndTheVersions) {
  const RemedyCase cases[] = {
      {"KV.Range (linearizable)",
       "watcher",
       {"role grant-permission etcd-monitor read health", "user grant-role watcher etcd-monitor"}},
      {"KV.Range (serializable)", "", {"etcdctl user add etcd-monitor,", "--user=etcd-monitor"}},
      {"Maintenance.Status",
       "watcher",
       {"3.4.42 to 3.4.45", "3.5.28 to 3.5.31", "3.6.0 to 3.6.11", "from 3.5.32, 3.6.12 and 3.7.0",
        "grant-role watcher root"}},
      {"Maintenance.Alarm",
       "watcher",
       {"3.4.42, 3.5.28, 3.6.9", "from 3.4.43, 3.5.29, 3.6.10 and 3.7.0", "grant-role watcher"}},
      {"Cluster.MemberList",
       "",
       {"etcdctl user add etcd-monitor,", "3.4.42, 3.5.28, 3.6.9", "grant-role etcd-monitor root"}},
      {"Maintenance.HashKV",
       "watcher",
       {"on every version", "grant-role watcher root", "`privileged`", "hash_check_interval: 0"}},
      {"Maintenance.HashKV",
       "",
       {"user add etcd-monitor-root && ", "grant-role etcd-monitor-root"}},
  };
  for (const auto& [rpc, user, says] : cases) {
    SCOPED_TRACE(fmt::format("{} as \"{}\"", rpc, user));
    const auto remedy = remedy_for(rpc, user);
    for (const auto* part : says) EXPECT_THAT(remedy, testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace etcdmon::etcd
