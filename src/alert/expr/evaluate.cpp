#include "alert/expr/evaluate.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/parser.hpp"

namespace etcdmon::alert::expr {

namespace {

Value of_number(double number) {
  return {.is_scalar = true, .scalar = number, .vector = {}};
}

}  // namespace

Result<Value> Evaluator::evaluate(const Node& root) {
  auto value = eval(root);
  if (fault_) return *fault_;
  return value;
}

Value Evaluator::eval(const Node& node) {
  if (fault_) return {};
  switch (node.kind) {
    case Node::Kind::kNumber:
      return of_number(node.number);
    case Node::Kind::kSelector:
      return select(node);
    case Node::Kind::kNegate:
      return negate(node);
    case Node::Kind::kBinary:
      return binary(node);
    case Node::Kind::kCall:
      return call(node);
    case Node::Kind::kAggregate:
      return {.vector = aggregate(node)};
    case Node::Kind::kString:
    case Node::Kind::kSubquery:
      break;
  }
  return {};
}

void Evaluator::newest(const Node& selector, const Source::TakeNewest& take) {
  source_.newest(selector.selector, now_ - selector.selector.offset,
                 [&](const LabelsPtr& labels, Point newest) {
                   ++cost_;
                   take(labels, newest);
                 });
}

Value Evaluator::select(const Node& node) {
  Value out;
  newest(node, [&](const LabelsPtr& labels, Point newest) {
    out.vector.push_back({labels, node.selector.metric, newest.value});
  });
  return out;
}

Value Evaluator::negate(const Node& node) {
  auto value = eval(*node.children[0]);
  value.scalar = -value.scalar;
  for (auto& element : value.vector) {
    element.value = -element.value;
    element.name = {};
  }
  return value;
}

void Evaluator::windows(const Node& range, const TakeWindow& take) {
  if (range.kind == Node::Kind::kSubquery) {
    subquery(range, take);
    return;
  }
  const auto& selector = range.selector;
  const Millis to = now_ - selector.offset;
  const Millis from = to - selector.range;
  source_.between(selector, from, to, [&](const LabelsPtr& labels, std::span<const Point> points) {
    cost_ += points.size();
    take(labels, selector.metric, {points, from, to});
  });
}

// Steps lie on whole multiples of the step, whenever the question is asked, as in Prometheus.
void Evaluator::subquery(const Node& node, const TakeWindow& take) {
  struct Series {
    Element first;
    std::vector<Point> points;
  };
  const Millis step = node.step == 0 ? kDefaultStep : node.step;
  const Millis to = now_ - node.selector.offset;
  const Millis from = to - node.selector.range;
  const Millis asked_at = now_;
  auto* const listener = std::exchange(listener_, nullptr);
  std::map<std::string, Series> series;
  Millis at = from / step * step;
  if (at < from) at += step;
  for (; at <= to && !fault_; at += step) {
    now_ = at;
    for (auto& element : vector(*node.children[0])) {
      auto key = detail::signature(*element.labels, false, {});
      key += element.name;
      auto& one = series[key];
      one.points.push_back({at, element.value});
      one.first = std::move(element);
    }
  }
  now_ = asked_at;
  listener_ = listener;
  for (const auto& [key, one] : series) {
    take(one.first.labels, one.first.name, {one.points, from, to});
  }
}

Value Evaluator::call(const Node& node) {
  const auto& function = *node.function;
  if (function.special != nullptr) return function.special(*this, node);
  Value out;
  if (function.over_range != nullptr) {
    const auto is_range = [](const NodePtr& child) { return child->type == Type::kRange; };
    double parameter = 0;
    for (const auto& child : node.children) {
      if (!is_range(child)) parameter = scalar(*child);
    }
    const auto& range = **std::ranges::find_if(node.children, is_range);
    const auto take = [&](const LabelsPtr& labels, std::string_view name, Window window) {
      window.parameter = parameter;
      const auto value = function.over_range(window);
      if (value) out.vector.push_back({labels, function.keeps_name ? name : "", *value});
    };
    windows(range, take);
    return out;
  }
  std::vector<double> parameters;
  for (std::size_t i = 1; i < node.children.size(); ++i)
    parameters.push_back(scalar(*node.children[i]));
  out.vector = vector(*node.children[0]);
  for (auto& element : out.vector) {
    element.value = function.of_value(element.value, parameters);
    element.name = {};
  }
  return out;
}

Value Evaluator::binary(const Node& node) {
  const auto left = eval(*node.children[0]);
  const auto right = eval(*node.children[1]);
  if (fault_) return {};
  if (left.is_scalar && right.is_scalar)
    return of_number(*detail::apply(node.op, left.scalar, right.scalar, true));
  const bool filters = is_comparison(node.op) && !node.returns_bool;
  if (filters && listener_ != nullptr) listener_->compared(node, left, right);
  if (left.is_scalar || right.is_scalar)
    return {.vector = between_scalar_and_vector(node, left, right)};
  std::string fault;
  Value out{.vector = detail::match_vectors(node, left.vector, right.vector, fault)};
  if (!fault.empty()) fail(std::move(fault));
  return out;
}

Vector Evaluator::between_scalar_and_vector(const Node& node, const Value& left,
                                            const Value& right) {
  const bool filters = is_comparison(node.op) && !node.returns_bool;
  Vector out;
  for (const auto& element : left.is_scalar ? right.vector : left.vector) {
    const double a = left.is_scalar ? left.scalar : element.value;
    const double b = left.is_scalar ? element.value : right.scalar;
    const auto value = detail::apply(node.op, a, b, node.returns_bool);
    if (!value) continue;
    out.push_back({element.labels, filters ? element.name : std::string_view(),
                   filters ? element.value : *value});
  }
  return out;
}

Vector Evaluator::aggregate(const Node& node) {
  const double parameter = node.children.size() > 1 ? scalar(*node.children[1]) : 0;
  return detail::aggregate_vector(node, vector(*node.children[0]), parameter);
}

}  // namespace etcdmon::alert::expr
