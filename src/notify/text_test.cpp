#include "notify/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "notify/testing/samples.hpp"

namespace etcdmon::notify {
namespace {

using ::testing::HasSubstr;

TEST(Text, ATitleSaysWhatAndWhere) {
  EXPECT_EQ(title(testing::firing()), "CRITICAL HighLatency on prod-a/infra1");
  EXPECT_EQ(title(testing::resolved()), "RESOLVED HighLatency on prod-a/infra1");
  auto of_cluster = testing::firing("QuorumLost");
  of_cluster.alerts.front().subject.clear();
  EXPECT_EQ(title(of_cluster), "CRITICAL QuorumLost on prod-a");
  of_cluster.why = model::Why::kTest;
  EXPECT_EQ(title(of_cluster), "TEST CRITICAL QuorumLost on prod-a");
}

TEST(Text, ATitleOfManySaysHowManyAndNamesTheFirst) {
  auto many = testing::firing();
  many.alerts.push_back(testing::alert("NoLeader"));
  EXPECT_EQ(title(many), "2 alerts on prod-a (critical): HighLatency, NoLeader");
  many.alerts.back().cluster = "prod-b";
  EXPECT_THAT(title(many), HasSubstr("on several clusters"));
  EXPECT_EQ(title(testing::huge()),
            "200 alerts on prod-a (critical): Rule0, Rule1, Rule2 and 197 more");
}

TEST(Text, WhyNowHasASentenceForEachReason) {
  auto notification = testing::firing();
  for (int i = 0; i <= static_cast<int>(model::Why::kTest); ++i) {
    notification.why = static_cast<model::Why>(i);
    EXPECT_FALSE(why_now(notification).empty());
  }
  notification.why = model::Why::kChanged;
  notification.reason = "warning -> critical";
  EXPECT_EQ(why_now(notification), "changed: warning -> critical");
}

TEST(Text, PlainTextHoldsTheEssentialNumbers) {
  const auto text = plain_text(testing::resolved(), "https://mon.example.com");
  for (const auto* part :
       {"Why now: resolved", "RESOLVED HighLatency: reads take 250 ms", "Cluster: prod-a",
        "Value: 250", "Threshold: 100", "Since: 2026-11-25T11:55:00Z", "Lasted: 5m",
        "What to do: https://mon.example.com/docs/runbooks/HighLatency.md"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Text, ShorteningKeepsCharactersWhole) {
  EXPECT_EQ(shortened("short", 5), "short");
  EXPECT_EQ(shortened("abcdefgh", 6), "abc…");
  EXPECT_EQ(shortened("ääää", 7), "ää…");
  EXPECT_EQ(shortened("ääää", 6), "ä…");
  EXPECT_EQ(shortened("abc", 2), "");
}

}  // namespace
}  // namespace etcdmon::notify
