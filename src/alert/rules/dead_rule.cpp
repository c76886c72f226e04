#include "alert/rules/dead_rule.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace etcdmon::alert {

void dead_rules(const RuleInput& input, std::vector<Finding>& findings) {
  const auto& members = input.seen.members;
  const bool one_answers = std::ranges::any_of(members, [](const model::MemberFacts& member) {
    return member.scrape && !member.scrape->error;
  });
  const bool all_known =
      !members.empty() && std::ranges::all_of(members, [](const model::MemberFacts& member) {
        return member.metrics.has_value();
      });
  if (!all_known || !one_answers) return;
  for (const auto& rule : input.blind) {
    Finding finding{.subject = rule.name};
    if (!rule.fault.empty()) {
      finding.summary = fmt::format("{} cannot be evaluated: {}", rule.name, rule.fault);
    } else if (rule.built_in) {
      finding.severity = model::Severity::kInfo;
      finding.summary = fmt::format("{} has nothing to measure on this cluster", rule.name);
      finding.detail = "Its alert will not come. This version of etcd may not have what it needs.";
    } else {
      finding.summary = fmt::format("{} looks at {}, which no member has", rule.name,
                                    fmt::join(rule.missing, ", "));
      finding.detail = "Its alert will not come. A name may be misspelt, or of another version.";
    }
    findings.push_back(std::move(finding));
  }
}

}  // namespace etcdmon::alert
