// alert/routing/mute_time.hpp: named times of the week or the year, in which routes are silent or
// active.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::alert {

/// Days, hours and months that all have to hold; what is empty holds always.
class TimeInterval {
 public:
  struct Text {
    std::vector<std::string> times;     ///< "09:00-17:30"; an end before its start is past midnight
    std::vector<std::string> weekdays;  ///< "mon-fri", "sunday"
    std::vector<std::string> days_of_month;  ///< "1", "1-7", "-1" is the last day
    std::vector<std::string> months;         ///< "12", "june-august"
    bool local = false;                      ///< in the machine's own zone, else UTC
  };
  /// Errors: kInvalidArgument, with the word that is wrong.
  static Result<TimeInterval> parse(const Text& text);

  bool contains(WallTime at) const;

 private:
  using Ranges = std::vector<std::pair<int, int>>;  ///< both ends included

  Ranges minutes_;   ///< of the day; the end is not included
  Ranges weekdays_;  ///< 0 is Sunday
  Ranges days_;      ///< negative: from the month's end
  Ranges months_;    ///< 1 to 12
  bool local_ = false;
};

struct MuteTime {
  std::string name;
  std::vector<TimeInterval> intervals;

  bool contains(WallTime at) const;
};

}  // namespace etcdmon::alert
