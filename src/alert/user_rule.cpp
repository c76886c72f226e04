#include "alert/user_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/evaluate.hpp"
#include "alert/expr/parser.hpp"

namespace etcdmon::alert {

namespace {

using Texts = std::map<std::string, std::string>;
using Templates = std::vector<std::pair<std::string, Template>>;

bool is_label_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

Templates templates_of(std::string_view key, const Texts& texts,
                       std::vector<UserRuleFault>& faults) {
  Templates out;
  for (const auto& [name, text] : texts) {
    const auto fail = [&](std::string_view why) {
      faults.push_back({std::string(key), fmt::format("{}: {}", name, why)});
    };
    if (!is_label_name(name)) fail("is no name; write letters, digits and underscores");
    if (key == "labels" && (name == "alertname" || name == "cluster" || name == "__name__"))
      fail("is set by the monitor");
    auto made = Template::parse(text);
    if (made)
      out.emplace_back(name, *std::move(made));
    else
      fail(made.error().message);
  }
  return out;
}

// How far back a node looks beyond the moment it is asked for.
expr::Millis reach_of(const expr::Node& node, std::vector<const expr::Selector*>& selectors) {
  expr::Millis reach = 0;
  for (const auto& child : node.children) reach = std::max(reach, reach_of(*child, selectors));
  if (node.kind == expr::Node::Kind::kSelector) {
    selectors.push_back(&node.selector);
    return std::max(node.selector.range, expr::Source::kLookback) + node.selector.offset;
  }
  if (node.kind == expr::Node::Kind::kSubquery)
    return reach + node.selector.range + node.selector.offset;
  return reach;
}

// The first comparison of a vector with a number: what `rules list` shows of a rule.
class Comparison final : public expr::Listener {
 public:
  explicit Comparison(UserLook& look) : look_(look) {}

  void compared(const expr::Node& node, const expr::Value& left,
                const expr::Value& right) override {
    if (look_.threshold || left.is_scalar == right.is_scalar) return;
    look_.threshold = left.is_scalar ? left.scalar : right.scalar;
    const bool less = node.op == expr::Op::kLess || node.op == expr::Op::kLessEqual;
    // `5 < x` looks for large values, `x < 5` for small ones.
    const bool small_is_worse = less != left.is_scalar;
    for (const auto& element : left.is_scalar ? right.vector : left.vector) {
      const bool worse = !look_.worst || (small_is_worse ? element.value < *look_.worst
                                                         : element.value > *look_.worst);
      if (!worse || std::isnan(element.value)) continue;
      look_.worst = element.value;
      look_.worst_subject = subject_of(*element.labels);
    }
  }

 private:
  UserLook& look_;
};

}  // namespace

std::shared_ptr<const UserRule> UserRule::make(UserRuleText text,
                                               std::vector<UserRuleFault>& faults) {
  // make_shared cannot reach the constructor.
  std::shared_ptr<UserRule> made(new UserRule);
  made->text_ = std::move(text);
  const auto& own = made->text_;
  if (own.alert.empty()) faults.push_back({"alert", "is needed: what is the alert called?"});
  if (own.expr.empty()) {
    faults.push_back({"expr", "is needed: when does it fire?"});
  } else if (auto root = expr::parse(own.expr)) {
    made->root_ = *std::move(root);
    if (made->root_->type != expr::Type::kVector)
      faults.push_back({"expr", fmt::format("gives {}; an alert needs a vector: compare a metric",
                                            name_of(made->root_->type))});
    made->reach_ = reach_of(*made->root_, made->selectors_);
    if (made->reach_ > 2 * expr::kLongestRange)
      faults.push_back({"expr", "looks back for more than two days; values are kept for one"});
  } else {
    faults.push_back({"expr", root.error().message});
  }
  made->labels_ = templates_of("labels", own.labels, faults);
  made->annotations_ = templates_of("annotations", own.annotations, faults);
  if (!faults.empty()) return nullptr;

  const auto ceil_seconds = [](std::chrono::milliseconds span) {
    return std::chrono::ceil<std::chrono::seconds>(span);
  };
  made->rule_.name = own.alert;
  made->rule_.help = own.expr;
  made->rule_.tuning.wait.fill(ceil_seconds(own.wait));
  made->rule_.tuning.keep = ceil_seconds(own.keep);
  return made;
}

model::Severity UserRule::severity() const {
  const auto found = text_.labels.find("severity");
  if (found == text_.labels.end()) return model::Severity::kWarning;
  static constexpr std::array kCritical{"critical", "page", "error", "high", "emergency"};
  static constexpr std::array kInfo{"info", "none", "low", "debug", "notice"};
  if (std::ranges::find(kCritical, found->second) != kCritical.end())
    return model::Severity::kCritical;
  if (std::ranges::find(kInfo, found->second) != kInfo.end()) return model::Severity::kInfo;
  return model::Severity::kWarning;
}

Labels UserRule::labels(const expr::Element& element) const {
  auto labels = *element.labels;
  for (const auto& [name, text] : labels_) {
    auto value = text.render(*element.labels, element.value);
    if (value.empty())
      labels.erase(name);
    else
      labels[name] = std::move(value);
  }
  labels["alertname"] = text_.alert;
  return labels;
}

std::map<std::string, std::string> UserRule::annotations(const expr::Element& element) const {
  std::map<std::string, std::string> out;
  for (const auto& [name, text] : annotations_)
    out.emplace(name, text.render(*element.labels, element.value));
  return out;
}

UserLook look(const UserRule& rule, const expr::Source& source, expr::Millis now) {
  UserLook out;
  Comparison comparison(out);
  expr::Evaluator evaluator(source, now, &comparison);
  auto value = evaluator.evaluate(rule.root());
  out.cost = evaluator.cost();
  if (!value) {
    out.fault = value.error().message;
    return out;
  }
  out.found = std::move(value->vector);
  std::set<std::string> seen;
  for (const auto& element : out.found) {
    if (seen.insert(expr::detail::signature(*element.labels, false, {})).second) continue;
    out.fault = "two of its series have the same labels; group them by a label more";
    out.found.clear();
    break;
  }
  if (!out.worst && !out.found.empty()) {
    out.worst = out.found.front().value;
    out.worst_subject = subject_of(*out.found.front().labels);
  }
  return out;
}

std::string subject_of(const Labels& element) {
  static constexpr std::array<std::string_view, 5> kKnown{"cluster", "job", "instance", "member",
                                                          "member_id"};
  std::string out;
  for (const auto* name : {"member", "instance"}) {
    const auto found = element.find(name);
    if (!out.empty() || found == element.end()) continue;
    out = found->second;
  }
  for (const auto& [name, value] : element) {
    if (std::ranges::find(kKnown, name) != kKnown.end()) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, value);
  }
  return out;
}

Needs needs_of(const std::vector<ActiveRule>& rules) {
  std::set<std::string> metrics;
  Needs needs;
  for (const auto& active : rules) {
    if (!active.user || !active.tuning.enabled) continue;
    needs.reach = std::max(needs.reach, std::chrono::milliseconds(active.user->reach()));
    for (const auto* selector : active.user->selectors()) metrics.insert(selector->metric);
  }
  needs.metrics.assign(metrics.begin(), metrics.end());
  return needs;
}

}  // namespace etcdmon::alert
