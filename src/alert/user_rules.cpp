#include "alert/user_rules.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "alert/expr/functions.hpp"
#include "alert/scenario/series_notation.hpp"

namespace etcdmon::alert {

namespace {

// Counters of failures come with the first one.
bool comes_late(std::string_view metric) {
  for (const std::string_view word : {"fail", "disconnect", "error", "panic"}) {
    if (metric.find(word) != std::string_view::npos) return true;
  }
  return false;
}

// Metrics that a part of a rule needs and no member has. Of alternatives one is enough, and what is
// only looked at for its absence is not needed.
std::set<std::string> unfed_of(const expr::Node& node, const LiveSource& source) {
  using Kind = expr::Node::Kind;
  if (node.kind == Kind::kSelector) {
    const auto& metric = node.selector.metric;
    if (comes_late(metric) || source.is_fed(node.selector)) return {};
    return {metric};
  }
  const bool absence = node.kind == Kind::kCall && node.function->name.starts_with("absent");
  if (absence) return {};
  std::set<std::string> unfed;
  bool one_is_fed = false;
  for (const auto& child : node.children) {
    auto of_child = unfed_of(*child, source);
    one_is_fed = one_is_fed || of_child.empty();
    unfed.merge(of_child);
    if (node.kind == Kind::kBinary && node.op == expr::Op::kUnless) return unfed;
  }
  const bool alternatives = node.kind == Kind::kBinary && node.op == expr::Op::kOr;
  return alternatives && one_is_fed ? std::set<std::string>{} : unfed;
}

MemberId member_of(const Labels& labels, const RuleInput& input) {
  const auto id = labels.find("member_id");
  if (id != labels.end()) {
    if (const auto value = parse_hex(id->second)) return MemberId{*value};
  }
  const auto name = labels.find("member");
  if (name == labels.end()) return {};
  for (const auto& facts : input.seen.members) {
    if (subject_of(facts) == name->second) return facts.entry.id;
  }
  return {};
}

std::string taken(std::map<std::string, std::string>& annotations,
                  std::initializer_list<const char*> keys) {
  for (const auto* key : keys) {
    const auto found = annotations.find(key);
    if (found == annotations.end()) continue;
    auto text = std::move(found->second);
    annotations.erase(found);
    return text;
  }
  return {};
}

Finding finding_of(const UserRule& rule, const expr::Element& element, const RuleInput& input) {
  Finding finding;
  finding.severity = rule.severity();
  finding.value = element.value;
  finding.member = member_of(*element.labels, input);
  finding.labels = rule.labels(element);
  auto annotations = rule.annotations(element);
  finding.summary = taken(annotations, {"summary", "message", "description"});
  finding.detail = taken(annotations, {"description", "message"});
  finding.runbook = taken(annotations, {"runbook_url", "runbook"});
  if (finding.summary.empty())
    finding.summary = fmt::format("{} ({})", rule.text().expr, go_number(element.value));
  for (const auto& [name, text] : annotations)
    finding.detail += fmt::format("{}{}: {}", finding.detail.empty() ? "" : "\n", name, text);
  return finding;
}

}  // namespace

void UserRules::set(const std::vector<ActiveRule>& rules) {
  std::vector<Slot> slots;
  for (const auto& active : rules) {
    if (!active.user || !active.tuning.enabled) continue;
    auto& slot = slots.emplace_back();
    // A rule that a reload left alone goes on with what it knows.
    const auto before = std::ranges::find_if(slots_, [&](const Slot& old) {
      return old.rule && old.rule->text() == active.user->text();
    });
    if (before != slots_.end()) {
      // Names of elements are views into the rule's text.
      slot.look = before->look;
      for (auto& element : slot.look.found) element.name = {};
      slot.looked = before->looked;
      slot.unfed = before->unfed;
    }
    slot.rule = active.user;
  }
  slots_ = std::move(slots);
  next_ = 0;
}

void UserRules::step(Now now, const LiveSource& source) {
  const auto version = source.version();
  std::size_t cost = 0;
  for (std::size_t i = 0; i < slots_.size() && cost < kMostPerStep; ++i) {
    auto& slot = slots_[next_];
    next_ = (next_ + 1) % slots_.size();
    const bool due = !slot.looked || slot.version != version || now.steady - slot.at >= kAtLeast;
    if (!due) continue;
    slot.look = look(*slot.rule, source, source.now());
    slot.looked = true;
    slot.version = version;
    slot.at = now.steady;
    cost += slot.look.cost + slot.rule->selectors().size();
    const auto unfed = unfed_of(slot.rule->root(), source);
    slot.unfed.assign(unfed.begin(), unfed.end());
  }
}

const UserRules::Slot* UserRules::find(const UserRule* rule) const {
  const auto found =
      std::ranges::find_if(slots_, [rule](const Slot& slot) { return slot.rule.get() == rule; });
  return found == slots_.end() ? nullptr : &*found;
}

std::vector<Finding> findings_of(const UserRules::Slot& slot, const std::string& tag,
                                 const RuleInput& input) {
  std::vector<Finding> findings;
  std::set<std::string> subjects;
  bool unique = true;
  for (const auto& element : slot.look.found) {
    auto& finding = findings.emplace_back(finding_of(*slot.rule, element, input));
    finding.threshold = slot.look.threshold;
    finding.subject = subject_of(*element.labels);
    unique = unique && subjects.insert(finding.subject).second;
  }
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (!unique) findings[i].subject = scenario::text_of({}, *slot.look.found[i].labels);
    findings[i].subject += tag;
  }
  return findings;
}

}  // namespace etcdmon::alert
