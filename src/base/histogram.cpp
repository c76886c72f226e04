#include "base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace etcdmon {

std::size_t LogLinear::index_of(std::uint64_t value) {
  constexpr std::uint64_t kLast = (std::uint64_t{1} << kMaxBits) - 1;
  value = std::min(value, kLast);
  if (value < kSub) return static_cast<std::size_t>(value);
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kSubBits;
  return static_cast<std::size_t>(shift * kSub + (value >> shift));
}

std::uint64_t LogLinear::lower_bound(std::size_t index) {
  if (index < 2 * kSub) return index;
  const auto shift = index / kSub - 1;
  return (kSub + index % kSub) << shift;
}

std::uint64_t LogLinear::middle(std::size_t index) {
  if (index < 2 * kSub) return index;
  const auto shift = index / kSub - 1;
  return lower_bound(index) + (std::uint64_t{1} << (shift - 1));
}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  buckets_[LogLinear::index_of(value)] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  const auto x = static_cast<double>(value);
  sum_ += x * static_cast<double>(times);
  sum_of_squares_ += x * x * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  sum_of_squares_ += other.sum_of_squares_;
}

double Histogram::standard_deviation() const {
  if (count_ == 0) return 0;
  const double average = mean();
  return std::sqrt(
      std::max(0.0, sum_of_squares_ / static_cast<double>(count_) - average * average));
}

std::optional<std::uint64_t> Histogram::quantile(double q) const {
  if (count_ == 0) return std::nullopt;
  if (q <= 0) return min_;
  const double wanted = std::ceil(std::min(q, 1.0) * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  if (rank == count_) return max_;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::clamp(LogLinear::middle(i), min_, max_);
  }
  return max_;
}

std::uint64_t Histogram::count_at_or_below(std::uint64_t value) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i <= LogLinear::index_of(value); ++i) seen += buckets_[i];
  return seen;
}

}  // namespace etcdmon
