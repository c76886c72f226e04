// store/testing/history_contract.hpp: what every history must keep, whatever it is kept in.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/history/history.hpp"

namespace etcdmon::store::contract {

using namespace std::chrono_literals;
using model::Metric;
using testing::IsEmpty;
using testing::SizeIs;

struct NamedHistory {
  std::string name;
  std::function<std::unique_ptr<HistoryBackend>()> make;
};

inline constexpr MemberId kFirst{0x8e9e05c52164694dULL};
inline constexpr MemberId kSecond{2};
// A whole day, so that levels begin where the tests say.
inline const WallTime kDayBegin{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};

class HistoryContract : public testing::TestWithParam<NamedHistory> {
 protected:
  void SetUp() override { history_ = GetParam().make(); }

  // A sawtooth with known extremes in every hour; the second member only from its second hour on.
  static double value_at(std::chrono::seconds since) {
    return static_cast<double>(since.count() % 3'600);
  }
  void write(std::chrono::seconds from, std::chrono::seconds to) {
    std::vector<HistoryRow> rows;
    for (auto at = from; at < to; at += 10s) {
      HistoryRow row{
          .cluster = "prod", .member = kFirst, .member_name = "m1", .at = kDayBegin + at};
      row.values.set(Metric::kDbSize, value_at(at));
      row.values.set(Metric::kRaftTerm, 3);
      rows.push_back(row);
      if (at < 1h) continue;
      row.member = kSecond;
      row.member_name = "m2";
      row.values = {};
      row.values.set(Metric::kDbSize, 1e12);
      rows.push_back(row);
    }
    const auto written = history_->write(rows);
    ASSERT_TRUE(written) << written.error().message;
  }
  void maintain(std::chrono::seconds at, HistoryRetention retention = {}) {
    while (true) {
      const auto more = history_->maintain(kDayBegin + at, retention);
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) return;
    }
  }
  HistoryAnswer ask(std::chrono::seconds from, std::chrono::seconds to,
                    std::chrono::milliseconds step, Metric metric = Metric::kDbSize) {
    auto answer = history_->query({.cluster = "prod",
                                   .metric = metric,
                                   .from = kDayBegin + from,
                                   .to = kDayBegin + to,
                                   .step = step});
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *std::move(answer) : HistoryAnswer{};
  }

  std::unique_ptr<HistoryBackend> history_;
};

TEST_P(HistoryContract, HasNothingBeforeItWasWritten) {
  EXPECT_THAT(ask(0s, 1h, 1min).series, IsEmpty());
}

TEST_P(HistoryContract, AnswersTheSameBeforeAndAfterCoding) {
  write(0s, 3h + 30min);
  const auto open = ask(10min, 3h + 30min, 1min);
  EXPECT_EQ(open.finest, HistoryLevel::kRaw);
  maintain(3h + 30min);
  const auto coded = ask(10min, 3h + 30min, 1min);
  ASSERT_THAT(coded.series, SizeIs(2));
  EXPECT_EQ(coded.series[0].member, kSecond) << "by id";
  EXPECT_EQ(coded.series[1].member_name, "m1");
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(coded.series[i].points, open.series[i].points);
  EXPECT_THAT(coded.series[1].points, SizeIs(200));
  EXPECT_EQ(coded.series[1].points[0], (HistoryPoint{kDayBegin + 10min, 600, 650, 625, 650, 6}));
  EXPECT_THAT(coded.series[0].points, SizeIs(150)) << "it came an hour later";
}

TEST_P(HistoryContract, EveryLevelAnswers) {
  write(0s, 50h);
  maintain(50h);
  const struct {
    std::chrono::milliseconds step;
    HistoryLevel coarsest;
    std::size_t points;
    HistoryPoint first;
  } rows[] = {
      {10s, HistoryLevel::kRaw, 360, {kDayBegin + 2h, 0, 0, 0, 0, 1}},
      {90s, HistoryLevel::kRaw, 40, {kDayBegin + 2h, 0, 80, 40, 80, 9}},
      {2min, HistoryLevel::kMinute, 30, {kDayBegin + 2h, 0, 110, 55, 110, 12}},
      {1h, HistoryLevel::kHour, 1, {kDayBegin + 2h, 0, 3'590, 1'795, 3'590, 360}},
  };
  for (const auto& row : rows) {
    const auto answer = ask(2h, 3h, row.step);
    ASSERT_THAT(answer.series, SizeIs(2)) << row.step;
    const auto& points = answer.series[1].points;
    EXPECT_EQ(answer.coarsest, row.coarsest) << row.step;
    ASSERT_EQ(points.size(), row.points) << row.step;
    EXPECT_EQ(points.front(), row.first) << row.step;
  }
  // Two whole days by the hour, and by the minute the two hours that are not a day yet.
  const auto all = ask(0s, 50h, 1h);
  EXPECT_THAT(all.series[1].points, SizeIs(50));
  EXPECT_EQ(all.finest, HistoryLevel::kMinute);
}

TEST_P(HistoryContract, WhatIsTooOldStandsInCoarserLevels) {
  write(0s, 50h);
  maintain(50h, {.raw = 2h, .minutes = 26h, .hours = 1'000h});
  const auto answer = ask(0s, 50h, 1min);
  const auto& points = answer.series[1].points;
  EXPECT_EQ(answer.coarsest, HistoryLevel::kHour);
  std::uint64_t count = 0;
  for (const auto& point : points) count += point.count;
  EXPECT_EQ(count, 50U * 360U) << "each value once";
  // Hours where only hours are left, minutes since then.
  EXPECT_EQ(points[0].count, 360U);
  EXPECT_EQ(points.back().count, 12U);
  EXPECT_LE(points.size(), kMaxHistoryPoints);

  maintain(50h, {.raw = 2h, .minutes = 3h, .hours = 4h});
  EXPECT_EQ(ask(0s, 50h, 1min, Metric::kRaftTerm).series[1].points.front().at, kDayBegin);
  maintain(40 * 24h, {.raw = 1h, .minutes = 1h, .hours = 1h});
  EXPECT_THAT(ask(0s, 50h, 1min).series[1].points, IsEmpty());
}

TEST_P(HistoryContract, AnswersNeverHaveTooManyPoints) {
  write(0s, 10h);
  const auto answer = ask(0s, 10h, 1s);
  EXPECT_GT(answer.step, 1s);
  EXPECT_LE(answer.series[1].points.size(), kMaxHistoryPoints);
}

TEST_P(HistoryContract, RowsThatComeLateOrTwiceFindTheirPlace) {
  write(0s, 1h);
  maintain(2h);
  write(0s, 30min);
  std::vector<HistoryRow> late(1);
  late[0] = {.cluster = "prod", .member = kFirst, .member_name = "m1", .at = kDayBegin + 5s};
  late[0].values.set(Metric::kDbSize, 9'999);
  late[0].values.set(Metric::kKeys, 4);
  ASSERT_TRUE(history_->write(late));
  maintain(2h);
  const auto points = ask(0s, 1h, 1h).series[0].points;
  ASSERT_THAT(points, SizeIs(1));
  EXPECT_EQ(points[0].count, 361U);
  EXPECT_EQ(points[0].max, 9'999);
  EXPECT_THAT(ask(0s, 1h, 1min, Metric::kKeys).series[0].points, SizeIs(1));
}

TEST_P(HistoryContract, AskedOfOneMemberItAnswersOfThat) {
  write(1h, 2h);
  auto range = HistoryRange{
      .cluster = "prod", .metric = Metric::kDbSize, .from = kDayBegin, .to = kDayBegin + 2h};
  range.member = kFirst;
  ASSERT_THAT(history_->query(range)->series, SizeIs(1));
  EXPECT_EQ(history_->query(range)->series[0].member, kFirst);
  range.cluster = "other";
  EXPECT_THAT(history_->query(range)->series, IsEmpty());
}

TEST_P(HistoryContract, ARenamedMemberKeepsItsPast) {
  write(0s, 10min);
  std::vector<HistoryRow> rows(1);
  rows[0] = {.cluster = "prod", .member = kFirst, .member_name = "new", .at = kDayBegin + 10min};
  rows[0].values.set(Metric::kDbSize, 1);
  ASSERT_TRUE(history_->write(rows));
  const auto answer = ask(0s, 1h, 1h);
  ASSERT_THAT(answer.series, SizeIs(1));
  EXPECT_EQ(answer.series[0].member_name, "new");
  EXPECT_EQ(answer.series[0].points[0].count, 61U);
}

}  // namespace etcdmon::store::contract
