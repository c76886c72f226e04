// bench/report/bootstrap.hpp: how sure a difference between two measured series is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace etcdmon::bench::report {

/// One value a second of one run, in order. Neighbours may resemble each other.
using Samples = std::vector<double>;

enum class Middle : std::uint8_t { kMean, kMedian };

/// `ratio` with the range in which it lies 95 times in 100.
struct Interval {
  double ratio = 1;
  double low = 1;
  double high = 1;

  bool operator==(const Interval&) const = default;
};

/// Fewer seconds a run tell nothing about how the next second would differ.
inline constexpr std::size_t kFewestSamples = 20;

/// How many times the middle of `before` that of `after` is, by block bootstrap: runs are drawn
/// anew, then blocks of neighbouring seconds from each. One run a side tells only of the noise
/// within a run; several tell also of that between runs. Same arguments, same answer.
///
/// nullopt: a side has no run of kFewestSamples, or no positive middle.
std::optional<Interval> ratio_of(std::span<const Samples> before, std::span<const Samples> after,
                                 Middle middle, std::uint64_t seed = 1);

/// How many neighbouring values stay together when a series is drawn anew: the more, the more one
/// second tells about the next (Carlstein's rule for a first-order autoregression).
std::size_t block_length(std::span<const double> samples);

}  // namespace etcdmon::bench::report
