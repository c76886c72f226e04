#include "alert/rule_settings.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "config/suggest.hpp"

namespace etcdmon::config {

namespace {

using alert::Unit;
using alert::WrittenLimit;

std::optional<double> whole_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool fine = error == std::errc{} && stop == end && std::isfinite(value) && value >= 0;
  return fine ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<WrittenLimit> Codec<WrittenLimit>::parse(const Node& node) {
  const auto text = detail::any_text(node);
  if (!text) return text.error();
  if (*text == "off") return WrittenLimit{.off = true};
  if (const auto number = whole_number(*text)) return WrittenLimit{.value = *number};
  const auto with_unit = [&](std::string_view suffix, Unit unit) -> std::optional<WrittenLimit> {
    if (!text->ends_with(suffix)) return std::nullopt;
    const auto number = whole_number(text->substr(0, text->size() - suffix.size()));
    if (!number) return std::nullopt;
    return WrittenLimit{.value = *number, .unit = unit};
  };
  if (const auto limit = with_unit("%", Unit::kPercent)) return *limit;
  if (const auto limit = with_unit("/s", Unit::kPerSecond)) return *limit;
  if (const auto span = parse_duration(*text)) {
    return WrittenLimit{.value = std::chrono::duration<double>(*span).count(),
                        .unit = Unit::kSeconds};
  }
  return detail::bad_value(
      fmt::format("\"{}\" is not a limit; write off, or a number with the rule's unit: 95%, 10ms, "
                  "0.1/s, 1000",
                  *text));
}

Node Codec<WrittenLimit>::show(const WrittenLimit& value) {
  if (value.off) return Node::plain("off");
  switch (value.unit) {
    case Unit::kSeconds:
      return Node::plain(format_duration(std::chrono::duration_cast<std::chrono::nanoseconds>(
          std::chrono::duration<double>(value.value))));
    case Unit::kPercent:
      return Node::plain(fmt::format("{}%", value.value));
    case Unit::kPerSecond:
      return Node::plain(fmt::format("{}/s", value.value));
    case Unit::kNone:
      break;
  }
  return Node::plain(fmt::format("{}", value.value));
}

}  // namespace etcdmon::config

namespace etcdmon::alert {

namespace {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;

std::vector<const Rule*> rules_named(std::string_view name) {
  std::vector<const Rule*> out;
  if (const auto* rule = find_rule(name)) out.push_back(rule);
  for (const auto& alias : aliases()) {
    if (alias.name == name) out.push_back(find_rule(alias.rule));
  }
  return out;
}

Fault name_fault(const std::string& name) {
  if (!rules_named(name).empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& rule : catalogue()) names.emplace_back(rule.name);
  for (const auto& alias : aliases()) names.emplace_back(alias.name);
  const auto near = config::closest(name, names);
  return fmt::format(
      "there is no rule \"{}\"{}", name,
      near.empty() ? "; docs/rules.md has them all" : fmt::format("; did you mean {}?", near));
}

Fault limit_fault(const Rule& rule, const WrittenLimit& limit) {
  if (limit.off || limit.unit == rule.unit) return std::nullopt;
  // A number alone is fine where the unit says no more than that.
  if (rule.unit == Unit::kPerSecond && limit.unit == Unit::kNone) return std::nullopt;
  constexpr double kExample = 10;
  return fmt::format("is a limit like {}", to_text(rule.unit, kExample));
}

void check_limits(const RuleSettings& settings, const Rule& rule,
                  std::vector<Complaint>& complaints) {
  const auto look = [&](const char* key, const std::optional<WrittenLimit>& limit) {
    if (!limit) return;
    if (!rule.measures()) {
      complaints.push_back(
          {key, fmt::format("{} has no limits; set `severity`, `for` or `enabled`", rule.name)});
    } else if (auto fault = limit_fault(rule, *limit)) {
      complaints.push_back({key, *std::move(fault)});
    }
  };
  look("info", settings.info);
  look("warning", settings.warning);
  look("critical", settings.critical);
}

UserRuleText text_of(const RuleSettings& settings) {
  return {.alert = settings.alert,
          .expr = settings.expr,
          .wait = settings.wait.value_or(std::chrono::seconds(0)),
          .keep = settings.keep.value_or(std::chrono::seconds(0)),
          .labels = settings.labels,
          .annotations = settings.annotations,
          .origin = {}};
}

void check_own(const RuleSettings& settings, std::vector<Complaint>& complaints) {
  if (!settings.name.empty())
    complaints.push_back({"name", "is for a built-in rule, `alert` for one of your own: keep one"});
  const auto refuse = [&](const char* key, bool is_set) {
    if (is_set)
      complaints.push_back({key, "is for built-in rules; compare in `expr`, a rule a limit"});
  };
  refuse("info", settings.info.has_value());
  refuse("warning", settings.warning.has_value());
  refuse("critical", settings.critical.has_value());
  if (settings.severity)
    complaints.push_back({"severity", "of a rule of your own stands under `labels`"});
  std::vector<UserRuleFault> faults;
  (void)UserRule::make(text_of(settings), faults);
  for (auto& fault : faults) complaints.push_back({std::move(fault.key), std::move(fault.message)});
}

// Behind the subjects of alerts, where rules share a name: what tells the rules apart.
std::string tag_of(const UserRuleText& text, std::map<std::string, int>& tags) {
  std::string tag;
  for (const auto& [name, value] : text.labels)
    tag += fmt::format("{}{}={}", tag.empty() ? "" : ", ", name, value);
  const int before = tags[text.alert + '\n' + tag]++;
  if (before != 0) tag += fmt::format("{}#{}", tag.empty() ? "" : " ", before + 1);
  return fmt::format(" [{}]", tag);
}

void add_users(std::vector<UserRuleText> texts, std::vector<ActiveRule>& rules) {
  std::map<std::string, int> names;
  std::map<std::string, int> tags;
  for (const auto& text : texts) ++names[text.alert];
  for (auto& active : rules) {
    if (names.contains(std::string(active.rule->name))) active.tuning.enabled = false;
  }
  for (auto& text : texts) {
    auto tag = names[text.alert] > 1 ? tag_of(text, tags) : std::string();
    std::vector<UserRuleFault> faults;
    auto user = UserRule::make(std::move(text), faults);
    if (!user) continue;
    const auto& rule = user->rule();
    rules.push_back({&rule, rule.tuning, std::move(user), std::move(tag)});
  }
}

void apply(const RuleSettings& settings, Tuning& tuning) {
  const auto set = [&](model::Severity severity, const std::optional<WrittenLimit>& limit) {
    if (!limit) return;
    auto& own = tuning.limits[static_cast<std::size_t>(severity)];
    own = limit->off ? std::nullopt : std::optional(limit->value);
  };
  if (settings.enabled) tuning.enabled = *settings.enabled;
  set(model::Severity::kInfo, settings.info);
  set(model::Severity::kWarning, settings.warning);
  set(model::Severity::kCritical, settings.critical);
  if (settings.wait) tuning.wait.fill(*settings.wait);
  if (settings.keep) tuning.keep = *settings.keep;
  if (settings.severity) tuning.severity = settings.severity;
}

}  // namespace

const Schema& RuleSettings::schema() {
  using T = RuleSettings;
  using namespace std::chrono_literals;
  static const auto kSchema = Schema::of<T>(
      "Alerts",
      {field("name", &T::name, "A built-in rule, to change it: docs/rules.md has them all.")
           .rule(name_fault)
           .applies_live(),
       field("alert", &T::alert, "A rule of your own instead: what its alerts are called.")
           .applies_live(),
       field("expr", &T::expr,
             "Of a rule of your own: an expression in PromQL; each of its series is an alert.")
           .applies_live(),
       field("labels", &T::labels,
             "Of a rule of your own: labels of its alerts, severity above all.")
           .applies_live(),
       field("annotations", &T::annotations,
             "Of a rule of your own: summary, description, runbook_url; {{ $labels.member }} and "
             "{{ $value }} stand for what was found.")
           .applies_live(),
       field("enabled", &T::enabled, "Whether it is evaluated at all.").applies_live(),
       field("info", &T::info, "From where on it is an info; off: never. In the rule's unit.")
           .applies_live(),
       field("warning", &T::warning, "From where on it is a warning; off: never.").applies_live(),
       field("critical", &T::critical, "From where on it is critical; off: never.").applies_live(),
       field("for", &T::wait, "How long it must hold before it fires.").max(24h).applies_live(),
       field("keep_firing_for", &T::keep, "How long it fires on after it last held.")
           .max(24h)
           .applies_live(),
       field("severity", &T::severity,
             "Instead of the one found; for rules on verdicts, which have no limits.")
           .applies_live()});
  return kSchema;
}

std::vector<Complaint> RuleSettings::check() const {
  std::vector<Complaint> complaints;
  const bool own = !alert.empty() || !expr.empty() || !labels.empty() || !annotations.empty();
  if (own) {
    check_own(*this, complaints);
    return complaints;
  }
  if (name.empty()) {
    complaints.push_back(
        {"name",
         "is needed: which built-in rule is meant? A rule of your own begins with `alert`"});
    return complaints;
  }
  for (const auto* rule : rules_named(name)) {
    check_limits(*this, *rule, complaints);
    if (severity && rule->measures()) {
      complaints.push_back(
          {"severity",
           fmt::format("{} has limits: set `info`, `warning` and `critical`, or turn them off",
                       rule->name)});
    }
    if (rule->absence && wait && *wait < Rule::kAbsence) {
      complaints.push_back(
          {"for", fmt::format("must be at least {} for {}: restarts take that long",
                              format_duration(Rule::kAbsence), rule->name)});
    }
  }
  return complaints;
}

std::vector<ActiveRule> tuned_rules(const Thresholds& thresholds,
                                    std::span<const RuleSettings> common,
                                    std::span<const RuleSettings> own,
                                    std::span<const UserRuleText> files) {
  auto rules = default_rules(thresholds);
  std::vector<UserRuleText> texts;
  for (const auto& settings : {common, own}) {
    for (const auto& change : settings) {
      if (!change.alert.empty() && change.enabled.value_or(true)) texts.push_back(text_of(change));
      for (const auto* rule : rules_named(change.name))
        apply(change, std::ranges::find(rules, rule, &ActiveRule::rule)->tuning);
    }
  }
  texts.insert(texts.end(), files.begin(), files.end());
  add_users(std::move(texts), rules);
  return rules;
}

}  // namespace etcdmon::alert
