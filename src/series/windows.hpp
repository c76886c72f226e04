// series/windows.hpp: what a window of samples says: increase, rate, extremes, quantiles.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/clock.hpp"

namespace etcdmon::series {

/// A counter's samples in a window, oldest first.
///
/// A value below the one before is a reset, as in Prometheus: the counter began again at 0. A
/// restart known from elsewhere is one too, even where the counter has already passed its old
/// value.
class CounterWindow {
 public:
  void add(SteadyTime at, double value, bool restarted = false);
  /// The last value was seen `times` times more, at last at `at`.
  void repeat(SteadyTime at, std::size_t times) {
    samples_ += times;
    last_at_ = at;
  }

  std::size_t samples() const { return samples_; }
  Duration covered() const { return last_at_ - first_at_; }
  /// Between the first and the last sample; nullopt under two samples.
  std::optional<double> increase() const;
  /// Per second between the first and the last sample.
  std::optional<double> rate() const;
  /// PromQL's increase(): stretched to the window [from, to] unless a series begins or ends inside
  /// it.
  std::optional<double> extrapolated_increase(SteadyTime from, SteadyTime to) const;

 private:
  std::size_t samples_ = 0;
  SteadyTime first_at_;
  SteadyTime last_at_;
  double first_ = 0;
  double last_ = 0;
  double increase_ = 0;
};

/// A gauge's samples in a window, oldest first.
class GaugeWindow {
 public:
  void add(SteadyTime at, double value);

  std::size_t samples() const { return samples_; }
  std::optional<double> min() const { return samples_ == 0 ? std::nullopt : std::optional(min_); }
  std::optional<double> max() const { return samples_ == 0 ? std::nullopt : std::optional(max_); }
  std::optional<double> average() const;
  std::optional<double> last() const { return samples_ == 0 ? std::nullopt : std::optional(last_); }
  SteadyTime first_at() const { return first_at_; }
  SteadyTime last_at() const { return last_at_; }
  /// Last minus first; nullopt under two samples.
  std::optional<double> delta() const;
  /// delta() per second.
  std::optional<double> slope() const;

 private:
  std::size_t samples_ = 0;
  SteadyTime first_at_;
  SteadyTime last_at_;
  double first_ = 0;
  double last_ = 0;
  double min_ = 0;
  double max_ = 0;
  double sum_ = 0;
};

/// PromQL's histogram_quantile: linear inside a bucket, the lowest bucket starting at 0, the last
/// finite bound where the rank falls into +Inf.
///
/// `bounds` increase and end with +Inf; `counts` has what fell into each bucket alone (not
/// cumulative); negative counts are taken as 0. nullopt when nothing was counted, when there are
/// fewer than two buckets or no +Inf, or when q is not within 0 and 1.
std::optional<double> histogram_quantile(double q, std::span<const double> bounds,
                                         std::span<const double> counts);

}  // namespace etcdmon::series
