// app/routing_settings.hpp: who is told of what, as it is written in the configuration.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "alert/routing/route.hpp"
#include "base/result.hpp"
#include "config/schema.hpp"

namespace etcdmon::app {

/// What every route may say. What it leaves out it has from the route above.
struct RouteFields {
  std::string name;
  std::vector<std::string> match;     ///< all must hold; empty: everything
  std::vector<std::string> channels;  ///< "none" alone: nobody
  std::vector<std::string> group_by;
  std::optional<std::chrono::milliseconds> group_wait;
  std::optional<std::chrono::milliseconds> group_interval;
  std::optional<std::chrono::milliseconds> repeat_interval;
  bool go_on = false;
  std::vector<std::string> mute_times;
  std::vector<std::string> active_times;
  std::optional<std::chrono::milliseconds> escalate_after;
  std::vector<std::string> escalate_to;

  std::vector<config::Complaint> check() const;
};

/// A route, and the routes below it: three levels, which is one for severity, cluster and rule.
template <int Below>
struct RouteSettings : RouteFields {
  std::vector<RouteSettings<Below - 1>> routes;
  static const config::Schema& schema();
};
template <>
struct RouteSettings<0> : RouteFields {
  static const config::Schema& schema();
};

struct InhibitSettings {
  std::vector<std::string> source;
  std::vector<std::string> target;
  std::vector<std::string> equal;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// A named time: all that it says must hold.
struct MuteTimeSettings {
  std::string name;
  std::vector<std::string> times;
  std::vector<std::string> weekdays;
  std::vector<std::string> days_of_month;
  std::vector<std::string> months;
  bool local = false;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// `alerts.routing`.
struct RoutingSettings {
  std::vector<std::string> channels;  ///< empty: every channel that is enabled
  std::vector<std::string> group_by{"alertname", "cluster"};
  std::chrono::milliseconds group_wait{0};
  std::chrono::milliseconds group_interval{30'000};
  std::chrono::milliseconds repeat_interval{std::chrono::hours(4)};
  std::chrono::milliseconds dedup_window{std::chrono::minutes(5)};
  std::vector<RouteSettings<2>> routes;
  bool default_inhibit_rules = true;
  std::vector<InhibitSettings> inhibit_rules;
  std::vector<MuteTimeSettings> mute_times;

  static const config::Schema& schema();
};

/// What the router goes by. `enabled` are the channels that there are.
/// Errors: kInvalidArgument: a route names a channel that is not enabled, or a mute time that is
/// not declared; two routes of one level have the same name.
Result<alert::RoutingOptions> routing_options(const RoutingSettings& settings,
                                              const std::vector<std::string>& enabled);

}  // namespace etcdmon::app
