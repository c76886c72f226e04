// model/event.hpp: things that happened to a cluster: elections, restarts, member changes, alarms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "model/verdict.hpp"

namespace etcdmon::model {

enum class EventKind : std::uint8_t {
  kLeaderChanged,
  kLeaderLost,
  kMemberDown,
  kMemberUp,
  kMemberReconnected,
  kMemberRestarted,
  kMemberAdded,
  kMemberRemoved,
  kMemberPromoted,
  kMemberRenamed,
  kAlarmRaised,
  kAlarmCleared,
  kDefragStarted,
  kDefragEnded,
  kVersionChanged,
  kAuthRequired,
  kVerdictRaised,
  kVerdictCleared,
  kClockStepped,
};
std::string_view name_of(EventKind kind);  ///< "leader_changed"

struct Event {
  EventKind kind{};
  Severity severity = Severity::kInfo;
  std::string cluster;
  MemberId member;      ///< none(): about the cluster
  std::string subject;  ///< the member's name, or what the verdict is about
  std::string text;     ///< one line for people
  WallTime at;
};

}  // namespace etcdmon::model
