// collect/scrape/probe_window.hpp: how long our own questions took, over the last ten minutes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace etcdmon::collect {

/// Times of one kind of probe against one member, each within 0.8 % (a bucket of the one
/// histogram), sliding exactly: a probe counts for `window` after it ended.
///
/// Probes are few, so they are kept one by one: eight bytes each instead of ten histograms of 19
/// KiB. Threads: one owner.
class ProbeWindow {
 public:
  static constexpr Duration kWindow = std::chrono::minutes(10);
  static constexpr Duration kShortWindow = std::chrono::minutes(1);
  /// Under these many probes a quantile is somebody's single bad moment.
  static constexpr std::size_t kSamplesForP95 = 20;
  static constexpr std::size_t kSamplesForP99 = 100;
  /// Above, the oldest go: a pulse of 50 ms fills it.
  static constexpr std::size_t kMaxSamples = 12'000;

  void add(Duration took, SteadyTime ended);

  struct Quantiles {
    std::size_t count = 0;
    std::optional<double> p50, p95, p99;  ///< seconds
  };
  /// Over kWindow before `now`; where there are many probes, up to five seconds old.
  const Quantiles& quantiles(SteadyTime now) const;
  /// Seconds, over kShortWindow before `now`; nullopt without a probe in it.
  std::optional<double> short_median(SteadyTime now) const;

  std::size_t memory_bytes() const { return sizeof(*this) + samples_.capacity() * sizeof(Sample); }

 private:
  static constexpr Duration kRefresh = std::chrono::seconds(5);
  static constexpr std::size_t kCheap = 128;

  struct Sample {
    std::uint32_t at_ms;   ///< since base_
    std::uint16_t bucket;  ///< of LogLinear, nanoseconds
  };

  void drop_old(SteadyTime now);
  std::uint32_t ms_of(SteadyTime at) const;
  /// Index of the first sample that counts when the window begins at `from`.
  std::size_t first_from(SteadyTime from) const;

  std::vector<Sample> samples_;  ///< by time
  SteadyTime base_;
  mutable Quantiles quantiles_;
  mutable SteadyTime computed_at_;
  mutable bool stale_ = true;
};

}  // namespace etcdmon::collect
