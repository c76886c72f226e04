// bench/run.hpp: runs one benchmark from beginning to end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bench/result.hpp"
#include "bench/spec.hpp"

namespace etcdmon::bench {

/// Where a run is, a few times a second.
struct Progress {
  enum class Phase : std::uint8_t {
    kConnecting,
    kPreparing,  ///< keys that reads need, leases, watches
    kSettling,
    kWarmUp,
    kMeasuring,
    kCleaning,
  };
  Phase phase = Phase::kConnecting;
  double done = 0;  ///< of this phase, 0 to 1; 0 where nobody can know
  Duration elapsed{0};
  std::uint64_t succeeded = 0;  ///< of this phase
  std::uint64_t failed = 0;
  double rate = 0;        ///< operations a second, of the last whole second
  std::uint64_t p99 = 0;  ///< nanoseconds, of the last whole second; 0: not known
  double offered = 0;     ///< operations a second that are due now; 0 in a closed loop
  std::uint64_t raft_term = 0;
};

struct RunHooks {
  /// Called on the thread that called run(). May be empty.
  std::function<void(const Progress&)> on_progress{};
  /// Set from anywhere, also from a signal handler: the run ends, cleans up, and returns what it
  /// has. A second stop while it cleans up is `hurry`. May be nullptr.
  const std::atomic<bool>* stop = nullptr;
  /// Set to leave without cleaning up. May be nullptr.
  const std::atomic<bool>* hurry = nullptr;
};

/// Blocks until it is over; the load runs on threads of its own.
///
/// Not an error: operations that fail, members that die in the middle, a stop, an abort line. They
/// are part of the result.
/// Errors: kInvalidArgument with all complaints; what kept it from connecting to any endpoint, from
/// logging in, or from preparing.
Result<RunResult> run(const RunSpec& spec, const RunHooks& hooks = {});

}  // namespace etcdmon::bench
