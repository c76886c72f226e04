// alert/expr/parser.hpp: reads an expression of the PromQL subset that rules are written in.
#pragma once

#include <string_view>

#include "alert/expr/ast.hpp"
#include "base/result.hpp"

namespace etcdmon::alert::expr {

inline constexpr Millis kLongestRange = 24 * 3'600'000LL;  ///< so far back values are kept at most
inline constexpr Millis kDefaultStep = 60'000;             ///< of a subquery without one
inline constexpr Millis kMostSubquerySteps = 300;

/// Metric names with label matchers, ranges, offsets and subqueries; every operator of PromQL with
/// on, ignoring, group_left and group_right; aggregations with by and without; the functions of
/// functions.hpp. What is left out (@, names by pattern, native histograms) is said in the error.
///
/// Errors: kInvalidArgument with the column and what to do. Texts are bounded in length and depth.
Result<NodePtr> parse(std::string_view text);

}  // namespace etcdmon::alert::expr
