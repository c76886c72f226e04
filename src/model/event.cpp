#include "model/event.hpp"

namespace etcdmon::model {

std::string_view name_of(EventKind kind) {
  switch (kind) {
    case EventKind::kLeaderChanged:
      return "leader_changed";
    case EventKind::kLeaderLost:
      return "leader_lost";
    case EventKind::kMemberDown:
      return "member_down";
    case EventKind::kMemberUp:
      return "member_up";
    case EventKind::kMemberReconnected:
      return "member_reconnected";
    case EventKind::kMemberRestarted:
      return "member_restarted";
    case EventKind::kMemberAdded:
      return "member_added";
    case EventKind::kMemberRemoved:
      return "member_removed";
    case EventKind::kMemberPromoted:
      return "member_promoted";
    case EventKind::kMemberRenamed:
      return "member_renamed";
    case EventKind::kAlarmRaised:
      return "alarm_raised";
    case EventKind::kAlarmCleared:
      return "alarm_cleared";
    case EventKind::kDefragStarted:
      return "defrag_started";
    case EventKind::kDefragEnded:
      return "defrag_ended";
    case EventKind::kVersionChanged:
      return "version_changed";
    case EventKind::kAuthRequired:
      return "auth_required";
    case EventKind::kVerdictRaised:
      return "verdict_raised";
    case EventKind::kVerdictCleared:
      return "verdict_cleared";
    case EventKind::kClockStepped:
      return "clock_stepped";
  }
  return "leader_changed";
}

}  // namespace etcdmon::model
