#include "base/clock.hpp"

#include <ctime>

#include <fmt/format.h>

namespace etcdmon {

Now SystemClock::now() const {
  return Now{
      std::chrono::steady_clock::now(),
      std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now())};
}

std::string to_rfc3339(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  const std::time_t unix_time = seconds.time_since_epoch().count();
  std::tm utc{};
  gmtime_r(&unix_time, &utc);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900,
                                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  if (millis != 0) out += fmt::format(".{:03}", millis);
  return out + "Z";
}

}  // namespace etcdmon
