// What stands between two values: arithmetic, comparisons, sets, and which elements belong
// together.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "alert/expr/evaluate.hpp"

namespace etcdmon::alert::expr::detail {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string key_of(const Element& element, const Matching& matching) {
  return signature(*element.labels, matching.on, matching.labels);
}

std::string text_of(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ", ", name, value);
  return "{" + out + "}";
}

Vector in_both(const Matching& matching, const Vector& left, const Vector& right, bool wanted) {
  std::unordered_set<std::string> keys;
  for (const auto& element : right) keys.insert(key_of(element, matching));
  Vector out;
  for (const auto& element : left) {
    if (keys.contains(key_of(element, matching)) == wanted) out.push_back(element);
  }
  return out;
}

Vector either(const Matching& matching, const Vector& left, const Vector& right) {
  std::unordered_set<std::string> keys;
  for (const auto& element : left) keys.insert(key_of(element, matching));
  auto out = left;
  for (const auto& element : right) {
    if (!keys.contains(key_of(element, matching))) out.push_back(element);
  }
  return out;
}

// The labels of what two elements give together.
LabelsPtr joined_labels(const Matching& matching, const Element& many, const Element& one) {
  if (matching.many == Matching::Many::kNone) {
    return matching.on ? only_labels(*many.labels, matching.labels)
                       : without_labels(many.labels, matching.labels);
  }
  if (matching.include.empty()) return many.labels;
  auto labels = *many.labels;
  for (const auto& name : matching.include) {
    const auto found = one.labels->find(name);
    if (found == one.labels->end())
      labels.erase(name);
    else
      labels[name] = found->second;
  }
  return std::make_shared<const Labels>(std::move(labels));
}

}  // namespace

std::string signature(const Labels& labels, bool only, const std::vector<std::string>& names) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view value) {
    out += name;
    out += '\xFE';
    out += value;
    out += '\xFF';
  };
  for (const auto& [name, value] : labels) {
    if (contains(names, name) == only && !value.empty()) add(name, value);
  }
  return out;
}

LabelsPtr only_labels(const Labels& labels, const std::vector<std::string>& names) {
  Labels out;
  for (const auto& name : names) {
    const auto found = labels.find(name);
    if (found != labels.end()) out.insert(*found);
  }
  return std::make_shared<const Labels>(std::move(out));
}

LabelsPtr without_labels(const LabelsPtr& labels, const std::vector<std::string>& names) {
  const bool any =
      std::ranges::any_of(names, [&](const auto& name) { return labels->contains(name); });
  if (!any) return labels;
  auto out = *labels;
  for (const auto& name : names) out.erase(name);
  return std::make_shared<const Labels>(std::move(out));
}

std::optional<double> apply(Op op, double left, double right, bool returns_bool) {
  const auto truth = [&](bool holds) -> std::optional<double> {
    if (returns_bool) return holds ? 1.0 : 0.0;
    return holds ? std::optional(left) : std::nullopt;
  };
  switch (op) {
    case Op::kAdd:
      return left + right;
    case Op::kSubtract:
      return left - right;
    case Op::kMultiply:
      return left * right;
    case Op::kDivide:
      return left / right;
    case Op::kModulo:
      return std::fmod(left, right);
    case Op::kPower:
      return std::pow(left, right);
    case Op::kEqual:
      return truth(left == right);
    case Op::kNotEqual:
      return truth(left != right);
    case Op::kGreater:
      return truth(left > right);
    case Op::kLess:
      return truth(left < right);
    case Op::kGreaterEqual:
      return truth(left >= right);
    case Op::kLessEqual:
      return truth(left <= right);
    case Op::kAnd:
    case Op::kOr:
    case Op::kUnless:
      break;
  }
  return std::nullopt;
}

Vector match_vectors(const Node& node, const Vector& left, const Vector& right,
                     std::string& fault) {
  const auto& matching = node.matching;
  if (node.op == Op::kAnd) return in_both(matching, left, right, true);
  if (node.op == Op::kUnless) return in_both(matching, left, right, false);
  if (node.op == Op::kOr) return either(matching, left, right);

  const bool swapped = matching.many == Matching::Many::kRight;
  const auto& many = swapped ? right : left;
  const auto& ones = swapped ? left : right;
  std::unordered_map<std::string, const Element*> by_key;
  for (const auto& one : ones) {
    if (by_key.emplace(key_of(one, matching), &one).second) continue;
    fault = fmt::format(
        "{}: several elements on the {} side belong to one on the other, one of "
        "them {}; say with on or ignoring what they have in common",
        name_of(node.op), swapped ? "left" : "right", text_of(*one.labels));
    return {};
  }
  const bool filters = is_comparison(node.op) && !node.returns_bool;
  std::unordered_set<std::string> taken;
  Vector out;
  for (const auto& element : many) {
    const auto key = key_of(element, matching);
    const auto found = by_key.find(key);
    if (found == by_key.end()) continue;
    const auto& one = *found->second;
    const double a = swapped ? one.value : element.value;
    const double b = swapped ? element.value : one.value;
    const auto value = apply(node.op, a, b, node.returns_bool);
    // Even where the comparison does not hold: whether a rule is in order must not hang on values.
    if (matching.many == Matching::Many::kNone && !taken.insert(key).second) {
      fault = fmt::format(
          "{}: several elements on the left side belong to one on the right, one "
          "of them {}; write group_left where that is meant",
          name_of(node.op), text_of(*element.labels));
      return {};
    }
    if (!value) continue;
    const bool named = filters && !matching.on;
    out.push_back({joined_labels(matching, element, one), named ? element.name : std::string_view(),
                   filters ? a : *value});
  }
  return out;
}

}  // namespace etcdmon::alert::expr::detail
