#include "store/history/buckets.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

HistoryPoint point(HistoryMs at, double min, double max, double average, double last,
                   std::uint64_t count) {
  return {from_ms(at), min, max, average, last, count};
}

TEST(FloorTo, GoesDownAlsoBefore1970) {
  EXPECT_EQ(floor_to(125, 60), 120);
  EXPECT_EQ(floor_to(120, 60), 120);
  EXPECT_EQ(floor_to(-1, 60), -60);
  EXPECT_EQ(floor_to(-60, 60), -60);
}

TEST(Buckets, SumUpWhatFallsIntoThem) {
  Buckets buckets(0, 100, 10);
  buckets.add(3, 5.0);
  buckets.add(9, 1.0);
  buckets.add(4, 3.0);  // late: not the last
  buckets.add(5, kNaN);
  buckets.add(50, 7.0);
  EXPECT_THAT(buckets.take(), ElementsAre(point(0, 1, 5, 3, 1, 3), point(50, 7, 7, 7, 7, 1)));
}

TEST(Buckets, LeaveOutWhatIsNotAskedFor) {
  Buckets buckets(15, 25, 10);
  for (const HistoryMs at : {10, 14, 15, 24, 25, 99}) buckets.add(at, static_cast<double>(at));
  EXPECT_THAT(buckets.take(),
              ElementsAre(point(10, 15, 15, 15, 15, 1), point(20, 24, 24, 24, 24, 1)));
  EXPECT_THAT(Buckets(20, 20, 10).take(), IsEmpty());
  EXPECT_THAT(Buckets(20, 10, 10).take(), IsEmpty());
}

TEST(Buckets, WeighFinerOnesByTheirCounts) {
  Buckets buckets(0, 60, 60);
  buckets.add(point(0, 1, 3, 2, 3, 9));
  buckets.add(point(10, 0, 12, 12, 4, 1));
  EXPECT_THAT(buckets.take(), ElementsAre(point(0, 0, 12, 3, 4, 10)));
}

TEST(FittingStep, IsTheSmallestMultipleThatFits) {
  EXPECT_EQ(fitting_step(0, 1'000, 10), 10);
  EXPECT_EQ(fitting_step(0, 0, 10), 10);
  const HistoryMs year = 365LL * 24 * 3'600'000;
  const HistoryMs step = fitting_step(5, year, 60'000);
  EXPECT_EQ(step % 60'000, 0);
  EXPECT_LE((year - floor_to(5, step) + step - 1) / step, HistoryMs{kMaxHistoryPoints});
  EXPECT_GT(year / (step - 60'000), HistoryMs{kMaxHistoryPoints} - 2);
}

TEST(Points, ComeBackAsTheyWere) {
  const std::vector<HistoryMs> times = {1'000, 61'000, 121'000};
  const std::vector<HistoryPoint> points = {point(1'000, -1, 0.1, 0.05, 0.1, 6),
                                            point(121'000, 1e300, 1e300, 1e300, 1e300, 1)};
  const auto bytes = encode_points(times, points);
  EXPECT_EQ(decode_points(times, bytes).value(), points);
  EXPECT_THAT(encode_points(times, {}), IsEmpty());
  EXPECT_THAT(decode_points(times, {}).value(), IsEmpty());
}

TEST(Points, ThatAreCutShortAreBroken) {
  const std::vector<HistoryMs> times = {1'000, 61'000};
  const auto bytes = encode_points(times, std::vector{point(1'000, 1, 2, 1.5, 2, 2)});
  for (std::size_t length = 1; length < bytes.size(); ++length) {
    const auto cut = decode_points(times, std::span(bytes).first(length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error().code, ErrorCode::kDataLoss);
  }
  EXPECT_FALSE(decode_points(std::vector<HistoryMs>{1'000}, bytes)) << "other times";
}

TEST(Times, ComeBackAsTheyWere) {
  const std::vector<HistoryMs> times = {1'760'000'000'000, 1'760'000'010'003, 1'760'000'019'999};
  EXPECT_EQ(decode_times(times[0] - 77, encode_times(times[0] - 77, times)).value(), times);
}

}  // namespace
}  // namespace etcdmon::store
