#include "app/alert_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app {
namespace {

using namespace std::chrono_literals;

constexpr Now kThen{SteadyTime(5000s), WallTime(1'760'000'000s)};
// Another process, an hour later: its steady clock began anew.
constexpr Now kLater{SteadyTime(100'000s), WallTime(1'760'003'600s)};

alert::Group group() {
  alert::Group group;
  group.key = "root{cluster=\"prod\"}";
  group.route = "root";
  group.labels = {{"cluster", "prod"}};
  group.first_seen = kThen;
  group.last_sent = kThen;
  group.messages = 3;
  group.escalated = true;
  auto& entry = group.entries["0a"];
  entry.alert.id = "0a";
  entry.alert.rule = "NoLeader";
  entry.alert.labels = {{"alertname", "NoLeader"}};
  entry.alert.severity = model::Severity::kCritical;
  entry.alert.starts_at = kThen.wall;
  entry.told = alert::Told{model::Severity::kCritical, false, kThen, kThen};
  return group;
}

TEST(GroupRecord, ComesBackAsItWas) {
  const auto written = record_of(group());
  const auto read = parse_group(written, kLater);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(record_of(*read), written);
  EXPECT_EQ(read->entries.at("0a").alert, group().entries.at("0a").alert);
  EXPECT_EQ(read->last_sent->steady, kLater.steady - 1h);
  EXPECT_EQ(read->entries.at("0a").told->at.steady, kLater.steady - 1h);
}

TEST(GroupRecord, AClockSetBackMakesNobodyWait) {
  Now earlier = kLater;
  earlier.wall = kThen.wall - 1h;
  const auto read = parse_group(record_of(group()), earlier);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->last_sent->steady, earlier.steady);
}

TEST(SilenceRecord, ComesBackAsItWas) {
  alert::Silence silence{
      .id = "5f",
      .matchers = alert::parse_matchers({"rule=~\"a\\\\w+\"", "cluster!=x"}).value(),
      .starts_at = kThen.wall,
      .ends_at = kLater.wall,
      .created_by = "ops",
      .comment = "disk swap"};
  const auto written = record_of(silence);
  const auto read = parse_silence(written);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(record_of(*read), written);
  EXPECT_EQ(read->matchers.size(), 2U);
}

TEST(AcknowledgementRecord, ComesBackAsItWas) {
  const auto written =
      record_of(alert::Acknowledgement{"0a", "ops", "on it", kThen.wall, kLater.wall});
  const auto read = parse_acknowledgement(written);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(record_of(*read), written);
  EXPECT_EQ(read->until, kLater.wall);
}

TEST(Records, BrokenOnesSayWhich) {
  const auto broken = parse_group({store::Kind::kGroup, "the key", "{"}, kLater);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kDataLoss);
  EXPECT_THAT(broken.error().message, testing::HasSubstr("the key"));
}

}  // namespace
}  // namespace etcdmon::app
