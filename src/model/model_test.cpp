#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/alert.hpp"
#include "model/cluster_view.hpp"
#include "model/event.hpp"
#include "model/metric.hpp"
#include "model/notification.hpp"
#include "model/verdict.hpp"

namespace etcdmon::model {
namespace {

// Every enumerator has its own name: the last one's name is no repetition of the fallback's.
template <class Enum>
void expect_distinct_names(Enum last, const char* pattern) {
  std::set<std::string_view> seen;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto name = name_of(static_cast<Enum>(i));
    EXPECT_THAT(std::string(name), testing::MatchesRegex(pattern));
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
}

TEST(Names, AreDistinctAndInOneStyle) {
  constexpr auto* kSnake = "[a-z0-9_]+";
  expect_distinct_names(Severity::kCritical, kSnake);
  expect_distinct_names(Check::kCertificateExpiry, "[A-Z][A-Za-z]+");
  expect_distinct_names(Reach::kUnstarted, kSnake);
  expect_distinct_names(LinkState::kCut, kSnake);
  expect_distinct_names(PartitionKind::kSplit, kSnake);
  expect_distinct_names(EventKind::kClockStepped, kSnake);
  expect_distinct_names(AlertState::kResolved, kSnake);
  expect_distinct_names(AlertEvent::What::kResolved, kSnake);
  expect_distinct_names(Why::kTest, kSnake);
  expect_distinct_names(NotificationStatus::kResolved, kSnake);
}

TEST(Notification, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(Why::kTest); ++i)
    EXPECT_EQ(parse_why(name_of(static_cast<Why>(i))), static_cast<Why>(i));
  for (int i = 0; i <= static_cast<int>(NotificationStatus::kResolved); ++i) {
    const auto status = static_cast<NotificationStatus>(i);
    EXPECT_EQ(parse_notification_status(name_of(status)), status);
  }
  EXPECT_EQ(parse_why("nothing"), std::nullopt);
}

TEST(Notification, ItsMessageIdTellsMessagesOfOneKeyApart) {
  Notification first;
  first.dedup_key = "00c0ffee00c0ffee";
  first.created_at = WallTime(std::chrono::seconds(1));
  auto later = first;
  later.created_at += std::chrono::nanoseconds(1);
  auto resolved = first;
  resolved.why = Why::kResolved;
  EXPECT_EQ(message_id(first), "00c0ffee00c0ffee-new-3b9aca00");
  EXPECT_NE(message_id(first), message_id(later));
  EXPECT_NE(message_id(first), message_id(resolved));
}

TEST(Notification, ItsSeverityIsThatOfWhatFires) {
  Notification notification;
  const auto add = [&](Severity severity, bool resolved) {
    auto& alert = notification.alerts.emplace_back();
    alert.severity = severity;
    alert.resolved = resolved;
  };
  add(Severity::kCritical, true);
  EXPECT_EQ(severity_of(notification), Severity::kCritical);
  add(Severity::kInfo, false);
  EXPECT_EQ(severity_of(notification), Severity::kInfo);
  add(Severity::kWarning, false);
  EXPECT_EQ(severity_of(notification), Severity::kWarning);
}

TEST(Check, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(Check::kCertificateExpiry); ++i) {
    const auto check = static_cast<Check>(i);
    EXPECT_EQ(parse_check(name_of(check)), check);
  }
  EXPECT_EQ(parse_check("NoSuchCheck"), std::nullopt);
  EXPECT_EQ(parse_check(""), std::nullopt);
}

TEST(Reach, AliveIsWhoTakesPart) {
  for (const auto reach : {Reach::kReachable, Reach::kSuspect, Reach::kBackendBusy,
                           Reach::kDefragmenting, Reach::kNotAuthorised}) {
    EXPECT_TRUE(is_alive(reach)) << name_of(reach);
  }
  for (const auto reach : {Reach::kUnknown, Reach::kUnreachable, Reach::kHung, Reach::kMisAddressed,
                           Reach::kUnstarted}) {
    EXPECT_FALSE(is_alive(reach)) << name_of(reach);
  }
}

TEST(Metric, NamesRoundTripAndAreDocumented) {
  std::set<std::string_view> seen;
  for (const auto& doc : metric_docs()) {
    EXPECT_EQ(parse_metric(doc.name), doc.metric) << doc.name;
    EXPECT_THAT(std::string(doc.name), testing::MatchesRegex("[a-z][a-z0-9_]*[a-z0-9]"));
    EXPECT_TRUE(seen.insert(doc.name).second) << doc.name;
    EXPECT_TRUE(doc.help.ends_with('.')) << doc.name;
  }
  EXPECT_EQ(seen.size(), kMetricCount);
  EXPECT_EQ(parse_metric("no_such_metric"), std::nullopt);
}

TEST(MetricValues, UnknownIsNullAndNeverZero) {
  MetricValues values;
  for (const auto& doc : metric_docs()) EXPECT_EQ(values.get(doc.metric), std::nullopt);
  values.set(Metric::kProposalsPending, 0);
  EXPECT_EQ(values.get(Metric::kProposalsPending), 0.0);
  EXPECT_EQ(values.get(Metric::kUp), std::nullopt);
}

TEST(PeerMatrix, IsRowMajor) {
  PeerMatrix peers;
  peers.members = {MemberId{1}, MemberId{2}};
  peers.cells = {LinkState::kUp, LinkState::kCut, LinkState::kSuspect, LinkState::kUp};
  EXPECT_EQ(peers.at(0, 1), LinkState::kCut);
  EXPECT_EQ(peers.at(1, 0), LinkState::kSuspect);
}

TEST(StatusSample, ALeaderNamesItself) {
  StatusSample status;
  EXPECT_FALSE(status.is_leader());
  status.leader = MemberId{1};
  EXPECT_FALSE(status.is_leader());
  status.member_id = MemberId{1};
  EXPECT_TRUE(status.is_leader());
}

}  // namespace
}  // namespace etcdmon::model
