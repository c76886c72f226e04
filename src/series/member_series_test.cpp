#include "series/member_series.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::series {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

SteadyTime at(double seconds) {
  return SteadyTime{} + std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6));
}
WallTime wall(double seconds) {
  return WallTime{} + 20000h + std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6));
}

MemberSeries::Options small() {
  return {.retention = 100s, .block_rows = 6, .tail_rows = 2, .max_columns = 4};
}

std::vector<double> values_in(const MemberSeries& series, SeriesId id, double from, double to) {
  std::vector<double> out;
  SeriesWindow(series, at(from), at(to)).for_each(id, [&](SteadyTime, double v) {
    out.push_back(v);
  });
  return out;
}

// Rows that moved through tail and blocks must read as they were written, at every moment.
TEST(MemberSeries, ReadsWhatWasAppended) {
  MemberSeries series(small());
  ASSERT_EQ(series.add_column(), 0);
  ASSERT_EQ(series.add_column(), 1);
  std::vector<double> times;
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) {
    const double t = 1000 + 10 * i + static_cast<double>(random() % 1000) / 1e6;
    times.push_back(t);
    const std::vector<double> row{static_cast<double>(i), i % 3 == 0 ? kNaN : i / 8.0};
    ASSERT_TRUE(series.append(at(t), wall(t), row));
    const int first = std::max(0, i - 9);
    std::vector<double> whole;
    std::vector<double> gaps;
    for (int k = first; k <= i; ++k) {
      whole.push_back(k);
      if (k % 3 != 0) gaps.push_back(k / 8.0);
    }
    EXPECT_EQ(values_in(series, 0, times[static_cast<std::size_t>(first)], t), whole);
    EXPECT_EQ(values_in(series, 1, times[static_cast<std::size_t>(first)], t), gaps);
    EXPECT_EQ(series.last(0), i);
    EXPECT_EQ(std::isnan(series.last(1)), i % 3 == 0);
  }
  EXPECT_LE(series.rows(), 11U + 6U);
  EXPECT_EQ(series.last_at(), at(times.back()));
  std::size_t row = times.size() - series.rows();
  for (const auto& block : series.blocks()) {
    EXPECT_EQ(block.first_at(), at(times[row]));
    EXPECT_EQ(block.first_wall(), wall(times[row]));
    const auto chunk = decode_chunk(block.chunk(0));
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->size(), block.rows());
    row += block.rows();
  }
}

TEST(MemberSeries, WindowsAreClosedOnBothEnds) {
  MemberSeries series(small());
  series.add_column();
  for (int i = 0; i < 9; ++i) series.append(at(10 * i), wall(0), std::vector<double>{1.0 * i});
  EXPECT_THAT(values_in(series, 0, 20, 40), ElementsAre(2, 3, 4));
  EXPECT_THAT(values_in(series, 0, 21, 39), ElementsAre(3));
  EXPECT_THAT(values_in(series, 0, 75, 1000), ElementsAre(8));
  EXPECT_THAT(values_in(series, 0, 81, 1000), IsEmpty());
  EXPECT_EQ(SeriesWindow(series, at(0), at(1000)).rows(), 9U);
}

TEST(MemberSeries, RefusesTimeThatDoesNotAdvance) {
  MemberSeries series(small());
  series.add_column();
  EXPECT_TRUE(series.append(at(5), wall(5), std::vector<double>{1}));
  EXPECT_FALSE(series.append(at(5), wall(5), std::vector<double>{2}));
  EXPECT_FALSE(series.append(at(4), wall(4), std::vector<double>{2}));
  EXPECT_EQ(series.rows(), 1U);
}

TEST(MemberSeries, NewColumnsHaveNoPast) {
  MemberSeries series(small());
  series.add_column();
  for (int i = 0; i < 5; ++i) series.append(at(i), wall(i), std::vector<double>{1.0 * i});
  ASSERT_EQ(series.add_column(), 1);
  EXPECT_TRUE(std::isnan(series.last(1)));
  for (int i = 5; i < 12; ++i)
    series.append(at(i), wall(i), std::vector<double>{1.0 * i, -1.0 * i});
  EXPECT_THAT(values_in(series, 1, 0, 100), ElementsAre(-5, -6, -7, -8, -9, -10, -11));
  EXPECT_EQ(values_in(series, 0, 0, 100).size(), 12U);
}

TEST(MemberSeries, UsesAPlaceAgainOnlyAfterItsValuesFellOut) {
  MemberSeries series(small());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(series.add_column());
  EXPECT_EQ(series.add_column(), std::nullopt);
  series.append(at(0), wall(0), std::vector<double>{1, 2, 3, 4});
  series.drop_column(2);
  EXPECT_EQ(series.add_column(), std::nullopt);
  for (int t = 10; t <= 210; t += 10)
    series.append(at(t), wall(t), std::vector<double>{1, 2, kNaN, 4});
  EXPECT_EQ(series.add_column(), 2);
  EXPECT_THAT(values_in(series, 2, 0, 1000), IsEmpty());
}

TEST(MemberSeries, RestartsAreResets) {
  MemberSeries series(small());
  series.add_column();
  EXPECT_EQ(series.last_restart(), std::nullopt);
  for (int i = 0; i < 5; ++i) series.append(at(i + 1e-7), wall(i), std::vector<double>{10.0 + i});
  series.note_restart();
  for (int i = 5; i < 9; ++i) series.append(at(i + 1e-7), wall(i), std::vector<double>{100.0 + i});
  EXPECT_EQ(series.last_restart(), at(5));
  EXPECT_EQ(SeriesWindow(series, at(0), at(100)).counter(0).increase(), 4 + 105 + 3);
  EXPECT_EQ(SeriesWindow(series, at(5), at(100)).counter(0).increase(), 3);
  EXPECT_EQ(SeriesWindow(series, at(0), at(100)).gauge(0).max(), 108);
}

TEST(MemberSeries, ARestartInsideARunOfEqualValuesIsOneToo) {
  MemberSeries series(small());
  series.add_column();
  for (int i = 0; i < 12; ++i) {
    if (i == 3) series.note_restart();
    series.append(at(i), wall(i), std::vector<double>{5});
  }
  const auto window = SeriesWindow(series, at(0), at(100)).counter(0);
  EXPECT_EQ(window.increase(), 5);
  EXPECT_EQ(window.samples(), 12U);
}

// An hour at 10 s of series that move as etcd's do.
TEST(MemberSeries, AnHourTakesTwoToThreeBytesAValueAtMost) {
  MemberSeries series;
  constexpr std::size_t kColumns = 130;
  for (std::size_t c = 0; c < kColumns; ++c) series.add_column();
  std::mt19937_64 random(11);
  std::vector<double> row(kColumns, 0);
  for (int i = 0; i < 360; ++i) {
    for (std::size_t c = 0; c < kColumns; ++c) {
      if (c % 2 == 0) row[c] += static_cast<double>(random() % 2000);
      if (c % 10 == 1) row[c] = static_cast<double>(random() % (64U << 20U)) * 4096;
    }
    series.append(at(10 * i + static_cast<double>(random() % 5000) / 1e6), wall(10 * i), row);
  }
  EXPECT_EQ(series.rows(), 360U);
  const double per_value = static_cast<double>(series.memory_bytes()) / (360.0 * kColumns);
  RecordProperty("bytes_per_value_times_100", static_cast<int>(100 * per_value));
  EXPECT_LT(per_value, 2.2);
}

}  // namespace
}  // namespace etcdmon::series
