// alert/expr/evaluate.hpp: what an expression says at one moment.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "alert/expr/functions.hpp"
#include "alert/expr/value.hpp"

namespace etcdmon::alert::expr {

/// Whom an evaluation tells what it came across.
class Listener {
 public:
  virtual ~Listener() = default;
  /// A comparison that filters, before it does.
  virtual void compared(const Node& comparison, const Value& left, const Value& right) = 0;
};

/// One evaluation of one expression.
///
/// Lifetime: the expression outlives what evaluate() gives, since names are views into it.
class Evaluator {
 public:
  Evaluator(const Source& source, Millis now, Listener* listener = nullptr)
      : source_(source), now_(now), listener_(listener) {}

  /// Errors: kFailedPrecondition where vectors do not fit together as the expression has them.
  Result<Value> evaluate(const Node& root);
  /// Values looked at so far.
  std::size_t cost() const { return cost_; }

  // For functions and operators: after a fault they give what they like.
  Value eval(const Node& node);
  double scalar(const Node& node) { return eval(node).scalar; }
  Vector vector(const Node& node) { return eval(node).vector; }
  Millis now() const { return now_; }
  /// Calls `take(labels, name, window)` for every series of a range.
  using TakeWindow =
      std::function<void(const LabelsPtr& labels, std::string_view name, const Window& window)>;
  void windows(const Node& range, const TakeWindow& take);
  /// The newest value of each series of a selector.
  void newest(const Node& selector, const Source::TakeNewest& take);
  void fail(std::string message) {
    if (!fault_) fault_ = Error{ErrorCode::kFailedPrecondition, std::move(message)};
  }

 private:
  Value select(const Node& node);
  Value negate(const Node& node);
  Value call(const Node& node);
  Value binary(const Node& node);
  Vector between_scalar_and_vector(const Node& node, const Value& left, const Value& right);
  Vector aggregate(const Node& node);
  void subquery(const Node& node, const TakeWindow& take);

  const Source& source_;
  Millis now_;
  Listener* listener_;
  std::size_t cost_ = 0;
  std::optional<Error> fault_;
};

namespace detail {

/// nullopt: the comparison does not hold.
std::optional<double> apply(Op op, double left, double right, bool returns_bool);
/// Between two vectors, set operators too. `fault` is set where they do not fit.
Vector match_vectors(const Node& node, const Vector& left, const Vector& right, std::string& fault);
Vector aggregate_vector(const Node& node, const Vector& vector, double parameter);

/// The values of `labels` (or of all but them), as one text to compare by.
std::string signature(const Labels& labels, bool only, const std::vector<std::string>& names);
LabelsPtr only_labels(const Labels& labels, const std::vector<std::string>& names);
LabelsPtr without_labels(const LabelsPtr& labels, const std::vector<std::string>& names);

}  // namespace detail

}  // namespace etcdmon::alert::expr
