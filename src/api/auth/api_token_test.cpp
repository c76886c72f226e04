#include "api/auth/api_token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::api::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const WallTime kNow{1'000s};

TEST(ApiTokenText, HasAFormAndAChecksum) {
  const auto token = make_api_token().reveal();
  EXPECT_THAT(token, StartsWith("etcdmon_"));
  EXPECT_EQ(token.size(), 57U);
  EXPECT_TRUE(is_api_token(token));
  EXPECT_NE(make_api_token().reveal(), token);

  auto slip = token;
  slip[20] = slip[20] == 'a' ? 'b' : 'a';
  EXPECT_FALSE(is_api_token(slip));
  slip = token;
  slip.back() = slip.back() == 'a' ? 'b' : 'a';
  EXPECT_FALSE(is_api_token(slip));
  EXPECT_FALSE(is_api_token(token + "a"));
  EXPECT_FALSE(is_api_token(token.substr(0, 56)));
  EXPECT_FALSE(is_api_token("other___" + token.substr(8)));
  EXPECT_FALSE(is_api_token(""));
}

TEST(ApiTokenText, IsKeptAsItsHash) {
  EXPECT_EQ(hash_api_token("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ApiTokenList, FindsWhatIsKnownAndValid) {
  const auto good = make_api_token().reveal();
  const auto old = make_api_token().reveal();
  const auto list = ApiTokens::make({
      {.name = "good", .hash = hash_api_token(good), .roles = {"viewer"}, .expires = kNow + 1ns},
      {.name = "old", .hash = hash_api_token(old), .roles = {"admin"}, .expires = kNow},
  });
  ASSERT_TRUE(list);
  ASSERT_NE(list->find(good, kNow), nullptr);
  EXPECT_EQ(list->find(good, kNow)->name, "good");
  EXPECT_EQ(list->find(old, kNow), nullptr);
  EXPECT_EQ(list->find(old, kNow - 1ns)->name, "old");
  EXPECT_EQ(list->find(make_api_token().reveal(), kNow), nullptr);
  // The hash is no token.
  EXPECT_EQ(list->find(hash_api_token(good), kNow), nullptr);
  EXPECT_EQ(ApiTokens().find(good, kNow), nullptr);
}

TEST(ApiTokenList, RefusesWhatIsNoHash) {
  const auto outcome = [](std::vector<ApiToken> tokens) {
    const auto list = ApiTokens::make(std::move(tokens));
    return list ? "taken" : list.error().message;
  };
  const auto hash = hash_api_token("a");
  EXPECT_EQ(outcome({}), "taken");
  EXPECT_EQ(outcome({{.name = "a", .hash = hash}}), "taken");
  EXPECT_THAT(outcome({{.name = "a", .hash = hash}, {.name = "b", .hash = hash}}),
              HasSubstr("token b: another one"));
  for (const auto& bad : {std::string(), make_api_token().reveal(), hash.substr(7), hash + "0",
                          "sha256:" + std::string(64, 'A'), "sha256:" + std::string(64, 'g')}) {
    EXPECT_THAT(outcome({{.name = "a", .hash = bad}}), HasSubstr("token a")) << bad;
  }
}

}  // namespace
}  // namespace etcdmon::api::auth
