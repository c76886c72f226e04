// alert/routing/inhibit.hpp: alerts that go without saying while another one fires.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alert/label_matcher.hpp"

namespace etcdmon::alert {

/// While an alert that matches `source` fires, those that match `target` and have the same values
/// of the `equal` labels are muted. One that matches both sides is never muted by that rule.
struct InhibitRule {
  std::vector<LabelMatcher> source;
  std::vector<LabelMatcher> target;
  std::vector<std::string> equal;
};

/// Quorum lost mutes what follows from it; a busy or defragmenting backend mutes its member's slow
/// reads; a monitor that suspects itself mutes what it says about members.
std::vector<InhibitRule> default_inhibit_rules();

/// Knows which sources fire, so that asking costs nothing per alert that fires.
class Inhibitor {
 public:
  explicit Inhibitor(std::vector<InhibitRule> rules)
      : sources_(rules.size()), rules_(std::move(rules)) {}

  /// True where a source came or went.
  bool fires(const std::string& alert_id, const Labels& labels);
  bool ends(const std::string& alert_id, const Labels& labels);
  /// The id of an alert that mutes this one.
  std::optional<std::string> inhibited_by(const Labels& labels) const;

 private:
  std::vector<std::map<std::string, std::set<std::string>>>
      sources_;  ///< per rule: by equal labels
  std::vector<InhibitRule> rules_;
};

}  // namespace etcdmon::alert
