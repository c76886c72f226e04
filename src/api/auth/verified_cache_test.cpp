#include "api/auth/verified_cache.hpp"

#include <gtest/gtest.h>

namespace etcdmon::api::auth {
namespace {

using namespace std::chrono_literals;

Now at(Duration since) {
  return {SteadyTime(500s + since), WallTime(1'000s + since)};
}

Identity named(std::string subject, std::optional<WallTime> expires = {}) {
  return {
      .subject = std::move(subject), .roles = {"viewer"}, .how = Proof::kJwt, .expires = expires};
}

TEST(Verified, IsKnownForAWhile) {
  VerifiedCache cache({.keep = 60s, .most = 10});
  cache.put("one", named("ann"), at(0s));
  EXPECT_EQ(cache.find("one", at(59s)), named("ann"));
  EXPECT_EQ(cache.find("one", at(60s)), std::nullopt);
  EXPECT_EQ(cache.find("two", at(0s)), std::nullopt);
  EXPECT_EQ(cache.find("", at(0s)), std::nullopt);
}

TEST(Verified, EndsWithItsProof) {
  VerifiedCache cache({.keep = 60s, .most = 10});
  cache.put("one", named("ann", at(10s).wall), at(0s));
  EXPECT_TRUE(cache.find("one", at(9s)));
  EXPECT_FALSE(cache.find("one", at(10s)));
}

TEST(Verified, IsForgottenOldestFirst) {
  VerifiedCache cache({.keep = 60s, .most = 2});
  cache.put("one", named("ann"), at(0s));
  cache.put("two", named("bob"), at(1s));
  // Renewed, so "two" is the oldest now.
  cache.put("one", named("ann"), at(2s));
  cache.put("three", named("cyd"), at(3s));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(cache.find("one", at(61s)));
  EXPECT_FALSE(cache.find("two", at(3s)));
  EXPECT_TRUE(cache.find("three", at(3s)));
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_FALSE(cache.find("three", at(3s)));
}

TEST(Verified, IsNotKeptWhereThereIsNoRoom) {
  VerifiedCache cache({.keep = 60s, .most = 0});
  cache.put("one", named("ann"), at(0s));
  EXPECT_FALSE(cache.find("one", at(0s)));
}

}  // namespace
}  // namespace etcdmon::api::auth
