// alert/routing/route.hpp: who is told of which alert, and how often: values made from the
// configuration.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "alert/label_matcher.hpp"
#include "alert/routing/inhibit.hpp"
#include "alert/routing/mute_time.hpp"
#include "base/clock.hpp"

namespace etcdmon::alert {

/// One node of the tree. An alert goes down to the first child that matches, and further ones only
/// past children that `go_on`; where no child matches, it stays here.
struct Route {
  std::string name;  ///< stands in the keys of its groups, so it must stay the same: "root/db-team"
  std::vector<LabelMatcher> matchers;
  std::vector<std::string> channels;  ///< by configured name
  /// Alerts with the same values of these labels share a message. "..." alone: each alert has its
  /// own.
  std::vector<std::string> group_by{"alertname", "cluster"};
  Duration group_wait{0};  ///< before the first message of a group
  Duration group_interval{
      std::chrono::seconds(30)};  ///< between news of a group that nobody needs at once
  Duration repeat_interval{std::chrono::hours(4)};
  bool go_on = false;
  std::vector<std::string> mute_times;     ///< silent in these
  std::vector<std::string> active_times;   ///< and outside of these, if there are any
  std::optional<Duration> escalate_after;  ///< a critical alert that nobody acknowledged
  std::vector<std::string> escalate_to;    ///< channels that are told then, besides
  std::vector<Route> routes;
};

struct RoutingOptions {
  Route root{.name = "root"};
  std::vector<InhibitRule> inhibit = default_inhibit_rules();
  std::vector<MuteTime> mute_times;
  /// What fires again so soon after it was told of waits until this long after.
  Duration dedup_window{std::chrono::minutes(5)};
};

/// The nodes that an alert with these labels ends at, in the order of the tree. Never empty.
std::vector<const Route*> routes_for(const Route& root, const Labels& labels);

}  // namespace etcdmon::alert
