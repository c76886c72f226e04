// alert/rules/readings.hpp: readings that are one metric of each member, or one in percent of
// another.
#pragma once

#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

/// The metric's value, for every member that has one.
template <model::Metric M>
void value_of(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    if (const auto value = input.members[i].values.get(M))
      readings.push_back({.member = i, .value = *value});
  }
}

/// `Part` in percent of `Whole`, for every member that has both.
template <model::Metric Part, model::Metric Whole>
void percent_of(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto part = input.members[i].values.get(Part);
    const auto whole = input.members[i].values.get(Whole);
    if (part && whole && *whole > 0)
      readings.push_back({.member = i, .value = 100 * *part / *whole});
  }
}

}  // namespace etcdmon::alert
