// alert/rules/verdicts.hpp: rules that turn verdicts of one kind into findings.
#pragma once

#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

/// Every verdict of kind `C` is a finding of its own severity.
template <model::Check C>
void verdict_is(const RuleInput& input, std::vector<Finding>& findings) {
  for (const auto& verdict : input.assessment.verdicts) {
    if (verdict.check != C) continue;
    findings.push_back({.subject = verdict.subject,
                        .member = verdict.member,
                        .severity = verdict.severity,
                        .summary = verdict.summary,
                        .detail = verdict.detail,
                        .value = std::nullopt,
                        .threshold = std::nullopt});
  }
}

}  // namespace etcdmon::alert
