// bench/report/chart.hpp: line charts as inline SVG.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace etcdmon::bench::report {

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< in order of x; y not known: NaN
};

/// A mark on an axis, where it is not a plain number.
struct Tick {
  double at = 0;
  std::string label;
};

struct Chart {
  std::string title;
  std::string unit;  ///< of y: "ms"
  std::vector<Line> lines;
  std::vector<Tick> ticks;   ///< of x; empty: round numbers
  std::vector<Tick> events;  ///< moments to mark with an upright line
  std::string x_unit;        ///< "s"
  bool logarithmic = false;  ///< y
};

/// An <svg> element that scales with its place. Colours come from the page's CSS variables
/// --line-0, --line-1, …; text from --ink and --faint.
std::string svg(const Chart& chart);

/// Text as it stands in HTML, also inside an attribute.
std::string escaped(std::string_view text);

}  // namespace etcdmon::bench::report
