// alert/expr/functions.hpp: the functions that expressions may call, one row each.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "alert/expr/value.hpp"

namespace etcdmon::alert::expr {

class Evaluator;

/// A window of one series' values.
struct Window {
  std::span<const Point> points;  ///< at least one, oldest first
  Millis from = 0;
  Millis to = 0;
  double parameter = 0;  ///< the scalar argument, where there is one
};

struct Function {
  using OverRange = std::optional<double> (*)(const Window& window);
  using OfValue = double (*)(double value, std::span<const double> parameters);
  using Special = Value (*)(Evaluator& evaluator, const Node& call);

  std::string_view name;
  std::string_view arguments;  ///< a letter each: s scalar, v vector, r range, t text; behind `?`
                               ///< they may be left out; `*`: more of the last
  Type returns = Type::kVector;
  OverRange over_range = nullptr;  ///< element by element of the range argument
  OfValue of_value = nullptr;      ///< element by element of the vector argument
  Special special = nullptr;       ///< all others
  bool keeps_name = false;
};

std::span<const Function> functions();
const Function* find_function(std::string_view name);

/// The φ-quantile of values, as PromQL has it: linear between the two next ranks. Sorts `values`.
double quantile_of(double phi, std::vector<double>& values);

namespace detail {
std::span<const Function> range_functions();
std::span<const Function> value_functions();
std::span<const Function> special_functions();
}  // namespace detail

}  // namespace etcdmon::alert::expr
