// api/rest/common.hpp: what several JSON pages say in the same way.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_writer.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::api::rest {

/// "leader_id":17,"leader_id_hex":"11"; both null for none().
template <class Tag>
void write_id(JsonWriter& json, std::string_view name, HexId<Tag> id) {
  std::optional<std::uint64_t> number;
  if (!id.none()) number = id.value;
  json.member(name, number);
  json.member_or_null(std::string(name) + "_hex", id.none() ? std::string() : to_hex(id));
}

/// RFC 3339; null for the epoch, which nobody observed.
void write_time(JsonWriter& json, std::string_view name, WallTime time);
void write_time(JsonWriter& json, std::string_view name, std::optional<WallTime> time);
/// A moment of the steady clock, shown on the wall clock as it stands at the view's moment.
void write_time(JsonWriter& json, std::string_view name, const Now& at, SteadyTime time);

double milliseconds(Duration duration);
double seconds(Duration duration);
/// From `since` to the view's moment; null where it is not set.
std::optional<double> seconds_since(const Now& at, SteadyTime since);

/// "healthy", "unhealthy" or "unknown".
std::string_view state_of(const model::ClusterView& view);
/// The name by which people know it: the member's name, else its endpoint, else its id.
std::string display_name(const model::MemberFacts& facts);
/// The name of a member by id; empty if it is not in the view.
std::string name_in(const model::ClusterView& view, MemberId id);

/// Alarms as every answer that is at least as new says them: from Status where a member answered
/// after the Alarm RPC did, else from that. nullopt: nobody has said anything.
std::optional<std::vector<model::AlarmEntry>> known_alarms(const model::Observation& seen);
std::string_view name_of(model::AlarmType type);  ///< "NOSPACE"

/// The lowest and highest etcd version that members have told; empty strings if none has.
std::pair<std::string, std::string> version_range(const model::Observation& seen);

/// True where the cluster itself is cut, not only our path to it.
bool is_cut(const model::PartitionAssessment& partition);

/// Where the page about a check is.
std::string runbook_of(model::Check check);

/// `"cluster":…,"view_version":…,"timestamp":…`: the opening of every page about one cluster.
void write_heading(JsonWriter& json, const model::ClusterView& view);

}  // namespace etcdmon::api::rest
