#include "api/auth/rate_limit.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::api::auth {
namespace {

using namespace std::chrono_literals;

SteadyTime at(Duration since) {
  return SteadyTime(1'000s + since);
}

TEST(TokenBucketOf, GivesABurstAndThenAtItsRate) {
  TokenBucket bucket({.burst = 3, .every = 10s}, at(0s));
  EXPECT_TRUE(bucket.full(at(0s)));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bucket.wait(at(0s)), 0s);
    bucket.take(at(0s));
  }
  EXPECT_GT(bucket.wait(at(0s)), 9'999ms);
  EXPECT_LT(bucket.wait(at(0s)), 10'001ms);
  EXPECT_GT(bucket.wait(at(9s)), 0s);
  EXPECT_EQ(bucket.wait(at(10s) + 1ns), 0s);
  bucket.take(at(10s) + 1ns);
  EXPECT_GT(bucket.wait(at(11s)), 0s);
  EXPECT_EQ(bucket.wait(at(1h)), 0s);
  EXPECT_DOUBLE_EQ(bucket.tokens(at(1h)), 3);
  bucket.give_back(at(1h));
  EXPECT_DOUBLE_EQ(bucket.tokens(at(1h)), 3);
}

TEST(TokenBucketOf, WaitsAsLongAsItSays) {
  TokenBucket bucket({.burst = 1, .every = 3s}, at(0s));
  bucket.take(at(0s));
  for (auto now = 0ns; now < 3s; now += 7ms) {
    ASSERT_EQ(bucket.wait(at(now + bucket.wait(at(now)))), 0s) << now.count();
  }
  // A clock that is behind gives nothing.
  EXPECT_GT(bucket.wait(at(-1h)), 0s);
}

TEST(TokenBucketsOf, HoldSoManyAtMost) {
  TokenBuckets buckets({.burst = 2, .every = 10s}, 3);
  buckets.take("a", at(0s));
  buckets.take("a", at(0s));
  buckets.take("b", at(0s));
  buckets.take("c", at(1s));
  // "b" is nearest to full; "a", which is empty, is kept.
  buckets.take("d", at(2s));
  EXPECT_EQ(buckets.size(), 3U);
  EXPECT_GT(buckets.wait("a", at(2s)), 0s);
  buckets.take("b", at(2s));
  EXPECT_EQ(buckets.size(), 3U);
  EXPECT_GT(buckets.wait("a", at(2s)), 0s);
  // By now all are full again.
  buckets.take("e", at(1h));
  EXPECT_EQ(buckets.size(), 1U);
  EXPECT_EQ(buckets.wait("unknown", at(1h)), 0s);
}

class Throttle : public ::testing::Test {
 protected:
  LoginThrottle throttle_{{.per_user = {.burst = 2, .every = 10s},
                           .per_address = {.burst = 4, .every = 5s},
                           .most = 100}};
};

TEST_F(Throttle, CountsAUserFromEverywhere) {
  EXPECT_EQ(throttle_.attempt("ann", "10.0.0.1:1", at(0s)), 0s);
  EXPECT_EQ(throttle_.attempt("ann", "10.0.0.2:1", at(0s)), 0s);
  EXPECT_GT(throttle_.attempt("ann", "10.0.0.3:1", at(0s)), 9s);
  EXPECT_EQ(throttle_.attempt("bob", "10.0.0.3:1", at(0s)), 0s);
  EXPECT_EQ(throttle_.attempt("ann", "10.0.0.3:1", at(11s)), 0s);
}

TEST_F(Throttle, CountsAnAddressWhateverTheUserAndPort) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(throttle_.attempt(fmt::format("user{}", i), fmt::format("10.0.0.1:{}", i), at(0s)),
              0s);
  }
  EXPECT_GT(throttle_.attempt("ann", "10.0.0.1:9", at(0s)), 4s);
  EXPECT_EQ(throttle_.attempt("ann", "10.0.0.2:9", at(0s)), 0s);
}

TEST_F(Throttle, WhatIsRefusedDoesNotCount) {
  for (int i = 0; i < 50; ++i) throttle_.attempt("ann", "10.0.0.1:1", at(0s));
  EXPECT_EQ(throttle_.attempt("bob", "10.0.0.1:1", at(0s)), 0s);
  EXPECT_EQ(throttle_.attempt("ann", "10.0.0.1:1", at(11s)), 0s);
}

TEST_F(Throttle, GivesBackWhatSucceeded) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(throttle_.attempt("ann", "10.0.0.1:1", at(0s)), 0s);
    throttle_.succeeded("ann", "10.0.0.1:1", at(0s));
  }
}

TEST(AddressOf, IsWhoMayGuess) {
  EXPECT_EQ(address_of("127.0.0.1:53214"), "127.0.0.1");
  EXPECT_EQ(address_of("[2001:db8:1:2:3:4:5:6]:80"), "20010db800010002/64");
  EXPECT_EQ(address_of("[2001:db8:1:2::1]:80"), "20010db800010002/64");
  EXPECT_EQ(address_of("[::ffff:10.0.0.1]:80"), "10.0.0.1");
  EXPECT_EQ(address_of("[fe80::1%eth0]:80"), address_of("[fe80::2]:80"));
  EXPECT_EQ(address_of(""), "");
}

}  // namespace
}  // namespace etcdmon::api::auth
