// alert/rule_file.hpp: alert rules from a file of Prometheus' form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/user_rule.hpp"
#include "config/issue.hpp"

namespace etcdmon::alert {

struct RuleFile {
  std::vector<UserRuleText> rules;
  std::vector<config::Issue> issues;  ///< not empty: the file is not to be used
};

/// `groups:` of `rules:` with alert, expr, for, keep_firing_for, labels and annotations. `source`
/// is how the file is called in issues, which have its lines. Recording rules are refused: nothing
/// keeps their values.
RuleFile parse_rule_file(std::string_view text, const std::string& source);

}  // namespace etcdmon::alert
