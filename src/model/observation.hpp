// model/observation.hpp: everything observed of one cluster at one moment: the input of every
// judgement.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "model/member.hpp"

namespace etcdmon::model {

/// One of the endpoints that were configured, and what turned out to stand behind it.
struct EndpointFacts {
  std::string url;
  std::vector<MemberId> answered;  ///< every member id that answered here, in order of appearance
  std::optional<ClusterId> cluster_id;  ///< of the last answer
  std::optional<Error> last_error;      ///< of the last attempt, if it failed
  bool tried = false;
};

enum class AlarmType : std::uint8_t { kNospace, kCorrupt, kUnknown };
struct AlarmEntry {
  MemberId member;
  AlarmType type = AlarmType::kUnknown;
  bool operator==(const AlarmEntry&) const = default;
};

/// The member list that counts: asked linearizably of a member that completed a read through
/// quorum.
struct MembershipFacts {
  std::vector<MemberEntry> members;  ///< empty: never seen
  std::optional<SteadyTime>
      confirmed_at;  ///< when quorum last confirmed it; nullopt: only a local view so far
  std::optional<ClusterId> cluster_id;
};

/// All facts about one cluster. Lists are sorted by member id; unidentified endpoints come last.
///
/// Threads: a value; the collector owns the live one and hands out const references on the loop.
struct Observation {
  std::string cluster;  ///< the configured name
  Now at;

  std::vector<MemberFacts> members;
  MembershipFacts membership;
  std::vector<EndpointFacts> endpoints;

  std::optional<std::vector<AlarmEntry>> alarms;  ///< from the Alarm RPC; nullopt: never answered
  std::optional<SteadyTime> alarms_at;
  bool alarms_not_authorised = false;

  std::uint64_t pulse_rounds = 0;  ///< completed rounds
  bool pulse_on = true;
  /// This process lagged, or every member fell silent in the same instant: the last round says
  /// nothing about the cluster.
  bool round_void = false;
  Duration loop_lag{0};  ///< of the last round
  std::uint64_t voided_rounds = 0;
  std::uint64_t missed_ticks =
      0;  ///< ticks of any cadence that came while the previous one still ran

  std::optional<SteadyTime> last_health_check;
  std::optional<WallTime> last_health_check_wall;
  bool auth_required = false;        ///< some answer said so
  std::optional<Error> login_error;  ///< Authenticate failed
};

}  // namespace etcdmon::model
