// alert/user_rules.hpp: the users' rules of one cluster, looked at whenever there is news.
#pragma once

#include <string>
#include <vector>

#include "alert/live_source.hpp"
#include "alert/user_rule.hpp"

namespace etcdmon::alert {

/// Evaluates at most so much at a time that the loop stays free; what had no turn comes first the
/// next time.
///
/// Threads: one owner.
class UserRules {
 public:
  /// Values looked at in one step; about two milliseconds' worth.
  static constexpr std::size_t kMostPerStep = 100'000;
  /// Without news a rule is looked at again after so long: windows slide, and time() goes on.
  static constexpr Duration kAtLeast = std::chrono::seconds(15);

  struct Slot {
    UserRulePtr rule;
    UserLook look;
    bool looked = false;
    std::uint64_t version = 0;  ///< of the series, when it was looked at
    SteadyTime at;
    std::vector<std::string> unfed;  ///< metrics that no member has
  };

  void set(const std::vector<ActiveRule>& rules);
  void step(Now now, const LiveSource& source);
  /// nullptr: not one of them.
  const Slot* find(const UserRule* rule) const;
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  std::vector<Slot> slots_;
  std::size_t next_ = 0;
};

/// What is found now, as the engine takes findings.
std::vector<Finding> findings_of(const UserRules::Slot& slot, const std::string& tag,
                                 const RuleInput& input);

}  // namespace etcdmon::alert
