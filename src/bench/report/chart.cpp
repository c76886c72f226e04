#include "bench/report/chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace etcdmon::bench::report {

namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 260;
constexpr double kLeft = 64;
constexpr double kRight = 28;
constexpr double kTop = 34;
constexpr double kBottom = 30;
constexpr int kColours = 4;

// Where values stand on the paper.
class Scale {
 public:
  explicit Scale(const Chart& chart) : logarithmic_(chart.logarithmic) {
    for (const auto& line : chart.lines) {
      for (const auto& [x, y] : line.points) {
        left_ = std::min(left_, x);
        right_ = std::max(right_, x);
        if (!std::isfinite(y) || (logarithmic_ && y <= 0)) continue;
        low_ = std::min(low_, y);
        high_ = std::max(high_, y);
      }
    }
    if (left_ > right_) left_ = 0, right_ = 1;
    if (left_ == right_) right_ = left_ + 1;
    if (low_ > high_) low_ = 0.1, high_ = 1;
    if (logarithmic_) {
      low_ = std::pow(10, std::floor(std::log10(low_)));
      high_ = std::pow(10, std::ceil(std::log10(high_ * 1.0001)));
    } else {
      low_ = 0;
      high_ = high_ <= 0 ? 1 : high_ * 1.05;
    }
  }

  double x(double value) const {
    return kLeft + (value - left_) / (right_ - left_) * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    const double share = logarithmic_
                             ? std::log10(std::max(value, low_) / low_) / std::log10(high_ / low_)
                             : (value - low_) / (high_ - low_);
    return kHeight - kBottom - share * (kHeight - kTop - kBottom);
  }

  // Round values between the ends.
  std::vector<double> heights() const {
    std::vector<double> marks;
    if (logarithmic_) {
      for (double mark = low_; mark <= high_ * 1.0001; mark *= 10) marks.push_back(mark);
    } else {
      for (double mark = 0; mark <= high_; mark += step(high_)) marks.push_back(mark);
    }
    return marks;
  }
  std::vector<double> widths() const {
    std::vector<double> marks;
    const double wide = step(right_ - left_);
    for (double mark = std::ceil(left_ / wide) * wide; mark <= right_; mark += wide)
      marks.push_back(mark);
    return marks;
  }

 private:
  static double step(double range) {
    const double raw = range / 5;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    for (const double nice : {1.0, 2.0, 5.0}) {
      if (nice * power >= raw) return nice * power;
    }
    return 10 * power;
  }

  bool logarithmic_;
  double left_ = std::numeric_limits<double>::max();
  double right_ = std::numeric_limits<double>::lowest();
  double low_ = std::numeric_limits<double>::max();
  double high_ = std::numeric_limits<double>::lowest();
};

std::string number(double value) {
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", value);
}

void append_axes(std::string& out, const Chart& chart, const Scale& scale) {
  for (const double mark : scale.heights()) {
    const double y = scale.y(mark);
    out += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        kLeft, kWidth - kRight, y, y, kLeft - 6, y + 4, number(mark));
  }
  auto ticks = chart.ticks;
  if (ticks.empty()) {
    for (const double mark : scale.widths()) ticks.push_back({mark, number(mark) + chart.x_unit});
  }
  for (const auto& tick : ticks) {
    out +=
        fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                    scale.x(tick.at), kHeight - kBottom + 18, escaped(tick.label));
  }
  for (const auto& event : chart.events) {
    const double x = scale.x(event.at);
    out += fmt::format(
        "<line class=\"event\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"><title>{}</title>"
        "</line>\n",
        x, x, kTop, kHeight - kBottom, escaped(event.label));
  }
}

void append_line(std::string& out, const Line& line, const Scale& scale, std::size_t index) {
  std::string path;
  bool drawing = false;
  for (const auto& [x, y] : line.points) {
    if (!std::isfinite(y)) {
      drawing = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", scale.x(x), scale.y(y));
    drawing = true;
  }
  const auto colour = index % kColours;
  out += fmt::format(
      "<path class=\"line\" style=\"stroke:var(--line-{})\" d=\"{}\"><title>{}"
      "</title></path>\n",
      colour, path, escaped(line.name));
  const double x = kLeft + static_cast<double>(index) * 130;
  out += fmt::format(
      "<rect x=\"{:.0f}\" y=\"20\" width=\"14\" height=\"4\" style=\"fill:var(--line-{})\"/>"
      "<text class=\"name\" x=\"{:.0f}\" y=\"26\">{}</text>\n",
      x, colour, x + 20, escaped(line.name));
}

}  // namespace

std::string svg(const Chart& chart) {
  const Scale scale(chart);
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n"
      "<text class=\"title\" x=\"{}\" y=\"12\">{}{}</text>\n",
      kWidth, kHeight, escaped(chart.title), kLeft, escaped(chart.title),
      chart.unit.empty() ? "" : ", " + escaped(chart.unit));
  append_axes(out, chart, scale);
  for (std::size_t i = 0; i < chart.lines.size(); ++i) append_line(out, chart.lines[i], scale, i);
  return out + "</svg>\n";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace etcdmon::bench::report
