// alert/rule_settings.hpp: what an operator may set of a built-in rule, and rules of their own.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alert/rule.hpp"
#include "alert/user_rule.hpp"
#include "config/schema.hpp"
#include "model/severity_names.hpp"

namespace etcdmon::alert {

/// A limit as it is written: `off`, `95%`, `10ms`, `1000`, `0.1/s`.
struct WrittenLimit {
  bool off = false;
  double value = 0;
  Unit unit = Unit::kNone;

  bool operator==(const WrittenLimit&) const = default;
};

/// Changes to a built-in rule, which `name` says; what is not set stays as the catalogue has it. Or
/// a rule of one's own, with `alert` and `expr`.
struct RuleSettings {
  std::string name;
  std::string alert;
  std::string expr;
  config::Texts labels;
  config::Texts annotations;
  std::optional<bool> enabled;
  std::optional<WrittenLimit> info, warning, critical;
  std::optional<std::chrono::seconds> wait;  ///< `for`
  std::optional<std::chrono::seconds> keep;  ///< `keep_firing_for`
  std::optional<model::Severity> severity;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// The catalogue as `common` and then `own` change it, and after it the users' rules: of `common`,
/// of `own`, of rule files. All have passed their checks. A user's rule that has a built-in one's
/// name takes its place.
std::vector<ActiveRule> tuned_rules(const Thresholds& thresholds,
                                    std::span<const RuleSettings> common,
                                    std::span<const RuleSettings> own,
                                    std::span<const UserRuleText> files = {});

}  // namespace etcdmon::alert

namespace etcdmon::config {

template <>
struct Codec<alert::WrittenLimit> {
  static TypeDoc type() { return {"limit", "string", {}, {}}; }
  static Result<alert::WrittenLimit> parse(const Node& node);
  static Node show(const alert::WrittenLimit& value);
};

}  // namespace etcdmon::config
