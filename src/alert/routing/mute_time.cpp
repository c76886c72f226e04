#include "alert/routing/mute_time.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <ctime>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace etcdmon::alert {

namespace {

constexpr int kMinutesOfDay = 24 * 60;
constexpr std::array<std::string_view, 7> kWeekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                    "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths{"january",   "february", "march",    "april",
                                                   "may",       "june",     "july",     "august",
                                                   "september", "october",  "november", "december"};

Error wrong(std::string_view what, std::string_view text, std::string_view expected) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("\"{}\" is no {}: write {}", text, what, expected)};
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "mon" and "monday" are Monday.
template <std::size_t N>
std::optional<int> named(const std::array<std::string_view, N>& names, std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == lower || (lower.size() == 3 && names[i].starts_with(lower)))
      return static_cast<int>(i);
  }
  return std::nullopt;
}

// "a-b" or "a"; a dash at the beginning is a sign.
std::pair<std::string_view, std::string_view> ends_of(std::string_view text) {
  const auto dash = text.find('-', 1);
  if (dash == std::string_view::npos) return {text, text};
  return {text.substr(0, dash), text.substr(dash + 1)};
}

std::optional<int> minute_of_day(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto hours = number(text.substr(0, colon));
  const auto minutes = number(text.substr(colon + 1));
  if (!hours || !minutes || *hours < 0 || *minutes < 0 || *minutes > 59) return std::nullopt;
  const int minute = *hours * 60 + *minutes;
  return minute <= kMinutesOfDay ? std::optional(minute) : std::nullopt;
}

std::optional<int> month_of(std::string_view text) {
  if (const auto name = named(kMonths, text)) return *name + 1;
  const auto value = number(text);
  return value && *value >= 1 && *value <= 12 ? value : std::nullopt;
}

std::optional<int> day_of_month(std::string_view text) {
  const auto value = number(text);
  const bool fine = value && *value != 0 && *value >= -31 && *value <= 31;
  return fine ? value : std::nullopt;
}

// A range whose end comes first goes over the end of the day, week or year: two ranges.
using Ranges = std::vector<std::pair<int, int>>;
void add_range(Ranges& ranges, int from, int to, int least, int most) {
  if (from <= to) {
    ranges.emplace_back(from, to);
    return;
  }
  ranges.emplace_back(from, most);
  ranges.emplace_back(least, to);
}

template <class Parse>
Result<Ranges> parse_ranges(const std::vector<std::string>& texts, Parse parse, int least, int most,
                            std::string_view what, std::string_view expected) {
  Ranges ranges;
  for (const auto& text : texts) {
    const auto [first, last] = ends_of(text);
    const std::optional<int> from = parse(first);
    const std::optional<int> to = parse(last);
    if (!from || !to) return wrong(what, text, expected);
    add_range(ranges, *from, *to, least, most);
  }
  return ranges;
}

bool holds(const Ranges& ranges, int value) {
  return ranges.empty() || std::ranges::any_of(ranges, [value](const auto& range) {
           return range.first <= value && value <= range.second;
         });
}

int days_in(std::chrono::year year, std::chrono::month month) {
  const auto last = std::chrono::year_month_day_last(year, std::chrono::month_day_last(month));
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

struct Moment {
  int minute = 0, weekday = 0, day = 0, days = 0, month = 0;
};

Moment moment_of(WallTime at, bool local) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (local) {
    ::localtime_r(&time, &parts);
  } else {
    ::gmtime_r(&time, &parts);
  }
  const std::chrono::year year(parts.tm_year + 1900);
  const std::chrono::month month(static_cast<unsigned>(parts.tm_mon) + 1);
  return {.minute = parts.tm_hour * 60 + parts.tm_min,
          .weekday = parts.tm_wday,
          .day = parts.tm_mday,
          .days = days_in(year, month),
          .month = parts.tm_mon + 1};
}

}  // namespace

Result<TimeInterval> TimeInterval::parse(const Text& text) {
  TimeInterval interval;
  interval.local_ = text.local;
  for (const auto& range : text.times) {
    const auto [first, last] = ends_of(range);
    const auto from = minute_of_day(first);
    const auto to = minute_of_day(last);
    if (!from || !to || *from == *to) return wrong("time of the day", range, "09:00-17:30");
    // The end is not included: 09:00-10:00 does not hold at 10:00.
    if (*from < *to) {
      interval.minutes_.emplace_back(*from, *to - 1);
    } else {
      interval.minutes_.emplace_back(*from, kMinutesOfDay - 1);
      if (*to > 0) interval.minutes_.emplace_back(0, *to - 1);
    }
  }
  const auto weekday_of = [](std::string_view name) { return named(kWeekdays, name); };
  ETCDMON_TRY(interval.weekdays_,
              parse_ranges(text.weekdays, weekday_of, 0, 6, "day of the week", "monday, mon-fri"));
  for (const auto& range : text.days_of_month) {
    const auto [first, last] = ends_of(range);
    const auto from = day_of_month(first);
    const auto to = day_of_month(last);
    const bool fine = from && to && (*from > 0) == (*to > 0) && *from <= *to;
    if (!fine) return wrong("day of the month", range, "1, 1-7, or -3--1 for the last three");
    interval.days_.emplace_back(*from, *to);
  }
  ETCDMON_TRY(interval.months_,
              parse_ranges(text.months, month_of, 1, 12, "month", "12, december, june-august"));
  return interval;
}

bool TimeInterval::contains(WallTime at) const {
  const auto moment = moment_of(at, local_);
  const int from_end = moment.day - moment.days - 1;
  const bool day = days_.empty() || std::ranges::any_of(days_, [&](const auto& range) {
                     const int value = range.first < 0 ? from_end : moment.day;
                     return range.first <= value && value <= range.second;
                   });
  return day && holds(minutes_, moment.minute) && holds(weekdays_, moment.weekday) &&
         holds(months_, moment.month);
}

bool MuteTime::contains(WallTime at) const {
  return std::ranges::any_of(intervals,
                             [at](const TimeInterval& interval) { return interval.contains(at); });
}

}  // namespace etcdmon::alert
