// bench/load/pacer.hpp: when operations of an open loop are due.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "bench/spec.hpp"
#include "bench/workload/random.hpp"

namespace etcdmon::bench {

struct PacerOptions {
  double rate = 0;     ///< a second; more than 0
  double ramp_to = 0;  ///< 0: the rate stays
  Duration ramp{0};    ///< how long it takes to get there, after `ramp_from`
  Duration ramp_from{0};
  Load::Arrivals arrivals = Load::Arrivals::kEven;
  std::uint64_t seed = 1;
  double phase = 0;  ///< of the first interval, 0 to 1: so that several pacers interleave
};

/// The schedule knows nothing of answers: an operation that cannot leave in time stays due since
/// its own moment. Nothing is kept for each; what waits is the time between next() and now.
class Pacer {
 public:
  Pacer(const PacerOptions& options, SteadyTime start);

  SteadyTime next() const { return next_; }
  /// The operation that next() told was taken, or given up.
  void advance();
  /// How many are due at `now`, about.
  double backlog(SteadyTime now) const;
  double rate_at(SteadyTime when) const;

 private:
  PacerOptions options_;
  SteadyTime start_;
  double at_ = 0;  // seconds since start, of next_: sums of intervals must not lose nanoseconds
  SteadyTime next_;
  Random random_;
};

}  // namespace etcdmon::bench
