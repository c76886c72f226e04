// Functions over a range of one series: rate, increase, *_over_time and their like.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "alert/expr/functions.hpp"

namespace etcdmon::alert::expr {

namespace {

using Points = std::span<const Point>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kThousand = 1e3;

double seconds(Millis span) {
  return static_cast<double>(span) / kThousand;
}

// What a counter has risen by: a value below the one before is a reset, from 0.
double risen(Points points) {
  double total = points.back().value - points.front().value;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].value < points[i - 1].value) total += points[i - 1].value;
  }
  return total;
}

// PromQL's extrapolation: stretched to the window unless the series begins or ends inside it; a
// counter not beyond where it would have been 0.
std::optional<double> stretched(const Window& window, bool counter) {
  const auto points = window.points;
  if (points.size() < 2 || points.back().at <= points.front().at) return std::nullopt;
  const double change = counter ? risen(points) : points.back().value - points.front().value;
  const double sampled = seconds(points.back().at - points.front().at);
  const double step = sampled / static_cast<double>(points.size() - 1);
  double to_start = seconds(points.front().at - window.from);
  double to_end = seconds(window.to - points.back().at);
  if (counter && change > 0 && points.front().value >= 0)
    to_start = std::min(to_start, sampled * (points.front().value / change));
  constexpr double kGap = 1.1;
  if (to_start >= step * kGap) to_start = step / 2;
  if (to_end >= step * kGap) to_end = step / 2;
  return change * ((sampled + to_start + to_end) / sampled);
}

std::optional<double> increase(const Window& window) {
  return stretched(window, true);
}

std::optional<double> rate(const Window& window) {
  const auto change = stretched(window, true);
  if (!change) return std::nullopt;
  return *change / seconds(window.to - window.from);
}

std::optional<double> delta(const Window& window) {
  return stretched(window, false);
}

std::optional<double> of_last_two(const Window& window, bool counter, bool per_second) {
  const auto points = window.points;
  if (points.size() < 2) return std::nullopt;
  const auto& last = points.back();
  const auto& before = points[points.size() - 2];
  const double change =
      counter && last.value < before.value ? last.value : last.value - before.value;
  if (!per_second) return change;
  if (last.at <= before.at) return std::nullopt;
  return change / seconds(last.at - before.at);
}

std::optional<double> irate(const Window& window) {
  return of_last_two(window, true, true);
}
std::optional<double> idelta(const Window& window) {
  return of_last_two(window, false, false);
}

struct Line {
  double slope;
  double start;  ///< at `origin`
};

// Least squares.
std::optional<Line> line_through(Points points, Millis origin) {
  if (points.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(points.size());
  const double first = points.front().value;
  if (std::ranges::all_of(points, [first](const Point& p) { return p.value == first; })) {
    if (std::isinf(first)) return Line{kNaN, kNaN};
    return Line{0, first};
  }
  double mean_x = 0;
  double mean_y = 0;
  for (const auto& point : points) {
    mean_x += seconds(point.at - origin) / n;
    mean_y += point.value / n;
  }
  double xy = 0;
  double xx = 0;
  for (const auto& point : points) {
    const double x = seconds(point.at - origin) - mean_x;
    xy += x * (point.value - mean_y);
    xx += x * x;
  }
  const double slope = xy / xx;
  return Line{slope, mean_y - slope * mean_x};
}

std::optional<double> deriv(const Window& window) {
  const auto line = line_through(window.points, window.points.front().at);
  if (!line) return std::nullopt;
  return line->slope;
}

std::optional<double> predict_linear(const Window& window) {
  const auto line = line_through(window.points, window.to);
  if (!line) return std::nullopt;
  return line->start + line->slope * window.parameter;
}

std::optional<double> resets(const Window& window) {
  double count = 0;
  for (std::size_t i = 1; i < window.points.size(); ++i) {
    if (window.points[i].value < window.points[i - 1].value) ++count;
  }
  return count;
}

std::optional<double> changes(const Window& window) {
  double count = 0;
  for (std::size_t i = 1; i < window.points.size(); ++i) {
    const double now = window.points[i].value;
    const double before = window.points[i - 1].value;
    if (now != before && !(std::isnan(now) && std::isnan(before))) ++count;
  }
  return count;
}

double sum_of(Points points) {
  double sum = 0;
  double lost = 0;  // Neumaier's: what the sum was too coarse for
  for (const auto& point : points) {
    const double next = sum + point.value;
    if (!std::isinf(next)) {
      lost += std::abs(sum) >= std::abs(point.value) ? (sum - next) + point.value
                                                     : (point.value - next) + sum;
    }
    sum = next;
  }
  return sum + lost;
}

double mean_of(Points points) {
  return sum_of(points) / static_cast<double>(points.size());
}

std::optional<double> sum_over_time(const Window& window) {
  return sum_of(window.points);
}
std::optional<double> avg_over_time(const Window& window) {
  return mean_of(window.points);
}
std::optional<double> count_over_time(const Window& window) {
  return static_cast<double>(window.points.size());
}
std::optional<double> last_over_time(const Window& window) {
  return window.points.back().value;
}
std::optional<double> present_over_time(const Window&) {
  return 1;
}

std::optional<double> min_over_time(const Window& window) {
  double least = window.points.front().value;
  for (const auto& point : window.points) {
    if (point.value < least || std::isnan(least)) least = point.value;
  }
  return least;
}

std::optional<double> max_over_time(const Window& window) {
  double most = window.points.front().value;
  for (const auto& point : window.points) {
    if (point.value > most || std::isnan(most)) most = point.value;
  }
  return most;
}

std::optional<double> stdvar_over_time(const Window& window) {
  const double mean = mean_of(window.points);
  double squares = 0;
  for (const auto& point : window.points) squares += (point.value - mean) * (point.value - mean);
  return squares / static_cast<double>(window.points.size());
}

std::optional<double> stddev_over_time(const Window& window) {
  return std::sqrt(*stdvar_over_time(window));
}

std::optional<double> quantile_over_time(const Window& window) {
  std::vector<double> values;
  values.reserve(window.points.size());
  for (const auto& point : window.points) values.push_back(point.value);
  return quantile_of(window.parameter, values);
}

Function over(std::string_view name, Function::OverRange function) {
  return {.name = name, .arguments = "r", .over_range = function};
}

}  // namespace

double quantile_of(double phi, std::vector<double>& values) {
  if (values.empty() || std::isnan(phi)) return kNaN;
  if (phi < 0) return -std::numeric_limits<double>::infinity();
  if (phi > 1) return std::numeric_limits<double>::infinity();
  // NaN counts as the least.
  std::ranges::sort(values, [](double a, double b) {
    return std::isnan(a) ? !std::isnan(b) : !std::isnan(b) && a < b;
  });
  const auto last = static_cast<double>(values.size() - 1);
  const double rank = phi * last;
  const double lower = std::floor(rank);
  const double upper = std::min(last, lower + 1);
  const double weight = rank - lower;
  return values[static_cast<std::size_t>(lower)] * (1 - weight) +
         values[static_cast<std::size_t>(upper)] * weight;
}

std::span<const Function> detail::range_functions() {
  static const std::array kRows = {
      over("rate", &rate),
      over("irate", &irate),
      over("increase", &increase),
      over("delta", &delta),
      over("idelta", &idelta),
      over("deriv", &deriv),
      over("resets", &resets),
      over("changes", &changes),
      over("avg_over_time", &avg_over_time),
      over("min_over_time", &min_over_time),
      over("max_over_time", &max_over_time),
      over("sum_over_time", &sum_over_time),
      over("count_over_time", &count_over_time),
      over("present_over_time", &present_over_time),
      over("stddev_over_time", &stddev_over_time),
      over("stdvar_over_time", &stdvar_over_time),
      Function{.name = "last_over_time",
               .arguments = "r",
               .over_range = &last_over_time,
               .keeps_name = true},
      Function{.name = "quantile_over_time", .arguments = "sr", .over_range = &quantile_over_time},
      Function{.name = "predict_linear", .arguments = "rs", .over_range = &predict_linear},
  };
  return kRows;
}

}  // namespace etcdmon::alert::expr
