#include "api/auth/roles.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::api::auth {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array kEvery{Action::kRead, Action::kAlert, Action::kOperate, Action::kAdmin};

Roles example() {
  auto roles = Roles::with({
      {.name = "prod-oncall",
       .grants = {{.clusters = {"prod-*"}, .actions = {Action::kRead, Action::kAlert}},
                  {.clusters = {"*"}, .actions = {Action::kRead}}}},
      {.name = "bench", .grants = {{.clusters = {"test"}, .actions = {Action::kOperate}}}},
  });
  return *std::move(roles);
}

struct Case {
  const char* name;
  std::vector<std::string> roles;
  std::string cluster;
  std::string actions;  // those that are allowed
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class RoleTable : public ::testing::TestWithParam<Case> {};

TEST_P(RoleTable, Allows) {
  const auto roles = example();
  const Identity who{
      .subject = "ann", .roles = GetParam().roles, .how = Proof::kJwt, .expires = {}};
  std::string allowed;
  for (const auto action : kEvery) {
    if (!roles.allow(who, action, GetParam().cluster)) continue;
    if (!allowed.empty()) allowed += ' ';
    allowed += name_of(action);
  }
  EXPECT_EQ(allowed, GetParam().actions);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RoleTable,
    ::testing::Values(Case{"NoRole", {}, "prod-a", ""}, Case{"UnknownRole", {"root"}, "prod-a", ""},
                      Case{"EmptyRole", {""}, "prod-a", ""},
                      Case{"OtherCase", {"Admin"}, "prod-a", ""},
                      Case{"Viewer", {"viewer"}, "prod-a", "read"},
                      Case{"Operator", {"operator"}, "prod-a", "read alert operate"},
                      Case{"Admin", {"admin"}, "prod-a", "read alert operate admin"},
                      Case{"AdminOfTheMonitor", {"admin"}, "", "read alert operate admin"},
                      Case{"ViewerOfTheMonitor", {"viewer"}, "", "read"},
                      Case{"CustomOnItsClusters", {"prod-oncall"}, "prod-a", "read alert"},
                      Case{"CustomElsewhere", {"prod-oncall"}, "test", "read"},
                      Case{"CustomOnTheMonitor", {"prod-oncall"}, "", "read"},
                      Case{"NothingIncluded", {"bench"}, "test", "operate"},
                      Case{"PartOfAName", {"bench"}, "test2", ""},
                      Case{"NotTheMonitor", {"bench"}, "", ""},
                      Case{"Together", {"bench", "viewer"}, "test", "read operate"}),
    ::testing::PrintToStringParamName());

TEST(RoleDefinitions, AreComplete) {
  const auto outcome = [](Role role) {
    const auto roles = Roles::with({std::move(role)});
    return roles ? "taken" : roles.error().message;
  };
  const Grant grant{.clusters = {"*"}, .actions = {Action::kRead}};
  EXPECT_EQ(outcome({.name = "a", .grants = {grant}}), "taken");
  EXPECT_THAT(outcome({.name = "", .grants = {grant}}), HasSubstr("without a name"));
  EXPECT_THAT(outcome({.name = "admin", .grants = {grant}}), HasSubstr("there already"));
  EXPECT_THAT(outcome({.name = "a", .grants = {}}), HasSubstr("each grant"));
  EXPECT_THAT(outcome({.name = "a", .grants = {grant, {.clusters = {"x"}, .actions = {}}}}),
              HasSubstr("each grant"));
  EXPECT_THAT(outcome({.name = "a", .grants = {{.clusters = {}, .actions = {Action::kRead}}}}),
              HasSubstr("each grant"));
  EXPECT_THAT(outcome({.name = "a", .grants = {{.clusters = {""}, .actions = {Action::kRead}}}}),
              HasSubstr("each grant"));
  EXPECT_FALSE(Roles::with({{.name = "a", .grants = {grant}}, {.name = "a", .grants = {grant}}}));
  EXPECT_TRUE(example().knows("bench"));
  EXPECT_FALSE(example().knows("root"));
}

struct Pattern {
  std::string pattern;
  std::string cluster;
  bool matches;
};

TEST(ClusterPatterns, MatchTheWholeName) {
  const Pattern table[] = {
      {"*", "prod", true},
      {"*", "", true},
      {"prod", "prod", true},
      {"prod", "prod-a", false},
      {"prod", "Prod", false},
      {"prod-*", "prod-", true},
      {"prod-*", "prod", false},
      {"*-a", "prod-a", true},
      {"*-a", "prod-a-b", false},
      {"p*d-*a", "prod-eu-a", true},
      {"a*b*c", "abc", true},
      {"a*b*c", "axbxbc", true},
      {"a*b*c", "acb", false},
      {"", "", true},
      {"", "a", false},
      {"**", "a", true},
      {"?", "a", false},
      {"a.c", "abc", false},
      {"*a*a*a*a*a*b", std::string(200, 'a'), false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(matches_cluster(row.pattern, row.cluster), row.matches)
        << row.pattern << " on " << row.cluster;
  }
}

struct Claim {
  const char* name;
  std::string path;
  std::string claims;
  std::string roles;
};

TEST(RolesOfClaims, AreThoseThatAreMapped) {
  const Claim table[] = {
      {"List", "groups", R"({"groups":["sre","x","devs"]})", "operator viewer"},
      {"OneText", "groups", R"({"groups":"devs"})", "viewer"},
      {"NoListWithSpaces", "groups", R"({"groups":"sre devs"})", ""},
      {"SameRoleTwice", "groups", R"({"groups":["devs","guests"]})", "viewer"},
      {"Path", "realm_access.roles", R"({"realm_access":{"roles":["sre"]}})", "operator viewer"},
      {"NameWithDots", "https://x.org/groups", R"({"https://x.org/groups":["devs"]})", "viewer"},
      {"Scope", "scope", R"({"scope":"openid devs  "})", "viewer"},
      {"ScopeInside", "a.scp", R"({"a":{"scp":" devs"}})", "viewer"},
      {"OurNameIsNoRole", "groups", R"({"groups":["admin"]})", ""},
      {"Missing", "groups", R"({"roles":["sre"]})", ""},
      {"PathThroughText", "groups.a", R"({"groups":"sre"})", ""},
      {"PathThroughList", "groups.0", R"({"groups":["sre"]})", ""},
      {"EmptyPath", "", R"({"groups":["sre"]})", ""},
      {"NotOnlyTexts", "groups", R"({"groups":["sre",1]})", ""},
      {"Number", "groups", R"({"groups":1})", ""},
      {"Object", "groups", R"({"groups":{"sre":true}})", ""},
      {"NoJson", "groups", "groups", ""},
      {"Twice", "groups", R"({"groups":["devs"],"groups":["sre"]})", ""},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const auto roles = roles_of(
        row.claims,
        {.claim = row.path,
         .roles = {{"sre", {"operator", "viewer"}}, {"devs", {"viewer"}}, {"guests", {"viewer"}}}});
    std::string text;
    for (const auto& role : roles) text += (text.empty() ? "" : " ") + role;
    EXPECT_EQ(text, row.roles);
  }
  EXPECT_THAT(roles_of(R"({"groups":["sre"]})", {}), IsEmpty());
}

TEST(Actions, HaveNames) {
  for (const auto action : kEvery) EXPECT_EQ(action_of(name_of(action)), action);
  EXPECT_EQ(action_of("write"), std::nullopt);
  EXPECT_EQ(name_of(Proof::kApiToken), "api_token");
}

}  // namespace
}  // namespace etcdmon::api::auth
