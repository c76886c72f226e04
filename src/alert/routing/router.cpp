#include "alert/routing/router.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alert/engine.hpp"

namespace etcdmon::alert {

namespace {

using model::AlertEvent;
using model::AlertState;

// "root/dba{alertname="NoLeader",cluster="prod"}"
std::string group_key(const Route& route, const std::map<std::string, std::string>& labels,
                      const std::string& alert_id) {
  std::string key = route.name + "{";
  const char* separator = "";
  for (const auto& [name, value] : labels) {
    key += fmt::format("{}{}=\"{}\"", separator, name, value);
    separator = ",";
  }
  return key + (alert_id.empty() ? "}" : "}#" + alert_id);
}

void index(const Route& route, std::map<std::string, const Route*>& routes) {
  routes.emplace(route.name, &route);
  for (const auto& child : route.routes) index(child, routes);
}

}  // namespace

model::NotifiedAlert to_notified(const model::Alert& alert) {
  model::NotifiedAlert out;
  out.id = alert.id;
  out.cluster = alert.cluster;
  out.rule = alert.rule;
  out.subject = alert.subject;
  out.severity = alert.severity;
  out.resolved = alert.state == AlertState::kResolved;
  out.summary = alert.summary;
  out.detail = alert.detail;
  out.value = alert.value;
  out.threshold = alert.threshold;
  out.labels = alert.labels;
  out.runbook = alert.runbook;
  out.starts_at = alert.firing_since.value_or(alert.pending_since);
  out.ends_at = alert.resolved_at;
  return out;
}

Router::Router(RoutingOptions options)
    : options_(std::move(options)), inhibitor_(options_.inhibit) {
  index(options_.root, routes_);
}

Router::~Router() = default;

void Router::take(const AlertEvent& event, Now now) {
  const auto& alert = event.alert;
  if (alert.state == AlertState::kPending) return;
  if (alert.state == AlertState::kResolved) {
    const auto found = firing_.find(alert.id);
    if (found == firing_.end()) return;
    found->second.alert = alert;
    leave(alert.id, now);
    return;
  }
  auto [entry, is_new] = firing_.try_emplace(alert.id);
  auto& known = entry->second;
  // A label that changed may be what routes by: severity is one.
  const bool moved = !is_new && known.alert.labels != alert.labels;
  const auto groups_before = known.groups;
  if (moved) inhibitor_.ends(alert.id, known.alert.labels);
  known.alert = alert;
  inhibitor_.fires(alert.id, alert.labels);
  known.groups.clear();
  join(known, now, known.groups);
  for (const auto& key : groups_before) {
    if (known.groups.contains(key)) continue;
    // It goes on firing elsewhere; who was told here is told that it is over.
    end_in(key, alert.id, now);
  }
}

void Router::join(const Known& known, Now now, std::set<std::string>& groups) {
  const auto& alert = known.alert;
  for (const auto* route : routes_for(options_.root, alert.labels)) {
    const bool alone = route->group_by.size() == 1 && route->group_by.front() == "...";
    std::map<std::string, std::string> labels;
    for (const auto& name : route->group_by) {
      if (alone) break;
      const auto found = alert.labels.find(name);
      labels[name] = found == alert.labels.end() ? std::string() : found->second;
    }
    const auto key = group_key(*route, labels, alone ? alert.id : std::string());
    auto [entry, is_new] = groups_.try_emplace(key);
    auto& group = entry->second;
    touched_.insert(key);
    if (is_new) {
      group.key = key;
      group.route = route->name;
      group.labels = labels;
      group.each_alone = alone;
      group.first_seen = now;
    }
    group.entries[alert.id].alert = to_notified(alert);
    groups.insert(key);
    wake(key, now.steady);
  }
}

void Router::leave(const std::string& alert_id, Now now) {
  const auto found = firing_.find(alert_id);
  const auto known = std::move(found->second);
  firing_.erase(found);
  acknowledgements_.erase(alert_id);
  for (const auto& key : known.groups) end_in(key, alert_id, now);
  // What it muted may be told now.
  if (inhibitor_.ends(alert_id, known.alert.labels)) wake_all(now);
}

void Router::end_in(const std::string& group_key, const std::string& alert_id, Now now) {
  const auto group = groups_.find(group_key);
  if (group == groups_.end()) return;
  auto& alert = group->second.entries[alert_id].alert;
  alert.resolved = true;
  alert.ends_at = now.wall;
  touched_.insert(group_key);
  wake(group_key, now.steady);
}

void Router::wake(const std::string& group_key, SteadyTime at) {
  auto [entry, is_new] = due_at_.try_emplace(group_key, at);
  if (!is_new) {
    if (entry->second <= at) return;
    due_.erase({entry->second, group_key});
    entry->second = at;
  }
  due_.emplace(at, group_key);
}

void Router::wake_all(Now now) {
  for (const auto& [key, group] : groups_) wake(key, now.steady);
}

std::optional<SteadyTime> Router::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

Router::Step Router::step(Now now) {
  Step step;
  while (!due_.empty() && due_.begin()->first <= now.steady) {
    const auto key = due_.begin()->second;
    due_.erase(due_.begin());
    due_at_.erase(key);
    settle(key, now, step);
  }
  std::erase_if(silences_, [now](const auto& entry) {
    return entry.second.ends_at + kSilenceKept < now.wall;
  });
  return step;
}

void Router::settle(const std::string& key, Now now, Step& step) {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return;
  auto& group = found->second;
  const bool changed = touched_.erase(key) > 0;

  const auto* const route = route_named(group.route);
  std::map<std::string, Circumstances> around;
  for (const auto& [id, entry] : group.entries) {
    auto& circumstances = around[id];
    circumstances.muted = !muted_by_labels(entry.alert.labels, now.wall).empty() ||
                          !muted_by_route(*route, now.wall).empty();
    const auto ack = acknowledgements_.find(id);
    if (ack != acknowledgements_.end() && ack->second.active(now.wall))
      circumstances.acknowledged_by = ack->second.by;
  }
  const auto had = group.entries.size();
  auto verdict = settle_group(group, *route, options_.dedup_window, now, around);
  if (verdict.look_again) wake(key, *verdict.look_again);
  if (!changed && !verdict.message && had == group.entries.size()) return;
  step.changed[key] = verdict.over ? std::nullopt : std::optional(group);
  for (const auto& channel : verdict.channels) {
    step.notifications.push_back(*verdict.message);
    step.notifications.back().channel = channel;
  }
  if (verdict.over) groups_.erase(found);
}

std::string Router::muted_by_labels(const Labels& labels, WallTime at) const {
  for (const auto& [id, silence] : silences_) {
    if (silence.active(at) && all_match(silence.matchers, labels)) return "silence " + id;
  }
  if (const auto by = inhibitor_.inhibited_by(labels)) return "inhibited by " + *by;
  return {};
}

std::string Router::muted_by_route(const Route& route, WallTime at) const {
  const auto holds = [&](const std::string& name) {
    return std::ranges::any_of(options_.mute_times, [&](const MuteTime& time) {
      return time.name == name && time.contains(at);
    });
  };
  for (const auto& name : route.mute_times) {
    if (holds(name)) return "mute time " + name;
  }
  if (!route.active_times.empty() && std::ranges::none_of(route.active_times, holds))
    return "outside of the active times of " + route.name;
  return {};
}

std::string Router::muted_by(std::string_view alert_id, WallTime at) const {
  const auto found = firing_.find(alert_id);
  if (found == firing_.end()) return {};
  const auto& labels = found->second.alert.labels;
  if (auto reason = muted_by_labels(labels, at); !reason.empty()) return reason;
  std::string reason;
  for (const auto* route : routes_for(options_.root, labels)) {
    reason = muted_by_route(*route, at);
    if (reason.empty()) return {};  // one that tells is enough
  }
  return reason;
}

std::vector<std::string> Router::told_keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, group] : groups_) {
    const bool told = std::ranges::any_of(group.entries, [](const auto& entry) {
      return entry.second.told && !entry.second.told->resolved;
    });
    if (told) keys.push_back(dedup_key_of(group));
  }
  return keys;
}

const Route* Router::route_named(const std::string& name) const {
  const auto found = routes_.find(name);
  return found == routes_.end() ? &options_.root : found->second;
}

Result<Silence> Router::add_silence(Silence silence, Now now) {
  const auto wrong = [](std::string message) {
    return Error{ErrorCode::kInvalidArgument, std::move(message)};
  };
  if (silence.matchers.empty())
    return wrong("a silence needs a matcher, as alertname=HighLatency or cluster=prod");
  if (silence.ends_at <= silence.starts_at) return wrong("the silence ends before it starts");
  if (silence.ends_at <= now.wall) return wrong("the silence is over already");
  std::string texts;
  for (const auto& matcher : silence.matchers) texts += matcher.text() + ",";
  silence.id = fingerprint(to_rfc3339(now.wall), fmt::format("{}", ++silences_made_), texts);
  silences_.insert_or_assign(silence.id, silence);
  wake_all(now);
  return silence;
}

Result<Silence> Router::expire_silence(std::string_view id, Now now) {
  const auto found = silences_.find(id);
  if (found == silences_.end())
    return Error{ErrorCode::kNotFound, fmt::format("there is no silence \"{}\"", id)};
  found->second.ends_at = std::min(found->second.ends_at, now.wall);
  wake_all(now);
  return found->second;
}

std::vector<Silence> Router::silences() const {
  std::vector<Silence> all;
  all.reserve(silences_.size());
  for (const auto& [id, silence] : silences_) all.push_back(silence);
  std::ranges::sort(all, {}, &Silence::starts_at);
  return all;
}

Result<void> Router::acknowledge(Acknowledgement acknowledgement, Now now) {
  const auto found = firing_.find(acknowledgement.alert_id);
  if (found == firing_.end()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("no alert \"{}\" fires", acknowledgement.alert_id)};
  }
  for (const auto& key : found->second.groups) {
    auto& group = groups_.at(key);
    touched_.insert(key);
    group.entries[acknowledgement.alert_id].acknowledged_news = true;
    wake(key, now.steady);
  }
  acknowledgements_.insert_or_assign(acknowledgement.alert_id, std::move(acknowledgement));
  return {};
}

void Router::restore(std::vector<Group> groups, std::vector<Silence> silences,
                     std::vector<Acknowledgement> acknowledgements, Now now) {
  for (auto& group : groups) {
    const auto key = group.key;
    for (const auto& [id, entry] : group.entries) {
      if (entry.alert.resolved) continue;
      auto& known = firing_[id];
      known.groups.insert(key);
      known.alert.id = id;
      known.alert.labels = entry.alert.labels;
    }
    groups_.insert_or_assign(key, std::move(group));
    wake(key, now.steady);
  }
  for (auto& silence : silences) silences_.insert_or_assign(silence.id, std::move(silence));
  for (auto& ack : acknowledgements)
    acknowledgements_.insert_or_assign(ack.alert_id, std::move(ack));
}

void Router::end_missing(const std::set<std::string>& active, Now now) {
  std::vector<std::string> ended;
  for (const auto& [id, known] : firing_) {
    if (!active.contains(id)) ended.push_back(id);
  }
  for (const auto& id : ended) {
    auto& alert = firing_.find(id)->second.alert;
    alert.state = AlertState::kResolved;
    alert.resolved_at = now.wall;
    leave(id, now);
  }
}

void Router::reload(RoutingOptions options, Now now) {
  options_ = std::move(options);
  routes_.clear();
  index(options_.root, routes_);
  inhibitor_ = Inhibitor(options_.inhibit);
  for (auto& [id, known] : firing_) {
    AlertEvent again{AlertEvent::What::kFiring, known.alert, now.wall};
    inhibitor_.fires(id, known.alert.labels);
    take(again, now);
  }
  wake_all(now);
}

}  // namespace etcdmon::alert
