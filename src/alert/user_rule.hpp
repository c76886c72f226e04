// alert/user_rule.hpp: an alert rule as its user wrote it: an expression, labels, texts.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alert/expr/ast.hpp"
#include "alert/expr/value.hpp"
#include "alert/rule.hpp"
#include "alert/template.hpp"

namespace etcdmon::alert {

/// As Prometheus' rule files and our configuration have it.
struct UserRuleText {
  std::string alert;
  std::string expr;
  std::chrono::milliseconds wait{0};  ///< `for`
  std::chrono::milliseconds keep{0};  ///< `keep_firing_for`
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string origin;  ///< "rules.yml, group etcd"; empty: the configuration

  bool operator==(const UserRuleText&) const = default;
};

/// The part of a rule that is wrong, by its key, and why.
struct UserRuleFault {
  std::string key;  ///< "expr", "annotations", …
  std::string message;
};

/// Threads: immutable, may be shared. Lifetime: `rule` is a view into it.
class UserRule {
 public:
  /// Empty `faults` say that it is in order.
  static std::shared_ptr<const UserRule> make(UserRuleText text,
                                              std::vector<UserRuleFault>& faults);
  UserRule(const UserRule&) = delete;
  UserRule& operator=(const UserRule&) = delete;

  const UserRuleText& text() const { return text_; }
  /// As the engine knows rules.
  const Rule& rule() const { return rule_; }
  const expr::Node& root() const { return *root_; }
  model::Severity severity() const;
  /// Metrics that it looks at, in the order of the text.
  const std::vector<const expr::Selector*>& selectors() const { return selectors_; }
  /// How far back it looks.
  expr::Millis reach() const { return reach_; }

  /// The alert's labels: those of the element, and over them the rule's own.
  Labels labels(const expr::Element& element) const;
  std::map<std::string, std::string> annotations(const expr::Element& element) const;

 private:
  UserRule() = default;

  UserRuleText text_;
  expr::NodePtr root_;
  std::vector<std::pair<std::string, Template>> labels_;
  std::vector<std::pair<std::string, Template>> annotations_;
  std::vector<const expr::Selector*> selectors_;
  expr::Millis reach_ = 0;
  Rule rule_;
};
using UserRulePtr = std::shared_ptr<const UserRule>;

/// What a rule says at one moment.
struct UserLook {
  expr::Vector found;           ///< each one is an alert
  std::optional<double> worst;  ///< of what it compares, whether beyond the threshold or not
  std::string worst_subject;
  std::optional<double> threshold;
  std::string fault;     ///< why it could not be evaluated
  std::size_t cost = 0;  ///< values looked at
};
UserLook look(const UserRule& rule, const expr::Source& source, expr::Millis now);

/// "infra2", "infra2 To=8e9e05c52164694d": which series an alert is about, for people.
std::string subject_of(const Labels& element);

/// What the members' pages have to be read for.
struct Needs {
  std::vector<std::string> metrics;
  std::chrono::milliseconds reach{0};
};
Needs needs_of(const std::vector<ActiveRule>& rules);

}  // namespace etcdmon::alert
