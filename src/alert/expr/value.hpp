// alert/expr/value.hpp: what expressions are made of while they are evaluated.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alert/expr/ast.hpp"

namespace etcdmon::alert::expr {

using LabelsPtr = std::shared_ptr<const Labels>;

/// One series' value at one moment. The metric's name stands beside the labels: most functions drop
/// it, and need not copy the rest for that.
struct Element {
  LabelsPtr labels;       ///< never null
  std::string_view name;  ///< empty: dropped; lives as long as the expression
  double value = 0;
};
using Vector = std::vector<Element>;

struct Point {
  Millis at = 0;
  double value = 0;
};

/// A value: a number, or a vector of them.
struct Value {
  bool is_scalar = false;
  double scalar = 0;
  Vector vector;
};

/// Where the series come from.
class Source {
 public:
  using TakeNewest = std::function<void(const LabelsPtr& labels, Point newest)>;
  using TakeRange = std::function<void(const LabelsPtr& labels, std::span<const Point> points)>;

  /// So far back a newest value may lie.
  static constexpr Millis kLookback = 300'000;

  virtual ~Source() = default;
  /// The newest value of each series at `at`; none of one that has ended.
  virtual void newest(const Selector& selector, Millis at, const TakeNewest& take) const = 0;
  /// All values from `from` to `to`, both included; no call for a series without any.
  virtual void between(const Selector& selector, Millis from, Millis to,
                       const TakeRange& take) const = 0;
};

}  // namespace etcdmon::alert::expr
