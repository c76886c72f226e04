#include "base/rfc3339.hpp"

#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace etcdmon {

namespace {

// Takes the text apart from its front; once something does not fit, nothing fits any more.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool takes(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!takes(c)) fail();
  }
  Duration fraction() {
    std::int64_t nanoseconds = 0;
    std::int64_t unit = 100'000'000;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      nanoseconds += unit * (rest_.front() - '0');
      unit /= 10;
      any = true;
      rest_.remove_prefix(1);
    }
    if (!any) fail();
    return Duration(nanoseconds);
  }
  std::chrono::minutes zone() {
    if (takes('Z') || takes('z')) return std::chrono::minutes(0);
    const int sign = takes('-') ? -1 : 1;
    if (sign > 0) expect('+');
    const int hours = digits(2);
    expect(':');
    const int minutes = digits(2);
    if (hours > 23 || minutes > 59) fail();
    return std::chrono::minutes(sign * (hours * 60 + minutes));
  }
  bool at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  int fail() {
    failed_ = true;
    return 0;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<WallTime> read(std::string_view text) {
  Reader reader(text);
  const int year = reader.digits(4);
  reader.expect('-');
  const int month = reader.digits(2);
  reader.expect('-');
  const int day = reader.digits(2);
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (reader.failed() || !date.ok()) return std::nullopt;
  WallTime time{std::chrono::sys_days(date)};
  if (reader.at_end()) return time;
  if (!reader.takes('T') && !reader.takes('t')) reader.expect(' ');
  const int hour = reader.digits(2);
  reader.expect(':');
  const int minute = reader.digits(2);
  reader.expect(':');
  const int second = reader.digits(2);
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  if (reader.takes('.')) time += reader.fraction();
  time -= reader.zone();
  if (reader.failed() || !reader.at_end()) return std::nullopt;
  return time;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  // Nanoseconds in 64 bits end in 2262.
  const bool short_enough = text.size() < 5 || text.substr(0, 4) < "2262";
  if (const auto time = short_enough ? read(text) : std::nullopt) return *time;
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("\"{}\" is no time: write 2026-11-23T15:00:00Z", text)};
}

}  // namespace etcdmon
