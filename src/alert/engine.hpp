// alert/engine.hpp: rules over time: pending, firing, resolved.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "alert/rule.hpp"
#include "alert/user_rules.hpp"
#include "model/alert.hpp"

namespace etcdmon::alert {

/// What must outlive a restart: a value that can be copied and saved.
struct AlertRecord {
  static constexpr SteadyTime kNotHeld = SteadyTime::max();

  model::Alert alert;
  SteadyTime pending_since;
  SteadyTime last_found;
  /// Since when it has been at least this bad, by severity.
  std::array<SteadyTime, kSeverities> held_since{kNotHeld, kNotHeld, kNotHeld};
  bool remembered = false;  ///< from before a restart, and not found since
};
using EngineState = std::map<std::string, AlertRecord>;  ///< by alert id

/// How a rule stands, for those who look at the rules and not at the alerts.
struct RuleStatus {
  const ActiveRule* rule = nullptr;
  bool has_data = false;            ///< a verdict's rule always has
  std::optional<double> value;      ///< the worst of the last readings
  std::string subject;              ///< whose that is
  std::optional<double> threshold;  ///< what a user's rule compares that with
  std::vector<std::string> unfed;   ///< metrics of a user's rule that no member has
  std::string fault;                ///< why a user's rule cannot be evaluated
  std::size_t pending = 0;
  std::size_t firing = 0;
};

/// The alerts of one cluster.
///
/// Pure but for its state: the same steps give the same events. A finding becomes pending, fires
/// once it has held for the rule's wait without a gap, and resolves `keep` after it was last found.
/// A severity fires after its own wait, so a warning may become critical by time alone. Times count
/// on the steady clock, so a stepped wall clock changes nothing.
///
/// Threads: the loop only.
class Engine {
 public:
  explicit Engine(std::string cluster, const std::vector<ActiveRule>& rules = default_rules());

  /// One look at the cluster. Events are in the order of the rules, then of the subjects.
  std::vector<model::AlertEvent> step(Now now, const RuleInput& seen);

  /// Pending and firing alerts, the most severe first, then by rule and subject.
  std::vector<model::Alert> active() const;
  /// As of the last step, in the order of the rules. Valid until the next set_rules().
  std::vector<RuleStatus> status() const;

  /// Other limits, from the next step on. Alerts of rules that are off now resolve then.
  void set_rules(const std::vector<ActiveRule>& rules);

  const EngineState& state() const { return state_; }
  /// Until `patient_until` an alert that is not found is neither resolved nor forgotten: after a
  /// restart a rule may need a while to see again what it saw before.
  void restore(EngineState state, SteadyTime patient_until = {});

 private:
  using Events = std::vector<model::AlertEvent>;
  struct Slot {
    ActiveRule active;
    std::vector<std::string> yields_to;
    std::vector<AlertRecord*> records;  ///< of this rule, in state_
    bool has_data = true;
    std::optional<double> worst;
    std::string worst_subject;
  };

  void measure(Slot& slot, Now now, const RuleInput& input, Events& events);
  bool ask_user_rule(Slot& slot, Now now, const RuleInput& input, Events& events);
  void found(Slot& slot, Finding& finding, Now now, Events& events);
  AlertRecord& record_of(Slot& slot, const Finding& finding, Now now, Events& events);
  void ripen(const Slot& slot, AlertRecord& record, model::Severity severity, Now now,
             Events& events);
  bool yields(const Slot& slot, const model::Alert& alert) const;
  std::vector<BlindRule> blind_rules() const;
  void settle(Slot& slot, Now now, Events& events);
  void resolve_strays(Now now, Events& events);
  void index();

  std::string cluster_;
  std::vector<Slot> slots_;
  EngineState state_;
  RuleMemory memory_;
  UserRules user_rules_;
  bool strays_ = false;  ///< state_ may hold alerts of rules that are not there
  std::vector<Finding> findings_;
  std::vector<Reading> readings_;
  SteadyTime patient_until_{};
};

/// Identity of an alert: 16 hex digits of a stable hash over cluster, rule and subject.
std::string fingerprint(std::string_view cluster, std::string_view rule, std::string_view subject);

}  // namespace etcdmon::alert
