// alert/rule.hpp: what a rule is: a name, what it looks at, and what it holds that against.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/units.hpp"
#include "model/cluster_view.hpp"
#include "model/verdict.hpp"

namespace etcdmon::alert {

class LiveSource;
class UserRule;

/// The limits that have flags of their own.
struct Thresholds {
  std::chrono::milliseconds max_latency{
      100};  ///< median of the linearizable-read probe over one minute
  Bytes max_db_size{std::uint64_t{8192} << 20U};  ///< held against min(this, the member's quota)
  int min_available_nodes = 2;                    ///< acts as min(voters, max(this, quorum))
  int max_leader_changes = 3;                     ///< per hour

  bool operator==(const Thresholds&) const = default;
};

/// A rule that sees nothing, and why.
struct BlindRule {
  std::string name;
  std::vector<std::string> missing;  ///< metrics of a user's rule that no member has
  std::string fault;                 ///< why a user's rule cannot be evaluated
  bool built_in = false;
};

/// All that a rule may look at.
struct RuleInput {
  const model::Observation& seen;
  const model::Assessment& assessment;
  const std::vector<model::MemberView>& members;  ///< same order as seen.members
  const Thresholds& thresholds;
  /// When the newest backup that could be verified was made; nullopt: nobody said.
  std::optional<WallTime> last_backup = {};
  /// For users' rules; nullptr: none are kept.
  const LiveSource* series = nullptr;
  /// Rules that could not look at anything in the step before.
  std::span<const BlindRule> blind = {};
};

/// What rules remember from one look to the next.
struct RuleMemory {
  struct Compaction {
    double revision = 0;  ///< up to which history was compacted
    double head = 0;      ///< the store's revision when that was first seen
    SteadyTime since;
  };
  std::optional<Compaction> compaction;
};

/// "This holds now", for one subject.
struct Finding {
  std::string
      subject;  ///< member name, endpoint or empty for the cluster: part of the alert's identity
  MemberId member;
  model::Severity severity = model::Severity::kWarning;
  std::string summary;  ///< one line
  std::string detail;
  std::optional<double> value;
  std::optional<double> threshold;
  std::map<std::string, std::string> labels = {};  ///< besides those that every alert has
  std::string runbook = {};                        ///< instead of the rule's own page
};

/// One measured value, whether it is good or bad.
struct Reading {
  static constexpr std::size_t kCluster = SIZE_MAX;
  std::size_t member = kCluster;  ///< index in RuleInput::members
  double value = 0;
  std::optional<double> limit =
      {};  ///< instead of the rule's own, where it follows from the cluster
};

/// How a rule's values are written for people.
enum class Unit : std::uint8_t { kNone, kSeconds, kPercent, kPerSecond };
std::string to_text(Unit unit, double value);

inline constexpr std::size_t kSeverities = 3;
using Limits = std::array<std::optional<double>, kSeverities>;  ///< by severity; nullopt: not used
using Waits = std::array<std::chrono::seconds, kSeverities>;    ///< by severity

/// What an operator may set of a rule.
struct Tuning {
  bool enabled = true;
  Limits limits;
  Waits wait{};                             ///< how long it must hold before it fires
  std::chrono::seconds keep{};              ///< how long it fires on after it was last found
  std::optional<model::Severity> severity;  ///< instead of the one found; of rules that find

  bool operator==(const Tuning&) const = default;
};

/// One row of the catalogue.
///
/// A rule either finds (verdicts, which carry their own hysteresis), or measures: then the highest
/// severity whose limit the value passes counts, each after its own wait. A user's rule has
/// neither: its expression says what is found.
struct Rule {
  using Find = void (*)(const RuleInput& input, std::vector<Finding>& findings);
  using Measure = void (*)(const RuleInput& input, RuleMemory& memory,
                           std::vector<Reading>& readings);
  /// Writes summary and detail for a value that is beyond `limit`.
  using Say = void (*)(const RuleInput& input, const Reading& reading, double limit,
                       Finding& finding);
  enum class Beyond : std::uint8_t { kAbove, kBelow };

  std::string_view name;
  std::string_view help;  ///< one sentence: when it fires
  Tuning tuning;
  Find find = nullptr;
  Measure measure = nullptr;
  Say say = nullptr;
  Unit unit = Unit::kNone;
  Beyond beyond = Beyond::kAbove;
  /// Rules that tell the same with more evidence: while one of them fires for the same member or
  /// for the cluster, this one stays pending. They stand further up in the catalogue.
  std::span<const std::string_view> yields_to;
  /// Without anything to measure all is well: what it looks at need not be there.
  bool may_be_blind = false;
  /// One member's absence: no page before kAbsence.
  bool absence = false;

  static constexpr std::chrono::seconds kAbsence{60};

  bool measures() const { return measure != nullptr; }
  bool passes(double value, double limit) const {
    return beyond == Beyond::kAbove ? value > limit : value < limit;
  }
};

/// Every built-in rule.
std::span<const Rule> catalogue();
const Rule* find_rule(std::string_view name);

/// A second name under which a rule is known, in the configuration and to those who look for it.
struct Alias {
  std::string_view name;
  std::string_view rule;
};
std::span<const Alias> aliases();

/// A rule as it is in force for one cluster.
struct ActiveRule {
  const Rule* rule = nullptr;
  Tuning tuning;
  std::shared_ptr<const UserRule> user = {};  ///< a user's rule, which `rule` is a view of
  /// Behind the subject of its alerts, where several of the users' rules have one name.
  std::string tag = {};
};
/// The catalogue with its defaults and the limits that have flags.
std::vector<ActiveRule> default_rules(const Thresholds& thresholds = {});

/// "docs/runbooks/NoLeader.md": where an alert of this rule is explained.
std::string runbook_of(std::string_view rule);

/// The member's name, or its id where it has none.
std::string subject_of(const model::MemberFacts& facts);

}  // namespace etcdmon::alert
