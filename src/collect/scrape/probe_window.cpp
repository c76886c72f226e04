#include "collect/scrape/probe_window.hpp"

#include <algorithm>
#include <cmath>

#include "base/histogram.hpp"

namespace etcdmon::collect {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

double seconds_of(std::uint16_t bucket) {
  return static_cast<double>(LogLinear::middle(bucket)) / 1e9;
}

// Reorders `buckets`.
double quantile(std::vector<std::uint16_t>& buckets, double q) {
  const auto rank = std::ceil(q * static_cast<double>(buckets.size()));
  const auto at = buckets.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::ranges::nth_element(buckets, at);
  return seconds_of(*at);
}

}  // namespace

std::uint32_t ProbeWindow::ms_of(SteadyTime at) const {
  if (at <= base_) return 0;
  return static_cast<std::uint32_t>(
      std::min<std::int64_t>(duration_cast<milliseconds>(at - base_).count(), UINT32_MAX));
}

std::size_t ProbeWindow::first_from(SteadyTime from) const {
  const auto at = std::ranges::lower_bound(samples_, ms_of(from), {}, &Sample::at_ms);
  return static_cast<std::size_t>(at - samples_.begin());
}

void ProbeWindow::add(Duration took, SteadyTime ended) {
  if (samples_.empty()) base_ = ended;
  if (samples_.size() == samples_.capacity() || samples_.size() >= kMaxSamples) drop_old(ended);
  const auto nanoseconds = static_cast<std::uint64_t>(std::max<Duration::rep>(took.count(), 0));
  // Answers may be handed in out of order; the window only needs them sorted.
  const auto at_ms = std::max(ms_of(ended), samples_.empty() ? 0U : samples_.back().at_ms);
  samples_.push_back({at_ms, static_cast<std::uint16_t>(LogLinear::index_of(nanoseconds))});
  stale_ = true;
}

void ProbeWindow::drop_old(SteadyTime now) {
  std::size_t first = first_from(now - kWindow);
  if (samples_.size() - first >= kMaxSamples) first = samples_.size() - kMaxSamples / 2;
  if (first == 0) return;
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(first));
  if (samples_.empty()) {
    base_ = now;
    return;
  }
  const std::uint32_t shift = samples_.front().at_ms;
  base_ += milliseconds(shift);
  for (auto& sample : samples_) sample.at_ms -= shift;
}

const ProbeWindow::Quantiles& ProbeWindow::quantiles(SteadyTime now) const {
  const bool recent = now >= computed_at_ && now - computed_at_ < kRefresh;
  if (recent && (quantiles_.count >= kCheap || (!stale_ && now == computed_at_))) return quantiles_;
  std::vector<std::uint16_t> buckets;
  const std::size_t first = first_from(now - kWindow);
  buckets.reserve(samples_.size() - first);
  for (std::size_t i = first; i < samples_.size(); ++i) buckets.push_back(samples_[i].bucket);
  quantiles_ = Quantiles{.count = buckets.size(), .p50 = {}, .p95 = {}, .p99 = {}};
  if (!buckets.empty()) quantiles_.p50 = quantile(buckets, 0.50);
  if (buckets.size() >= kSamplesForP95) quantiles_.p95 = quantile(buckets, 0.95);
  if (buckets.size() >= kSamplesForP99) quantiles_.p99 = quantile(buckets, 0.99);
  computed_at_ = now;
  stale_ = false;
  return quantiles_;
}

std::optional<double> ProbeWindow::short_median(SteadyTime now) const {
  std::vector<std::uint16_t> buckets;
  for (std::size_t i = first_from(now - kShortWindow); i < samples_.size(); ++i) {
    buckets.push_back(samples_[i].bucket);
  }
  if (buckets.empty()) return std::nullopt;
  return quantile(buckets, 0.50);
}

}  // namespace etcdmon::collect
