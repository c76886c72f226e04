// model/alert.hpp: a rule's finding over time: pending, firing, resolved.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/verdict.hpp"

namespace etcdmon::model {

enum class AlertState : std::uint8_t { kPending, kFiring, kResolved };
std::string_view name_of(AlertState state);

struct Alert {
  std::string id;  ///< fingerprint: hash of cluster, rule and subject, 16 hex digits; never changes
  std::string cluster;
  std::string rule;  ///< "MemberUnreachable", "HighLatency"
  std::string subject;
  Severity severity = Severity::kWarning;
  AlertState state = AlertState::kPending;
  std::string summary;
  std::string detail;
  std::optional<double> value;      ///< what the rule saw
  std::optional<double> threshold;  ///< what it was held against
  std::map<std::string, std::string> labels;
  std::string runbook;  ///< URL or path of the page about this rule; empty if none
  WallTime pending_since;
  std::optional<WallTime> firing_since;
  std::optional<WallTime> resolved_at;
};

/// A change of state that somebody may want to be told about.
struct AlertEvent {
  enum class What : std::uint8_t { kPending, kFiring, kChanged, kResolved };
  What what = What::kFiring;
  Alert alert;
  WallTime at;
};
std::string_view name_of(AlertEvent::What what);

}  // namespace etcdmon::model
