// kit/manual_clock.hpp: a clock that stands still until a test moves it.
#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace etcdmon::kit {

/// Begins at 2026-01-01T00:00:00Z and an hour of steady time.
class ManualClock final : public Clock {
 public:
  Now now() const override { return now_; }

  void advance(Duration by) {
    now_.steady += by;
    now_.wall += by;
  }
  /// The system's time was set: the wall moves, steady time does not.
  void step_wall(Duration by) { now_.wall += by; }

 private:
  Now now_{SteadyTime(std::chrono::hours(1)),
           std::chrono::sys_days(std::chrono::year(2026) / std::chrono::January / 1)};
};

}  // namespace etcdmon::kit
