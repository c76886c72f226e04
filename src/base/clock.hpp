// base/clock.hpp: time as an argument. The core takes a Now; shells hold a Clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace etcdmon {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

/// One moment on both clocks. Windows, `for` and deadlines count in `steady`; storage and
/// display use `wall`, which may step.
struct Now {
  SteadyTime steady;
  WallTime wall;
};

/// Threads: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

/// A moment by which something must be done. Passed down by value as the last parameter;
/// a callee may shorten it, never extend it.
using Deadline = SteadyTime;

/// RFC 3339 in UTC with milliseconds where they are not zero: "2026-11-23T15:00:00.250Z".
std::string to_rfc3339(WallTime time);

}  // namespace etcdmon
