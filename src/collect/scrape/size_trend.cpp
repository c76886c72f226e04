#include "collect/scrape/size_trend.hpp"

#include <algorithm>

namespace etcdmon::collect {

namespace {

constexpr Duration kStep = std::chrono::minutes(1);
constexpr double kMiB = 1U << 20U;
constexpr double kDefragmented = 0.9;

double minutes(Duration duration) {
  return std::chrono::duration<double, std::ratio<60>>(duration).count();
}

}  // namespace

void SizeTrend::add(SteadyTime at, double bytes) {
  if (bytes < kDefragmented * last_bytes_) points_.clear();
  last_bytes_ = bytes;
  if (points_.empty()) {
    origin_ = at;
  } else if (at - last_at_ < kStep) {
    return;
  }
  last_at_ = at;
  const double now = minutes(at - origin_);
  const double oldest = now - minutes(kTrendWindow);
  const auto fresh = std::ranges::find_if(
      points_, [oldest](const Point& point) { return point.minutes >= oldest; });
  points_.erase(points_.begin(), fresh);
  points_.push_back({static_cast<float>(now), static_cast<float>(bytes / kMiB)});
}

std::optional<double> SizeTrend::after(Duration ahead) const {
  if (points_.size() < 2) return std::nullopt;
  const double now = minutes(last_at_ - origin_);
  double sum_x = 0;
  double sum_y = 0;
  double sum_xx = 0;
  double sum_xy = 0;
  for (const auto& point : points_) {
    const double x = point.minutes - now;
    sum_x += x;
    sum_y += point.mib;
    sum_xx += x * x;
    sum_xy += x * point.mib;
  }
  const auto n = static_cast<double>(points_.size());
  const double spread = sum_xx - sum_x * sum_x / n;
  if (!(spread > 0)) return std::nullopt;
  const double slope = (sum_xy - sum_x * sum_y / n) / spread;
  const double here = (sum_y - slope * sum_x) / n;
  return std::max(0.0, (here + slope * minutes(ahead)) * kMiB);
}

}  // namespace etcdmon::collect
