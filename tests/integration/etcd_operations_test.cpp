// What an operator does, on real clusters that fail meanwhile.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <sys/resource.h>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "etcd/auth.hpp"
#include "etcd/blocking.hpp"
#include "etcd/concurrency.hpp"
#include "etcd/lease.hpp"
#include "etcd/membership.hpp"
#include "etcd/snapshot.hpp"
#include "etcd/watch.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/temp_dir.hpp"
#include "wire/auth.pb.h"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"
#include "wire/watch.pb.h"

namespace etcdmon::etcd {
namespace {

using namespace std::chrono_literals;
using kit::EtcdCluster;
using testing::ElementsAre;
using testing::HasSubstr;

Deadline soon(std::chrono::milliseconds in = 10s) {
  return std::chrono::steady_clock::now() + in;
}

net::Endpoint endpoint(const std::string& url) {
  auto parsed = net::parse_endpoint(url);
  if (!parsed) throw std::runtime_error(parsed.error().message);
  return *std::move(parsed);
}

ChannelOptions channel_to(const std::vector<std::string>& urls) {
  ChannelOptions options{.dial_timeout = 500ms};
  for (const auto& url : urls) options.endpoints.push_back(endpoint(url));
  return options;
}

ChannelOptions logged_in(const EtcdCluster& cluster, std::string user, std::string password) {
  auto options = channel_to(cluster.endpoints());
  options.tokens = make_token_source({std::move(user), Secret(std::move(password))});
  return options;
}

class EtcdOperations : public testing::TestWithParam<kit::EtcdVersion> {
 protected:
  EtcdCluster::Options options(std::size_t members) const {
    return {.version = GetParam(), .members = members};
  }
};

// A put that is made, whatever it takes: the same key and value, so that doing it twice shows only
// as one more revision.
std::int64_t put_at_last(Blocking& etcd, const std::string& key) {
  for (int i = 0; i < 20; ++i) {
    const auto reply = etcd(Kv(etcd.channel()).put({.key = key, .value = "v"}, soon(2s)));
    if (reply) return reply->header().revision();
  }
  throw std::runtime_error("no put was possible");
}

TEST_P(EtcdOperations, PagesAreOneRevisionHoweverMuchIsWrittenMeanwhile) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  wire::TxnRequest fill;
  for (int i = 0; i < 100; ++i) {
    auto& put = *fill.add_success()->mutable_request_put();
    put.set_key(fmt::format("p/{:04}", i));
    put.set_value(std::string(100, 'x'));
  }
  ASSERT_TRUE(etcd(Kv(etcd.channel()).txn(fill, soon())));
  for (const auto limit : {0, 40}) {
    RangePages pages(etcd.channel(), {.range = KeyRange::prefix("p/"), .limit = limit}, 2'000);
    std::vector<std::string> keys;
    std::set<std::int64_t> revisions;
    while (!pages.done()) {
      auto page = etcd(pages.next(soon()));
      ASSERT_TRUE(page) << page.error().message;
      EXPECT_EQ((*page)->count(), 100);
      for (const auto& kv : (*page)->kvs()) {
        keys.push_back(kv.key());
        revisions.insert(kv.mod_revision());
      }
      put_at_last(etcd, fmt::format("p/{:04}", 99));
      put_at_last(etcd, fmt::format("p/new{}", keys.size()));
    }
    EXPECT_EQ(keys.size(), limit == 0 ? 100U : 40U);
    EXPECT_TRUE(std::ranges::is_sorted(keys));
    if (limit == 40) continue;
    EXPECT_EQ(revisions.size(), 1U) << "a later write was seen";
    // As it was for the next round.
    const auto cleared = etcd(Kv(etcd.channel()).del({.range = KeyRange::prefix("p/new")}, soon()));
    ASSERT_TRUE(cleared);
  }
}

TEST_P(EtcdOperations, CompareAndSwapAndUpdate) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  Kv kv(etcd.channel());
  auto made = etcd(kv.compare_and_swap("n", std::nullopt, "1", soon()));
  ASSERT_TRUE(made && made->swapped);
  auto again = etcd(kv.compare_and_swap("n", std::nullopt, "2", soon()));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->swapped);
  ASSERT_TRUE(again->present);
  EXPECT_EQ(again->present->value, "1");
  int asked = 0;
  Kv::Change increment = [&](const std::optional<KeyValue>& now) {
    // Somebody else is faster the first time.
    if (++asked == 1) cluster.put("n", "10");
    return std::optional<std::string>(std::to_string(std::stoi(now->value) + 1));
  };
  const auto updated = etcd(kv.update("n", increment, soon()));
  ASSERT_TRUE(updated && updated->swapped);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(cluster.get("n"), "11");
}

TEST_P(EtcdOperations, AChangeWithoutAnAnswerIsReportedAsUnknown) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  put_at_last(etcd, "first");
  cluster.stop(0);
  const auto reply = etcd(Kv(etcd.channel()).put({.key = "k", .value = "v"}, soon(300ms)));
  ASSERT_FALSE(reply);
  EXPECT_TRUE(is_outcome_unknown(reply.error()));
  EXPECT_THAT(reply.error().message, HasSubstr("the outcome is unknown"));
  cluster.cont(0);
  // Whether it was made is the server's affair; nobody asked twice.
  EXPECT_THAT(cluster.get("k"), testing::AnyOf("", "v"));
}

TEST_P(EtcdOperations, DeadEndpointsArePassedOver) {
  EtcdCluster cluster(options(3));
  auto urls = cluster.endpoints();
  cluster.kill(0);
  Blocking etcd(channel_to(urls));
  EXPECT_GT(put_at_last(etcd, "k"), 1);
  EXPECT_EQ(etcd.channel().endpoint().url(), urls[1]);
  cluster.stop(1);
  const auto read = etcd(
      Kv(etcd.channel())
          .get({.range = KeyRange::one("k"), .consistency = Consistency::kSerializable}, soon(3s)));
  EXPECT_TRUE(read) << read.error().message;
  cluster.cont(1);
}

TEST_P(EtcdOperations, WatchLosesAndRepeatsNothingAcrossLeaderKills) {
  EtcdCluster cluster(options(3));
  Blocking writer(channel_to(cluster.endpoints()));
  Blocking reader(channel_to(cluster.endpoints()));
  const auto first = put_at_last(writer, "w/begin") + 1;
  Watch watch(reader.channel(), {.range = KeyRange::prefix("w/"), .start_revision = first});
  int breaks = 0;
  watch.on_break([&](const Error&) { ++breaks; });
  std::vector<std::int64_t> seen;
  std::int64_t last = 0;
  const auto read_on = [&] {
    while (seen.empty() || seen.back() < last) {
      const auto response = reader(watch.next());
      if (!response) throw std::runtime_error(response.error().message);
      for (const auto& event : response->events()) seen.push_back(event.kv().mod_revision());
    }
  };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) last = put_at_last(writer, fmt::format("w/{}/{}", round, i));
    read_on();
    // The leader that dies is the member that is watched.
    const auto urls = cluster.endpoints();
    const auto at = std::ranges::find(urls, reader.channel().endpoint().url());
    const auto leader = static_cast<std::size_t>(at - urls.begin());
    if (cluster.leader() != leader) cluster.move_leader(leader);
    cluster.kill(leader);
    for (int i = 50; i < 100; ++i) last = put_at_last(writer, fmt::format("w/{}/{}", round, i));
    read_on();
    cluster.restart(leader);
  }
  // Every revision was one put below the prefix.
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(last - first + 1));
  for (std::size_t i = 0; i < seen.size(); ++i)
    ASSERT_EQ(seen[i], first + static_cast<std::int64_t>(i));
  EXPECT_GE(breaks, 3);
}

TEST_P(EtcdOperations, WatchOfACompactedRevisionSaysWhereToBegin) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  std::int64_t revision = 0;
  for (int i = 0; i < 5; ++i) revision = put_at_last(etcd, "k");
  ASSERT_TRUE(etcd(Kv(etcd.channel()).compact({.revision = revision}, soon())));
  Watch watch(etcd.channel(), {.range = KeyRange::one("k"), .start_revision = 2});
  auto response = etcd(watch.next());
  while (response) response = etcd(watch.next());
  EXPECT_EQ(response.error().code, ErrorCode::kOutOfRange);
  EXPECT_EQ(watch.compact_revision(), revision);
}

TEST_P(EtcdOperations, WatchFiltersAndTellsWhatWasThereBefore) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  const auto first = put_at_last(etcd, "k");
  ASSERT_TRUE(etcd(Kv(etcd.channel()).del({.range = KeyRange::one("k")}, soon())));
  Watch watch(
      etcd.channel(),
      {.range = KeyRange::one("k"), .start_revision = first, .previous = true, .no_put = true});
  auto response = etcd(watch.next());
  while (response && response->events().empty()) response = etcd(watch.next());
  ASSERT_TRUE(response);
  ASSERT_EQ(response->events_size(), 1);
  EXPECT_EQ(response->events(0).type(), wire::Event::DELETE);
  EXPECT_EQ(response->events(0).prev_kv().value(), "v");
}

TEST_P(EtcdOperations, OneStreamKeepsManyLeasesAliveThroughAFailOver) {
  EtcdCluster cluster(options(3));
  Blocking etcd(channel_to(cluster.endpoints()));
  Leases leases(etcd.channel());
  KeepAlive keep_alive(etcd.executor(), etcd.channel());
  std::set<LeaseId> ids;
  for (int i = 0; i < 20; ++i) {
    const auto granted = etcd(leases.grant({.ttl = 3s}, soon()));
    ASSERT_TRUE(granted) << granted.error().message;
    ids.insert(granted->id());
    keep_alive.keep(granted->id(), 3s);
  }
  cluster.kill(cluster.leader());
  const auto end = std::chrono::steady_clock::now() + 5s;
  std::set<LeaseId> renewed;
  while (std::chrono::steady_clock::now() < end) {
    const auto answer = etcd(keep_alive.next());
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_GT(answer->ttl(), 0) << "lost";
    renewed.insert(answer->id());
  }
  EXPECT_EQ(renewed, ids);
  // One that is revoked is told, and the others go on.
  ASSERT_TRUE(etcd(leases.revoke(*ids.begin(), soon())));
  auto answer = etcd(keep_alive.next());
  while (answer && answer->ttl() > 0) answer = etcd(keep_alive.next());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id(), *ids.begin());
  EXPECT_EQ(keep_alive.size(), ids.size() - 1);
  etcd(keep_alive.close());
}

TEST_P(EtcdOperations, ALockPassesOnWhenItsHolderIsGone) {
  EtcdCluster cluster(options(1));
  Blocking first(channel_to(cluster.endpoints()));
  Blocking second(channel_to(cluster.endpoints()));
  LeaseSession holder(first.executor(), first.channel());
  LeaseSession waiter(second.executor(), second.channel());
  ASSERT_TRUE(first(holder.open(5s, soon())));
  ASSERT_TRUE(second(waiter.open(5s, soon())));
  const auto held = first(claim(first.channel(), {.name = "l", .lease = holder.id()}, soon()));
  ASSERT_TRUE(held);
  first(holder.close(soon()));  // revokes the lease
  const auto passed = second(claim(second.channel(), {.name = "l", .lease = waiter.id()}, soon()));
  ASSERT_TRUE(passed) << passed.error().message;
  EXPECT_GT(passed->create_revision, held->create_revision);
  // Claiming again with the same lease is the same claim.
  const auto same = second(claim(second.channel(), {.name = "l", .lease = waiter.id()}, soon()));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->create_revision, passed->create_revision);
  EXPECT_TRUE(second(release(second.channel(), *passed, soon())));
  EXPECT_EQ(cluster.get(passed->key), "");
  second(waiter.close(soon()));
}

TEST_P(EtcdOperations, HoldersAreToldInOrder) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  cluster.put("e/1", "one");
  cluster.put("e/2", "two");
  Holders holders(etcd.channel(), "e");
  auto holder = etcd(holders.next());
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->kvs(0).value(), "one");
  cluster.put("e/1", "uno");
  holder = etcd(holders.next());
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->kvs(0).value(), "uno");
  cluster.etcdctl({"del", "e/1"});
  holder = etcd(holders.next());
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->kvs(0).value(), "two");
}

TEST_P(EtcdOperations, AWrongPasswordIsSaidAndTokensAreRenewed) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("secret");
  Blocking wrong(logged_in(cluster, "root", "guess"));
  const auto refused = wrong(Kv(wrong.channel()).get({.range = KeyRange::one("k")}, soon()));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("invalid user ID or password"));
  Blocking right(logged_in(cluster, "root", "secret"));
  ASSERT_TRUE(right(Kv(right.channel()).put({.key = "k", .value = "1"}, soon())));
  Watch watch(right.channel(), {.range = KeyRange::one("k"), .start_revision = 1});
  auto response = right(watch.next());
  while (response && response->events().empty()) response = right(watch.next());
  ASSERT_TRUE(response) << response.error().message;
  // Simple tokens die with the member that gave them.
  cluster.restart(0);
  const auto put = right(Kv(right.channel()).put({.key = "k", .value = "2"}, soon()));
  ASSERT_TRUE(put) << put.error().message;
  response = right(watch.next());
  while (response && response->events().empty()) response = right(watch.next());
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->events(0).kv().value(), "2");
}

TEST_P(EtcdOperations, UsersRolesAndWhatTheyMay) {
  EtcdCluster cluster(options(1));
  cluster.enable_auth("secret");
  Blocking root(logged_in(cluster, "root", "secret"));
  Auth auth(root.channel());
  ASSERT_TRUE(root(auth.user_add({.name = "ann", .password = Secret("a")}, soon())));
  ASSERT_TRUE(root(auth.role_add("reader", soon())));
  ASSERT_TRUE(root(auth.grant_permission(
      {.role = "reader", .range = KeyRange::prefix("p/"), .access = Access::kRead}, soon())));
  ASSERT_TRUE(root(auth.grant_role({"ann", "reader"}, soon())));
  const auto user = root(auth.user_get("ann", soon()));
  ASSERT_TRUE(user);
  EXPECT_THAT(user->roles(), ElementsAre("reader"));
  const auto role = root(auth.role_get("reader", soon()));
  ASSERT_TRUE(role);
  ASSERT_EQ(role->perm_size(), 1);
  EXPECT_EQ(role->perm(0).range_end(), "p0");
  Blocking ann(logged_in(cluster, "ann", "a"));
  EXPECT_TRUE(ann(Kv(ann.channel()).get({.range = KeyRange::prefix("p/")}, soon())));
  const auto denied = ann(Kv(ann.channel()).put({.key = "p/k", .value = "v"}, soon()));
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, ErrorCode::kPermissionDenied);
}

TEST_P(EtcdOperations, ASnapshotIsWhatEtcdctlAccepts) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  for (int i = 0; i < 20; ++i) put_at_last(etcd, fmt::format("k{}", i));
  const kit::TempDir dir;
  async::BlockingPool pool({.name = "files", .threads = 1});
  const auto saved = etcd(save_snapshot(etcd.channel(), pool, {.path = dir.file("s.db")}));
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_EQ(saved->bytes, std::filesystem::file_size(dir.file("s.db")));
  const auto status = cluster.etcdctl({"snapshot", "status", dir.file("s.db"), "-w", "fields"});
  EXPECT_THAT(status, HasSubstr("\"Revision\" : 21"));
}

TEST_P(EtcdOperations, ASnapshotThatDoesNotFitLeavesNothing) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  put_at_last(etcd, "k");
  const kit::TempDir dir;
  async::BlockingPool pool({.name = "files", .threads = 1});
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4'096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto saved = etcd(save_snapshot(etcd.channel(), pool, {.path = dir.file("s.db")}));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  const auto nowhere =
      etcd(save_snapshot(etcd.channel(), pool, {.path = dir.file("no/such/s.db")}));
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound);
  // A folder, and by the same rule a device, is not replaced.
  const auto folder = etcd(save_snapshot(etcd.channel(), pool, {.path = dir.path().string()}));
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kInvalidArgument);
}

TEST_P(EtcdOperations, BinaryKeysAndTheLargestValues) {
  EtcdCluster cluster(options(1));
  Blocking etcd(channel_to(cluster.endpoints()));
  Kv kv(etcd.channel());
  const std::string key("\xc3\x28\x00\xff", 4);
  const std::string large(1'500'000, '\xfe');
  ASSERT_TRUE(etcd(kv.put({.key = key, .value = large}, soon())));
  const auto read = etcd(kv.get({.range = KeyRange::one(key)}, soon()));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->kvs_size(), 1);
  EXPECT_EQ(read->kvs(0).key(), key);
  EXPECT_EQ(read->kvs(0).value(), large);
  const auto refused = etcd(kv.put({.key = "k", .value = std::string(2'000'000, 'x')}, soon()));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("request is too large"));
}

INSTANTIATE_TEST_SUITE_P(Versions, EtcdOperations, testing::ValuesIn(kit::etcd_versions()),
                         kit::version_name);

}  // namespace
}  // namespace etcdmon::etcd
