// alert/rules/dead_rule.hpp: rules that would never fire, and say so.
#pragma once

#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

/// Asks nothing before every member has had a page: until then nobody knows what is missing.
void dead_rules(const RuleInput& input, std::vector<Finding>& findings);

}  // namespace etcdmon::alert
