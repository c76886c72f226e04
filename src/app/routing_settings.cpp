#include "app/routing_settings.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::app {

namespace {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;
using namespace std::chrono_literals;

Fault matcher_fault(const std::string& text) {
  const auto matcher = alert::LabelMatcher::parse(text);
  return matcher ? std::nullopt : Fault(matcher.error().message);
}

// A field of the base, declared for the route itself.
template <class T, class M>
config::FieldOf<T, M> of(std::string name, M RouteFields::* member, std::string doc) {
  return field(std::move(name), static_cast<M T::*>(member), std::move(doc));
}

template <class T>
std::vector<config::Field> route_fields() {
  return {
      of<T>("name", &RouteFields::name,
            "What it is called in messages and in the state: it should not change. Empty: its "
            "place."),
      of<T>("match", &RouteFields::match,
            "Conditions on an alert's labels, as severity=critical or rule=~\"Member.*\"; all must "
            "hold. Labels are rule, cluster, severity, subject, and those of user rules.")
          .rule(matcher_fault),
      of<T>("channels", &RouteFields::channels,
            "Who is told. Empty: as above; \"none\" alone: nobody."),
      of<T>("group_by", &RouteFields::group_by,
            "Alerts with the same values of these labels share a message. \"...\" alone: each "
            "alert has its own."),
      of<T>("group_wait", &RouteFields::group_wait, "Time before a group's first message."),
      of<T>("group_interval", &RouteFields::group_interval, "Time between news of a group.")
          .min(1s),
      of<T>("repeat_interval", &RouteFields::repeat_interval,
            "An alert that nobody acknowledged is told again after so long.")
          .min(1min),
      of<T>("continue", &RouteFields::go_on, "Whether the routes after it are tried as well."),
      of<T>("mute_times", &RouteFields::mute_times, "Nobody is told in these, by name."),
      of<T>("active_times", &RouteFields::active_times, "Nobody is told outside of these."),
      of<T>("escalate_after", &RouteFields::escalate_after,
            "A critical alert that nobody acknowledged for so long goes to `escalate_to` as well.")
          .min(1s),
      of<T>("escalate_to", &RouteFields::escalate_to, "Channels.")};
}

template <class T>
Schema route_schema() {
  auto fields = route_fields<T>();
  if constexpr (requires { &T::routes; })
    fields.push_back(field("routes", &T::routes, "Routes below it."));
  return Schema::of<T>("Alerts", std::move(fields));
}

}  // namespace

template <int Below>
const Schema& RouteSettings<Below>::schema() {
  static const auto kSchema = route_schema<RouteSettings<Below>>();
  return kSchema;
}
const Schema& RouteSettings<0>::schema() {
  static const auto kSchema = route_schema<RouteSettings<0>>();
  return kSchema;
}
template struct RouteSettings<1>;
template struct RouteSettings<2>;

std::vector<Complaint> RouteFields::check() const {
  if (escalate_after.has_value() == !escalate_to.empty()) return {};
  return {{"escalate_after", "and escalate_to need each other"}};
}

const Schema& InhibitSettings::schema() {
  using T = InhibitSettings;
  static const auto kSchema = Schema::of<T>(
      "Alerts", {field("source", &T::source, "While an alert fires that meets these conditions …")
                     .rule(matcher_fault),
                 field("target", &T::target, "… nobody is told of those that meet these …")
                     .rule(matcher_fault),
                 field("equal", &T::equal, "… and have the same values of these labels.")});
  return kSchema;
}

std::vector<Complaint> InhibitSettings::check() const {
  std::vector<Complaint> complaints;
  if (source.empty()) complaints.push_back({"source", "needs a condition"});
  if (target.empty()) complaints.push_back({"target", "needs a condition"});
  return complaints;
}

const Schema& MuteTimeSettings::schema() {
  using T = MuteTimeSettings;
  static const auto kSchema = Schema::of<T>(
      "Alerts",
      {field("name", &T::name, "What routes call it."),
       field("times", &T::times, "Times of the day: 22:00-06:00."),
       field("weekdays", &T::weekdays, "Days of the week: mon-fri, sunday."),
       field("days_of_month", &T::days_of_month, "Days of the month: 1, 1-7; -1 is the last one."),
       field("months", &T::months, "Months: 12, june-august."),
       field("local", &T::local, "In the machine's own time zone, else UTC.")});
  return kSchema;
}

namespace {

Result<alert::TimeInterval> interval_of(const MuteTimeSettings& settings) {
  return alert::TimeInterval::parse({.times = settings.times,
                                     .weekdays = settings.weekdays,
                                     .days_of_month = settings.days_of_month,
                                     .months = settings.months,
                                     .local = settings.local});
}

}  // namespace

std::vector<Complaint> MuteTimeSettings::check() const {
  std::vector<Complaint> complaints;
  if (name.empty()) complaints.push_back({"name", "is needed: routes refer to it"});
  if (const auto interval = interval_of(*this); !interval)
    complaints.push_back({{}, interval.error().message});
  return complaints;
}

const Schema& RoutingSettings::schema() {
  using T = RoutingSettings;
  static const auto kSchema = Schema::of<T>(
      "Alerts",
      {field("channels", &T::channels,
             "Who is told of what no route below takes. Empty: every channel that is enabled; "
             "\"none\" alone: nobody."),
       field("group_by", &T::group_by,
             "Alerts with the same values of these labels share a message. \"...\" alone: each "
             "alert has its own."),
       field("group_wait", &T::group_wait, "Time before a group's first message."),
       field("group_interval", &T::group_interval,
             "Time between news of a group. What is worse than all that was told does not wait.")
           .min(1s),
       field("repeat_interval", &T::repeat_interval,
             "An alert that nobody acknowledged is told again after so long.")
           .min(1min),
       field("dedup_window", &T::dedup_window,
             "What fires again so soon after it was told of waits until then."),
       field("routes", &T::routes, "The first one whose conditions hold takes the alert."),
       field("default_inhibit_rules", &T::default_inhibit_rules,
             "Nobody is told of what follows from a lost quorum, of slow reads of a member that "
             "defragments, and of members while the monitor suspects itself."),
       field("inhibit_rules", &T::inhibit_rules, "More of the kind."),
       field("mute_times", &T::mute_times, "Times that routes are silent in.")});
  return kSchema;
}

namespace {

// Turns the written routes into the router's.
class Builder {
 public:
  Builder(const std::vector<std::string>& enabled, const std::vector<MuteTimeSettings>& times)
      : enabled_(enabled.begin(), enabled.end()) {
    for (const auto& time : times) times_.insert(time.name);
  }

  template <class T>
  alert::Route route(const alert::Route& above, const T& settings, std::size_t place) {
    auto made = one(above, settings, place);
    if constexpr (requires { settings.routes; }) made.routes = routes(made, settings.routes);
    return made;
  }

  template <class T>
  std::vector<alert::Route> routes(const alert::Route& above, const std::vector<T>& list) {
    std::vector<alert::Route> made;
    std::set<std::string> names;
    for (const auto& settings : list) {
      made.push_back(route(above, settings, made.size() + 1));
      if (!names.insert(made.back().name).second)
        fail(fmt::format("two routes are called {}", made.back().name));
    }
    return made;
  }

  std::vector<std::string> channels(const std::vector<std::string>& names,
                                    const std::string& route) {
    if (names == std::vector<std::string>{"none"}) return {};
    for (const auto& name : names) {
      if (enabled_.contains(name)) continue;
      fail(fmt::format("{} tells \"{}\", which is no channel that is enabled", route, name));
    }
    return names;
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  void fail(std::string message) {
    if (!error_)
      error_ = Error{ErrorCode::kInvalidArgument, "alerts.routing: " + std::move(message)};
  }

  alert::Route one(const alert::Route& above, const RouteFields& settings, std::size_t place) {
    alert::Route made;
    made.name = fmt::format("{}/{}", above.name,
                            settings.name.empty() ? std::to_string(place) : settings.name);
    // Its syntax was checked when it was read.
    if (auto matchers = alert::parse_matchers(settings.match)) made.matchers = *std::move(matchers);
    made.channels = settings.channels.empty() ? above.channels
                                              : channels(settings.channels, "route " + made.name);
    made.group_by = settings.group_by.empty() ? above.group_by : settings.group_by;
    const auto or_above = [](const auto& value, Duration inherited) {
      return value ? Duration(*value) : inherited;
    };
    made.group_wait = or_above(settings.group_wait, above.group_wait);
    made.group_interval = or_above(settings.group_interval, above.group_interval);
    made.repeat_interval = or_above(settings.repeat_interval, above.repeat_interval);
    made.go_on = settings.go_on;
    made.mute_times = times(settings.mute_times, made.name);
    made.active_times = times(settings.active_times, made.name);
    made.escalate_after = above.escalate_after;
    made.escalate_to = above.escalate_to;
    if (settings.escalate_after) {
      made.escalate_after = *settings.escalate_after;
      made.escalate_to = channels(settings.escalate_to, "route " + made.name);
    }
    return made;
  }

  std::vector<std::string> times(const std::vector<std::string>& names, const std::string& route) {
    for (const auto& name : names) {
      if (!times_.contains(name))
        fail(
            fmt::format("route {} names the mute time \"{}\", which is not declared", route, name));
    }
    return names;
  }

  std::set<std::string> enabled_;
  std::set<std::string> times_;
  std::optional<Error> error_;
};

}  // namespace

Result<alert::RoutingOptions> routing_options(const RoutingSettings& settings,
                                              const std::vector<std::string>& enabled) {
  alert::RoutingOptions options;
  Builder builder(enabled, settings.mute_times);
  auto& root = options.root;
  root.channels =
      settings.channels.empty() ? enabled : builder.channels(settings.channels, "routing");
  root.group_by = settings.group_by;
  root.group_wait = settings.group_wait;
  root.group_interval = settings.group_interval;
  root.repeat_interval = settings.repeat_interval;
  root.routes = builder.routes(root, settings.routes);
  if (builder.error()) return *builder.error();
  options.dedup_window = settings.dedup_window;
  if (!settings.default_inhibit_rules) options.inhibit.clear();
  for (const auto& rule : settings.inhibit_rules) {
    ETCDMON_TRY(auto source, alert::parse_matchers(rule.source));
    ETCDMON_TRY(auto target, alert::parse_matchers(rule.target));
    options.inhibit.push_back({std::move(source), std::move(target), rule.equal});
  }
  for (const auto& time : settings.mute_times) {
    ETCDMON_TRY(auto interval, interval_of(time));
    options.mute_times.push_back({time.name, {std::move(interval)}});
  }
  return options;
}

}  // namespace etcdmon::app
