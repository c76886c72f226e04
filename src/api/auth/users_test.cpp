#include "api/auth/users.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::api::auth {
namespace {

using ::testing::HasSubstr;

PasswordHash hash_with(std::string_view cost) {
  return *PasswordHash::parse("$scrypt$" + std::string(cost) + "$" + std::string(22, 'A') + "$" +
                              std::string(43, 'A'));
}

std::string outcome(std::vector<std::string> names) {
  std::vector<User> users;
  for (auto& name : names) {
    users.push_back({.name = std::move(name), .password = hash_with("ln=14,r=8,p=1")});
  }
  const auto made = Users::make(std::move(users));
  return made ? "taken" : made.error().message;
}

TEST(UserNames, AreWhatBasicCanCarry) {
  EXPECT_EQ(outcome({}), "taken");
  EXPECT_EQ(outcome({"ann", "Ann", "ann@example.org", "J\xc3\xbcrgen M"}), "taken");
  EXPECT_EQ(outcome({std::string(255, 'a')}), "taken");
  for (const auto& name : {std::string(), std::string(256, 'a'), std::string("a:b"),
                           std::string("a\nb"), std::string("a\x7f"), std::string("a\xff")}) {
    EXPECT_THAT(outcome({"ann", name}), HasSubstr("name")) << name;
  }
  EXPECT_THAT(outcome({"ann", "bob", "ann"}), HasSubstr("user ann is there twice"));
}

TEST(UsersKnown, NobodyIsAsDearAsTheDearest) {
  const auto users = *Users::make({
      {.name = "ann", .password = hash_with("ln=14,r=8,p=1"), .roles = {"viewer"}},
      {.name = "bob", .password = hash_with("ln=16,r=8,p=2")},
      {.name = "cyd", .password = hash_with("ln=14,r=8,p=7")},
  });
  ASSERT_NE(users.find("ann"), nullptr);
  EXPECT_EQ(users.find("ann")->roles, std::vector<std::string>{"viewer"});
  EXPECT_EQ(users.find("dan"), nullptr);
  EXPECT_EQ(users.password_of("ann").text(), hash_with("ln=14,r=8,p=1").text());
  EXPECT_EQ(users.password_of("dan").cost(),
            (ScryptCost{.log2_n = 16, .block_size = 8, .passes = 2}));
  EXPECT_EQ(Users().password_of("dan").cost(), ScryptCost{});
  EXPECT_TRUE(Users().empty());
}

}  // namespace
}  // namespace etcdmon::api::auth
