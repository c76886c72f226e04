// collect/scrape/size_trend.hpp: where the size of a database will be in some hours.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace etcdmon::collect {

inline constexpr Duration kTrendWindow = std::chrono::hours(4);

/// A coarse memory of four hours, longer than the series': a size a minute, 8 bytes each.
///
/// A size that falls by a tenth was defragmented: what grew before says nothing about what will
/// grow from there.
class SizeTrend {
 public:
  void add(SteadyTime at, double bytes);
  /// Least squares, as PromQL's predict_linear(); nullopt under two sizes.
  std::optional<double> after(Duration ahead) const;
  std::size_t memory_bytes() const { return points_.capacity() * sizeof(Point); }

 private:
  struct Point {
    float minutes = 0;  ///< since origin_
    float mib = 0;
  };

  SteadyTime origin_;
  SteadyTime last_at_;
  double last_bytes_ = 0;
  std::vector<Point> points_;  ///< oldest first
};

}  // namespace etcdmon::collect
