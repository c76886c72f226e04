#include "collect/membership.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/url_pattern.hpp"

namespace etcdmon::collect {
namespace {

using testing::ElementsAre;

model::MemberEntry member(std::uint64_t id, std::vector<std::string> urls) {
  return {.id = MemberId{id},
          .name = "m" + std::to_string(id),
          .peer_urls = {},
          .client_urls = std::move(urls)};
}

TEST(PlanTargets, BeforeAnyListEveryEndpointIsAStranger) {
  const auto targets = plan_targets({}, {{"a:2379", {}}, {"b:2379", {}}});
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_TRUE(targets[0].entry.id.none());
  EXPECT_THAT(targets[1].urls, ElementsAre("b:2379"));
}

TEST(PlanTargets, OneEndpointLeadsToAllMembers) {
  const auto targets =
      plan_targets({member(1, {"http://10.0.0.1:2379"}), member(2, {"http://10.0.0.2:2379"})},
                   {{"localhost:12379", MemberId{1}}});
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_THAT(targets[0].urls, ElementsAre("localhost:12379", "http://10.0.0.1:2379"));
  EXPECT_TRUE(targets[0].configured);
  EXPECT_THAT(targets[1].urls, ElementsAre("http://10.0.0.2:2379"));
  EXPECT_FALSE(targets[1].configured);
}

TEST(PlanTargets, ADeadEndpointThatAMemberAdvertisesIsThatMember) {
  const auto targets = plan_targets({member(1, {"http://10.0.0.1:2379"})}, {{"10.0.0.1:2379", {}}});
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_THAT(targets[0].urls, ElementsAre("10.0.0.1:2379"));
}

TEST(PlanTargets, AnEndpointWithTheWrongSchemeIsNoMembers) {
  const auto targets =
      plan_targets({member(1, {"https://10.0.0.1:2379"})}, {{"http://10.0.0.1:2379", {}}});
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_THAT(targets[0].urls, ElementsAre("https://10.0.0.1:2379"));
  EXPECT_TRUE(targets[1].entry.id.none());
}

TEST(PlanTargets, TwoEndpointsOfOneMemberAreOneTarget) {
  const auto targets = plan_targets({member(1, {"http://a:2379"})},
                                    {{"a:2379", MemberId{1}}, {"b:2379", MemberId{1}}});
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_THAT(targets[0].urls, ElementsAre("a:2379", "b:2379"));
}

TEST(PlanTargets, ARemovedMembersEndpointStaysWatched) {
  const auto targets = plan_targets({member(1, {"http://a:2379"})},
                                    {{"a:2379", MemberId{1}}, {"c:2379", MemberId{3}}});
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_TRUE(targets[1].entry.id.none());
  EXPECT_THAT(targets[1].urls, ElementsAre("c:2379"));
}

TEST(FillUrlPattern, Table) {
  struct Case {
    const char* pattern;
    const char* want;
  };
  const net::Endpoint v4{true, "10.0.0.1", 2379, true};
  for (const auto& [pattern, want] :
       {Case{"http://{host}:2381/metrics", "http://10.0.0.1:2381/metrics"},
        Case{"{host}:2381", "http://10.0.0.1:2381/metrics"},
        Case{"https://proxy/{name}/{id}/{port}", "https://proxy/infra1/ab/2379"}}) {
    EXPECT_EQ(fill_url_pattern(pattern, v4, "infra1", MemberId{0xab}, "/metrics"), want);
  }
  const net::Endpoint v6{false, "fd00::1", 2379, true};
  EXPECT_EQ(fill_url_pattern("{host}:9100", v6, "x", MemberId{1}, "/metrics"),
            "http://[fd00::1]:9100/metrics");
}

}  // namespace
}  // namespace etcdmon::collect
