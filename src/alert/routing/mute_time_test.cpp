#include "alert/routing/mute_time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::alert {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr WallTime at(int year, unsigned month, unsigned day, std::chrono::minutes of_day) {
  using namespace std::chrono;
  return WallTime(sys_days(std::chrono::year(year) / std::chrono::month(month) /
                           std::chrono::day(day))) +
         of_day;
}

// 2026-11-25 is a Wednesday.
constexpr WallTime kWednesdayNoon = at(2026, 11, 25, 12h);

struct Row {
  const char* name;
  TimeInterval::Text text;
  WallTime time;
  bool contains;
};

class Contains : public testing::TestWithParam<Row> {};

TEST_P(Contains, TheMoment) {
  const auto interval = TimeInterval::parse(GetParam().text);
  ASSERT_TRUE(interval) << interval.error().message;
  EXPECT_EQ(interval->contains(GetParam().time), GetParam().contains);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Contains,
    testing::Values(
        Row{"EmptyIsAlways", {}, kWednesdayNoon, true},
        Row{"Hours", {.times = {"09:00-17:00"}}, kWednesdayNoon, true},
        Row{"EndIsNotIncluded", {.times = {"09:00-12:00"}}, kWednesdayNoon, false},
        Row{"StartIsIncluded", {.times = {"12:00-12:01"}}, kWednesdayNoon, true},
        Row{"PastMidnightLate", {.times = {"22:00-06:00"}}, at(2026, 11, 25, 23h), true},
        Row{"PastMidnightEarly", {.times = {"22:00-06:00"}}, at(2026, 11, 26, 5h + 59min), true},
        Row{"PastMidnightNot", {.times = {"22:00-06:00"}}, kWednesdayNoon, false},
        Row{"UntilMidnight", {.times = {"22:00-24:00"}}, at(2026, 11, 25, 23h + 59min), true},
        Row{"Weekday", {.weekdays = {"wednesday"}}, kWednesdayNoon, true},
        Row{"Weekdays", {.weekdays = {"Mon-Fri"}}, kWednesdayNoon, true},
        Row{"Weekend", {.weekdays = {"sat-sun"}}, at(2026, 11, 29, 1h), true},
        Row{"NotWeekend", {.weekdays = {"sat-sun"}}, kWednesdayNoon, false},
        Row{"DayOfMonth", {.days_of_month = {"20-25"}}, kWednesdayNoon, true},
        Row{"LastDay", {.days_of_month = {"-1"}}, at(2024, 2, 29, 1h), true},
        Row{"LastThree", {.days_of_month = {"-3--1"}}, at(2026, 11, 28, 1h), true},
        Row{"NotLastThree", {.days_of_month = {"-3--1"}}, at(2026, 11, 27, 1h), false},
        Row{"Month", {.months = {"november"}}, kWednesdayNoon, true},
        Row{"MonthsOverTheYear", {.months = {"11-2"}}, at(2026, 1, 5, 1h), true},
        Row{"AllMustHold",
            {.times = {"09:00-17:00"}, .weekdays = {"sunday"}},
            kWednesdayNoon,
            false}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(TimeInterval, RefusesWhatItDoesNotUnderstand) {
  using testing::HasSubstr;
  const auto refused = [](TimeInterval::Text text) {
    const auto interval = TimeInterval::parse(text);
    return interval ? std::string("accepted") : interval.error().message;
  };
  EXPECT_THAT(refused({.times = {"9-17"}}), HasSubstr("\"9-17\" is no time of the day"));
  EXPECT_THAT(refused({.times = {"09:00-25:00"}}), HasSubstr("time of the day"));
  EXPECT_THAT(refused({.weekdays = {"someday"}}), HasSubstr("is no day of the week"));
  EXPECT_THAT(refused({.days_of_month = {"0"}}), HasSubstr("is no day of the month"));
  EXPECT_THAT(refused({.days_of_month = {"-1-5"}}), HasSubstr("is no day of the month"));
  EXPECT_THAT(refused({.months = {"13"}}), HasSubstr("is no month"));
}

}  // namespace
}  // namespace etcdmon::alert
