#include "alert/rule_settings.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

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
      {field("name", &T::name, "The rule: docs/rules.md has them all.")
           .rule(name_fault)
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
  if (name.empty()) {
    complaints.push_back({"name", "is needed: which rule is meant?"});
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
                                    std::span<const RuleSettings> own) {
  auto rules = default_rules(thresholds);
  for (const auto& settings : {common, own}) {
    for (const auto& change : settings) {
      for (const auto* rule : rules_named(change.name))
        apply(change, std::ranges::find(rules, rule, &ActiveRule::rule)->tuning);
    }
  }
  return rules;
}

}  // namespace etcdmon::alert
