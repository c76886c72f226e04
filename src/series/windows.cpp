#include "series/windows.hpp"

#include <algorithm>
#include <cmath>

namespace etcdmon::series {

namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

void CounterWindow::add(SteadyTime at, double value, bool restarted) {
  if (samples_++ == 0) {
    first_at_ = at;
    first_ = value;
  } else {
    increase_ += restarted || value < last_ ? value : value - last_;
  }
  last_at_ = at;
  last_ = value;
}

std::optional<double> CounterWindow::increase() const {
  if (samples_ < 2) return std::nullopt;
  return increase_;
}

std::optional<double> CounterWindow::rate() const {
  if (samples_ < 2 || last_at_ <= first_at_) return std::nullopt;
  return increase_ / seconds(last_at_ - first_at_);
}

std::optional<double> CounterWindow::extrapolated_increase(SteadyTime from, SteadyTime to) const {
  if (samples_ < 2 || last_at_ <= first_at_) return std::nullopt;
  const double sampled = seconds(last_at_ - first_at_);
  const double average = sampled / static_cast<double>(samples_ - 1);
  double to_start = seconds(first_at_ - from);
  double to_end = seconds(to - last_at_);

  // A gap longer than a sampling step means that the series began or ended there: half a step then.
  const double longest = average * 1.1;
  if (to_start >= longest) to_start = average / 2;
  // No counter was below 0, so it cannot have risen for longer than it takes from 0.
  if (increase_ > 0 && first_ >= 0) to_start = std::min(to_start, sampled * (first_ / increase_));
  if (to_end >= longest) to_end = average / 2;
  return increase_ * (sampled + to_start + to_end) / sampled;
}

void GaugeWindow::add(SteadyTime at, double value) {
  if (samples_++ == 0) {
    first_at_ = at;
    first_ = min_ = max_ = value;
  }
  last_at_ = at;
  last_ = value;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += value;
}

std::optional<double> GaugeWindow::average() const {
  if (samples_ == 0) return std::nullopt;
  return sum_ / static_cast<double>(samples_);
}

std::optional<double> GaugeWindow::delta() const {
  if (samples_ < 2) return std::nullopt;
  return last_ - first_;
}

std::optional<double> GaugeWindow::slope() const {
  if (samples_ < 2 || last_at_ <= first_at_) return std::nullopt;
  return (last_ - first_) / seconds(last_at_ - first_at_);
}

std::optional<double> histogram_quantile(double q, std::span<const double> bounds,
                                         std::span<const double> counts) {
  if (!(q >= 0 && q <= 1) || bounds.size() != counts.size() || bounds.size() < 2) {
    return std::nullopt;
  }
  if (!std::isinf(bounds.back())) return std::nullopt;
  double total = 0;
  for (const double n : counts) total += std::max(n, 0.0);
  if (!(total > 0)) return std::nullopt;

  const double rank = q * total;
  double below = 0;
  std::size_t bucket = 0;
  while (bucket + 1 < counts.size() && below + std::max(counts[bucket], 0.0) < rank) {
    below += std::max(counts[bucket], 0.0);
    ++bucket;
  }
  if (bucket + 1 == counts.size()) return bounds[bucket - 1];
  if (bucket == 0 && bounds[0] <= 0) return bounds[0];
  const double lower = bucket == 0 ? 0 : bounds[bucket - 1];
  const double inside = std::max(counts[bucket], 0.0);
  // An empty bucket can only hold rank 0; Prometheus says NaN there, its lower end is what is true.
  if (!(inside > 0)) return lower;
  return lower + (bounds[bucket] - lower) * (rank - below) / inside;
}

}  // namespace etcdmon::series
