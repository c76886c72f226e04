// What can be told of the operations without a server; the rest is in tests/integration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "etcd/channel.hpp"
#include "etcd/kv.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::etcd {
namespace {

using std::string_literals::operator""s;

struct PrefixCase {
  const char* name;
  std::string prefix;
  std::string key;
  std::string end;
};

TEST(KeyRange, PrefixEndsBehindItsLastKey) {
  const PrefixCase cases[] = {
      {"Plain", "a", "a", "b"},
      {"Path", "/registry/", "/registry/", "/registry0"},
      {"Everything", "", "\0"s, "\0"s},
      {"LastByteIsFull", "a\xff", "a\xff", "b"},
      {"AllBytesAreFull", "\xff\xff", "\xff\xff", "\0"s},
      {"InvalidUtf8", "\xc3\x28\x00"s, "\xc3\x28\x00"s, "\xc3\x28\x01"s},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto range = KeyRange::prefix(c.prefix);
    EXPECT_EQ(range.key, c.key);
    EXPECT_EQ(range.end, c.end);
  }
}

TEST(KeyRange, KnowsWhenItIsEverything) {
  EXPECT_TRUE(KeyRange::all().is_all());
  EXPECT_TRUE(KeyRange::prefix("").is_all());
  EXPECT_TRUE(KeyRange::from("").is_all());
  EXPECT_FALSE(KeyRange::from("a").is_all());
  EXPECT_FALSE(KeyRange::one("").is_all());
  EXPECT_FALSE(KeyRange::prefix("a").is_all());
}

struct OutcomeCase {
  const char* name;
  Error error;
  bool unknown;
};

TEST(Outcome, IsUnknownWhereTheChangeMayHaveBeenMade) {
  const OutcomeCase cases[] = {
      {"NoAnswer", {ErrorCode::kDeadlineExceeded, "no answer", Cause::kTimeout}, true},
      {"ConnectionBroke", {ErrorCode::kUnavailable, "reset", Cause::kReset}, true},
      {"PeerWentAway", {ErrorCode::kUnavailable, "goaway", Cause::kGoAway}, true},
      {"LeaderChanged", {ErrorCode::kUnavailable, "etcdserver: leader changed"}, true},
      {"ProposalTimedOut", {ErrorCode::kUnavailable, "etcdserver: request timed out"}, true},
      {"LeaderFailedMeanwhile",
       {ErrorCode::kUnavailable,
        "etcdserver: request timed out, possibly due to previous leader failure"},
       true},
      {"Refused", {ErrorCode::kUnavailable, "connect: refused", Cause::kRefused}, false},
      {"NeverLeft", {ErrorCode::kUnavailable, "connect: timeout", Cause::kUnreachable}, false},
      {"NoLeader", {ErrorCode::kUnavailable, "etcdserver: no leader"}, false},
      {"NoSpace",
       {ErrorCode::kResourceExhausted, "etcdserver: mvcc: database space exceeded"},
       false},
      {"TooLarge", {ErrorCode::kInvalidArgument, "etcdserver: request is too large"}, false},
      {"Denied", {ErrorCode::kPermissionDenied, "etcdserver: permission denied"}, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(is_outcome_unknown(c.error), c.unknown);
  }
}

TEST(RangePages, OnlyTheOrderOfKeysCanBePaged) {
  const auto range = KeyRange::prefix("a");
  EXPECT_TRUE(RangePages::can_page({.range = range}));
  EXPECT_TRUE(RangePages::can_page({.range = range, .order = Order::kAscending}));
  EXPECT_TRUE(RangePages::can_page({.range = range, .limit = 7, .keys_only = true}));
  EXPECT_FALSE(RangePages::can_page({.range = KeyRange::one("a")}));
  EXPECT_FALSE(RangePages::can_page({.range = range, .order = Order::kDescending}));
  EXPECT_FALSE(RangePages::can_page({.range = range, .sort_by = SortBy::kModify}));
  EXPECT_FALSE(RangePages::can_page({.range = range, .count_only = true}));
  EXPECT_FALSE(RangePages::can_page({.range = range, .min_mod_revision = 5}));
}

TEST(Operation, CarriesAllOptions) {
  const auto get = operation(GetOptions{.range = KeyRange::prefix("p"),
                                        .limit = 3,
                                        .revision = 4,
                                        .consistency = Consistency::kSerializable,
                                        .order = Order::kDescending,
                                        .sort_by = SortBy::kValue,
                                        .max_create_revision = 9});
  EXPECT_EQ(get.request_range().range_end(), "q");
  EXPECT_EQ(get.request_range().limit(), 3);
  EXPECT_EQ(get.request_range().revision(), 4);
  EXPECT_TRUE(get.request_range().serializable());
  EXPECT_EQ(get.request_range().sort_order(), wire::RangeRequest::DESCEND);
  EXPECT_EQ(get.request_range().sort_target(), wire::RangeRequest::BY_VALUE);
  EXPECT_EQ(get.request_range().max_create_revision(), 9);
  const auto put =
      operation(PutOptions{.key = "k", .lease = 0x1234, .previous = true, .keep_value = true});
  EXPECT_EQ(put.request_put().lease(), 0x1234);
  EXPECT_TRUE(put.request_put().prev_kv());
  EXPECT_TRUE(put.request_put().ignore_value());
  EXPECT_FALSE(put.request_put().ignore_lease());
}

}  // namespace
}  // namespace etcdmon::etcd
