// alert/routing/silence.hpp: what operators say about alerts: silences and acknowledgements.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alert/label_matcher.hpp"
#include "base/clock.hpp"

namespace etcdmon::alert {

/// Alerts that match are not told about from `starts_at` until `ends_at`; a maintenance window is
/// one for a whole cluster. What was told before still gets its "resolved".
struct Silence {
  std::string id;                      ///< given by the router
  std::vector<LabelMatcher> matchers;  ///< never empty
  WallTime starts_at;
  WallTime ends_at;
  std::string created_by;
  std::string comment;

  bool active(WallTime at) const { return starts_at <= at && at < ends_at; }
};

/// Somebody looks after it: no repeats, no escalation. Ends with the alert, or at `until`.
struct Acknowledgement {
  std::string alert_id;
  std::string by;
  std::string comment;
  WallTime at;
  std::optional<WallTime> until;

  bool active(WallTime now) const { return !until || now < *until; }
};

}  // namespace etcdmon::alert
