// base/histogram.hpp: counts of values in log-linear buckets: fixed memory, relative error under 1
// %.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace etcdmon {

/// Where a value falls. Values under 64 have a bucket each; above, every power of two is cut into
/// 64 equal buckets, so a bucket's middle is within 0.8 % of each value in it.
///
/// Values from 2^42 on (73 minutes in nanoseconds) share the last bucket.
struct LogLinear {
  static constexpr unsigned kSubBits = 6;
  static constexpr std::uint64_t kSub = 1U << kSubBits;
  static constexpr unsigned kMaxBits = 42;
  static constexpr std::size_t kBuckets = (kMaxBits - kSubBits + 1) * kSub;

  static std::size_t index_of(std::uint64_t value);
  static std::uint64_t lower_bound(std::size_t index);  ///< smallest value of the bucket
  static std::uint64_t middle(std::size_t index);
};

/// How often each value was seen. Units: the caller's, mostly nanoseconds.
///
/// record() allocates nothing and costs a few nanoseconds; an object is 19 KiB.
/// Threads: one owner; merge() copies of other threads' histograms.
class Histogram {
 public:
  void record(std::uint64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);
  void reset() { *this = Histogram(); }

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const { return max_; }
  double sum() const { return sum_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  double standard_deviation() const;

  /// The value that a share `q` (0 to 1) of all values does not exceed; nullopt when empty.
  /// min() and max() are exact, what lies between is within 0.8 %.
  std::optional<std::uint64_t> quantile(double q) const;

  /// How many values are at most `value`, to the precision of a bucket.
  std::uint64_t count_at_or_below(std::uint64_t value) const;

  /// Calls f(lowest value of the bucket, count) for every bucket that is not empty, in order.
  template <class F>
  void for_each_bucket(const F& f) const {
    for (std::size_t i = 0; i < LogLinear::kBuckets; ++i) {
      if (buckets_[i] != 0) f(LogLinear::lower_bound(i), buckets_[i]);
    }
  }

 private:
  std::array<std::uint64_t, LogLinear::kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
  double sum_ = 0;
  double sum_of_squares_ = 0;
};

}  // namespace etcdmon
