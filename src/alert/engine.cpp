#include "alert/engine.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::alert {

using model::Alert;
using model::AlertEvent;
using model::AlertState;
using model::Severity;

namespace {

constexpr std::size_t at(Severity severity) {
  return static_cast<std::size_t>(severity);
}

// The highest severity whose limit the value passes.
std::optional<Severity> severity_of(const ActiveRule& active, const Reading& reading) {
  for (std::size_t s = kSeverities; s-- > 0;) {
    const auto& own = active.tuning.limits[s];
    if (own && active.rule->passes(reading.value, reading.limit.value_or(*own)))
      return static_cast<Severity>(s);
  }
  return std::nullopt;
}

// How long a severity must be held; nullopt: this rule does not use it.
std::optional<std::chrono::seconds> wait_of(const ActiveRule& active, std::size_t severity) {
  const bool used = !active.rule->measures() || active.tuning.limits[severity].has_value();
  return used ? std::optional(active.tuning.wait[severity]) : std::nullopt;
}

bool is_worse(const Rule& rule, double value, std::optional<double> than) {
  return !than || (rule.beyond == Rule::Beyond::kAbove ? value > *than : value < *than);
}

// Whether it was this rule that found it.
bool is_of(const Alert& alert, const ActiveRule& active) {
  return active.tuning.enabled && active.rule->name == alert.rule &&
         alert.subject.ends_with(active.tag);
}

}  // namespace

std::string fingerprint(std::string_view cluster, std::string_view rule, std::string_view subject) {
  // FNV-1a, each part closed by a byte that UTF-8 never has, so that ("ab","c") and ("a","bc")
  // differ.
  std::uint64_t hash = 14695981039346656037U;
  const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211U; };
  for (const auto part : {cluster, rule, subject}) {
    for (const char c : part) mix(static_cast<unsigned char>(c));
    mix(0xFF);
  }
  return fmt::format("{:016x}", hash);
}

Engine::Engine(std::string cluster, const std::vector<ActiveRule>& rules)
    : cluster_(std::move(cluster)) {
  set_rules(rules);
}

void Engine::set_rules(const std::vector<ActiveRule>& rules) {
  slots_.clear();
  slots_.reserve(rules.size());
  for (const auto& active : rules) {
    auto& slot = slots_.emplace_back();
    slot.active = active;
    slot.yields_to.assign(slot.active.rule->yields_to.begin(), slot.active.rule->yields_to.end());
  }
  user_rules_.set(rules);
  index();
}

void Engine::restore(EngineState state, SteadyTime patient_until) {
  state_ = std::move(state);
  patient_until_ = patient_until;
  for (auto& [id, record] : state_) record.remembered = true;
  index();
}

void Engine::index() {
  strays_ = false;
  for (auto& slot : slots_) slot.records.clear();
  for (auto& [id, record] : state_) {
    const auto slot = std::ranges::find_if(
        slots_, [&record = record](const Slot& s) { return is_of(record.alert, s.active); });
    if (slot == slots_.end())
      strays_ = true;
    else
      slot->records.push_back(&record);
  }
}

// As of the last step.
std::vector<BlindRule> Engine::blind_rules() const {
  std::vector<BlindRule> blind;
  for (const auto& slot : slots_) {
    const auto& rule = *slot.active.rule;
    if (!slot.active.tuning.enabled) continue;
    const auto* const asked = user_rules_.find(slot.active.user.get());
    if (asked != nullptr && (!asked->unfed.empty() || !asked->look.fault.empty())) {
      blind.push_back({std::string(rule.name) + slot.active.tag, asked->unfed, asked->look.fault});
    } else if (rule.measures() && !slot.has_data && !rule.may_be_blind) {
      blind.push_back({std::string(rule.name), {}, {}, true});
    }
  }
  return blind;
}

std::vector<AlertEvent> Engine::step(Now now, const RuleInput& seen) {
  Events events;
  const auto blind = blind_rules();
  auto input = seen;
  input.blind = blind;
  if (strays_) resolve_strays(now, events);
  if (input.series != nullptr) user_rules_.step(now, *input.series);
  for (auto& slot : slots_) {
    if (!slot.active.tuning.enabled) continue;
    if (slot.active.user) {
      if (!ask_user_rule(slot, now, input, events)) continue;
    } else if (slot.active.rule->measures()) {
      measure(slot, now, input, events);
    } else {
      findings_.clear();
      slot.active.rule->find(input, findings_);
      std::ranges::stable_sort(findings_, {}, &Finding::subject);
      for (auto& finding : findings_) found(slot, finding, now, events);
    }
    settle(slot, now, events);
  }
  return events;
}

// False where it could not be found out: then nothing is taken for over.
bool Engine::ask_user_rule(Slot& slot, Now now, const RuleInput& input, Events& events) {
  const auto* const asked = user_rules_.find(slot.active.user.get());
  if (asked == nullptr || !asked->looked) return false;
  slot.has_data = asked->unfed.empty();
  slot.worst = asked->look.worst;
  slot.worst_subject = asked->look.worst_subject;
  if (!asked->look.fault.empty()) return false;
  for (auto& finding : findings_of(*asked, slot.active.tag, input))
    found(slot, finding, now, events);
  return true;
}

void Engine::measure(Slot& slot, Now now, const RuleInput& input, Events& events) {
  const auto& rule = *slot.active.rule;
  readings_.clear();
  rule.measure(input, memory_, readings_);
  slot.has_data = !readings_.empty();
  slot.worst.reset();
  const Reading* worst = nullptr;
  for (const auto& reading : readings_) {
    if (!is_worse(rule, reading.value, slot.worst)) continue;
    slot.worst = reading.value;
    worst = &reading;
  }
  const bool named = worst != nullptr && worst->member != Reading::kCluster;
  slot.worst_subject = named ? subject_of(input.seen.members[worst->member]) : std::string();

  for (const auto& reading : readings_) {
    const auto severity = severity_of(slot.active, reading);
    if (!severity) continue;
    Finding finding{.severity = *severity, .value = reading.value};
    if (reading.member != Reading::kCluster) {
      const auto& facts = input.seen.members[reading.member];
      finding.subject = subject_of(facts);
      finding.member = facts.entry.id;
    }
    const double limit = reading.limit.value_or(*slot.active.tuning.limits[at(*severity)]);
    finding.threshold = limit;
    // The text follows from the value: it is written anew only with a new one.
    const auto known = std::ranges::find(slot.records, finding.subject, [](const AlertRecord* r) {
      return std::string_view(r->alert.subject);
    });
    if (known != slot.records.end() && (*known)->alert.value == finding.value &&
        (*known)->alert.threshold == finding.threshold) {
      finding.summary = (*known)->alert.summary;
      finding.detail = (*known)->alert.detail;
    } else {
      rule.say(input, reading, limit, finding);
    }
    found(slot, finding, now, events);
  }
}

AlertRecord& Engine::record_of(Slot& slot, const Finding& finding, Now now, Events& events) {
  const auto known = std::ranges::find(slot.records, finding.subject, [](const AlertRecord* r) {
    return std::string_view(r->alert.subject);
  });
  if (known != slot.records.end()) return **known;
  const auto& rule = *slot.active.rule;
  const auto id = fingerprint(cluster_, rule.name, finding.subject);
  auto& record = state_[id];
  slot.records.push_back(&record);
  auto& alert = record.alert;
  alert.id = id;
  alert.cluster = cluster_;
  alert.rule = rule.name;
  alert.subject = finding.subject;
  alert.severity = finding.severity;
  alert.summary = finding.summary;
  alert.detail = finding.detail;
  alert.value = finding.value;
  alert.threshold = finding.threshold;
  alert.runbook = slot.active.user ? finding.runbook : runbook_of(rule.name);
  alert.labels = finding.labels;
  alert.labels["alertname"] = alert.rule;
  alert.labels["cluster"] = cluster_;
  alert.labels.emplace("severity", model::name_of(finding.severity));
  if (!finding.member.none()) alert.labels.emplace("member_id", to_hex(finding.member));
  if (!finding.subject.empty()) alert.labels.emplace("subject", finding.subject);
  alert.pending_since = now.wall;
  record.pending_since = now.steady;
  const bool waits = slot.active.tuning.wait[at(finding.severity)].count() > 0;
  if (waits) events.push_back({AlertEvent::What::kPending, alert, now.wall});
  return record;
}

void Engine::found(Slot& slot, Finding& finding, Now now, Events& events) {
  const auto& fixed = slot.active.tuning.severity;
  if (fixed && !slot.active.rule->measures()) finding.severity = *fixed;
  auto& record = record_of(slot, finding, now, events);
  auto& alert = record.alert;
  record.last_found = now.steady;
  record.remembered = false;
  if (alert.summary != finding.summary) alert.summary = std::move(finding.summary);
  if (alert.detail != finding.detail) alert.detail = std::move(finding.detail);
  alert.value = finding.value;
  alert.threshold = finding.threshold;
  for (std::size_t s = 0; s < kSeverities; ++s) {
    auto& since = record.held_since[s];
    if (s > at(finding.severity))
      since = AlertRecord::kNotHeld;
    else if (since == AlertRecord::kNotHeld)
      since = now.steady;
  }
  ripen(slot, record, finding.severity, now, events);
}

// Which severity has been held for long enough, and whether that is news.
void Engine::ripen(const Slot& slot, AlertRecord& record, Severity severity, Now now,
                   Events& events) {
  auto& alert = record.alert;
  std::optional<Severity> ripe;
  for (std::size_t s = 0; s <= at(severity); ++s) {
    const auto wait = wait_of(slot.active, s);
    // A verdict holds as one thing, whose severity may change; a value holds beyond each limit.
    const auto since = slot.active.rule->measures() ? record.held_since[s] : record.pending_since;
    if (wait && now.steady - since >= *wait) ripe = static_cast<Severity>(s);
  }
  const auto label = [&alert](Severity as) {
    if (alert.severity == as) return;
    alert.severity = as;
    alert.labels["severity"] = model::name_of(as);
  };
  if (alert.state == AlertState::kPending) {
    label(severity);
    if (!ripe || yields(slot, alert)) return;
    label(*ripe);
    alert.state = AlertState::kFiring;
    alert.firing_since = now.wall;
    events.push_back({AlertEvent::What::kFiring, alert, now.wall});
  } else if (ripe) {
    const bool worse = *ripe > alert.severity;
    label(*ripe);
    if (worse) events.push_back({AlertEvent::What::kChanged, alert, now.wall});
  }
}

bool Engine::yields(const Slot& slot, const Alert& alert) const {
  if (slot.yields_to.empty()) return false;
  const auto own = alert.labels.find("member_id");
  return std::ranges::any_of(slots_, [&](const Slot& other) {
    if (other.records.empty() ||
        std::ranges::find(slot.yields_to, other.active.rule->name) == slot.yields_to.end())
      return false;
    return std::ranges::any_of(other.records, [&](const AlertRecord* record) {
      if (record->alert.state != AlertState::kFiring) return false;
      const auto member = record->alert.labels.find("member_id");
      return own == alert.labels.end() || member == record->alert.labels.end() ||
             own->second == member->second;
    });
  });
}

// What was not found in this step: pending alerts are forgotten at once, firing ones after `keep`.
void Engine::settle(Slot& slot, Now now, Events& events) {
  const bool patient = now.steady < patient_until_;
  std::erase_if(slot.records, [&](AlertRecord* record) {
    auto& alert = record->alert;
    if (record->last_found == now.steady) return false;
    // What nobody could look for yet is not over.
    if (patient && record->remembered) return false;
    record->held_since.fill(AlertRecord::kNotHeld);
    const bool firing = alert.state == AlertState::kFiring;
    if (firing && now.steady - record->last_found < slot.active.tuning.keep) return false;
    if (firing) {
      alert.state = AlertState::kResolved;
      alert.resolved_at = now.wall;
      events.push_back({AlertEvent::What::kResolved, alert, now.wall});
    }
    state_.erase(std::string(alert.id));
    return true;
  });
}

void Engine::resolve_strays(Now now, Events& events) {
  strays_ = false;
  for (auto entry = state_.begin(); entry != state_.end();) {
    auto& alert = entry->second.alert;
    const bool stray = std::ranges::none_of(
        slots_, [&alert](const Slot& slot) { return is_of(alert, slot.active); });
    if (!stray) {
      ++entry;
      continue;
    }
    if (alert.state == AlertState::kFiring) {
      alert.state = AlertState::kResolved;
      alert.resolved_at = now.wall;
      events.push_back({AlertEvent::What::kResolved, alert, now.wall});
    }
    entry = state_.erase(entry);
  }
}

std::vector<Alert> Engine::active() const {
  std::vector<Alert> alerts;
  alerts.reserve(state_.size());
  for (const auto& [id, record] : state_) alerts.push_back(record.alert);
  std::ranges::sort(alerts, [](const Alert& a, const Alert& b) {
    return std::tuple(-static_cast<int>(a.severity), std::string_view(a.rule),
                      std::string_view(a.subject)) < std::tuple(-static_cast<int>(b.severity),
                                                                std::string_view(b.rule),
                                                                std::string_view(b.subject));
  });
  return alerts;
}

std::vector<RuleStatus> Engine::status() const {
  std::vector<RuleStatus> out;
  out.reserve(slots_.size());
  for (const auto& slot : slots_) {
    auto& status = out.emplace_back();
    status.rule = &slot.active;
    status.has_data = slot.has_data;
    status.value = slot.worst;
    status.subject = slot.worst_subject;
    if (const auto* asked = user_rules_.find(slot.active.user.get())) {
      status.threshold = asked->look.threshold;
      status.unfed = asked->unfed;
      status.fault = asked->look.fault;
    }
    for (const auto* record : slot.records) {
      ++(record->alert.state == AlertState::kFiring ? status.firing : status.pending);
    }
  }
  return out;
}

}  // namespace etcdmon::alert
