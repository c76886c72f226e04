#include "app/delivery.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "app/alert_records.hpp"
#include "app/channel_trial.hpp"
#include "app/state_directory.hpp"
#include "notify/registry.hpp"
#include "store/json.hpp"

namespace etcdmon::app {

namespace {

using namespace std::chrono_literals;
using model::AlertEvent;

constexpr std::chrono::milliseconds kDiskAway = 1s;
constexpr std::chrono::hours kPruneEvery = 1h;
constexpr std::chrono::milliseconds kCountEvery = 5s;
constexpr std::string_view kOwnName = "name";
constexpr std::string_view kBrokenRule = "ChannelBroken";

std::vector<std::string> enabled_channels(const AlertSettings& alerts) {
  std::vector<std::string> names;
  for (const auto& row : notify::registry()) {
    if (row.common(alerts).enabled) names.emplace_back(row.name);
  }
  return names;
}

// The alert as a record, or what it was.
store::Record record_of(const model::Alert& alert) {
  return {store::Kind::kAlert, alert.id, store::to_json(alert)};
}

// This monitor's name among several: made once, and kept.
Result<std::string> own_name(store::StateStore& store, store::Change& change) {
  ETCDMON_TRY(const auto records, store.load(store::Kind::kMonitor));
  const auto known = std::ranges::find(records, kOwnName, &store::Record::key);
  if (known != records.end()) return known->body;
  std::random_device random;
  auto name = fmt::format("monitor-{:08x}", random());
  change.put.push_back({store::Kind::kMonitor, std::string(kOwnName), name});
  return name;
}

// What people are told of a channel that does not work.
model::Notification broken_notification(const notify::ChannelHealth& health, WallTime now) {
  model::Notification notification;
  auto& alert = notification.alerts.emplace_back();
  alert.id = alert::fingerprint("", kBrokenRule, health.channel);
  alert.cluster = "etcd-monitor";
  alert.rule = kBrokenRule;
  alert.subject = health.channel;
  alert.severity = model::Severity::kCritical;
  alert.resolved = !health.broken;
  alert.summary = health.broken ? fmt::format("alerts do not arrive on {}: {}", health.channel,
                                              health.last_error)
                                : fmt::format("alerts arrive on {} again", health.channel);
  alert.labels = {{"alertname", std::string(kBrokenRule)},
                  {"channel", health.channel},
                  {"severity", "critical"}};
  alert.runbook = alert::runbook_of(kBrokenRule);
  alert.starts_at = health.failing_since.value_or(now);
  if (alert.resolved) alert.ends_at = now;
  notification.group_key = alert.id;
  notification.dedup_key = alert.id;
  notification.status =
      alert.resolved ? model::NotificationStatus::kResolved : model::NotificationStatus::kFiring;
  notification.why = alert.resolved ? model::Why::kResolved : model::Why::kNew;
  notification.created_at = now;
  return notification;
}

}  // namespace

bool Delivery::Receiver::wants(const model::Notification& notification) const {
  if (notification.status == model::NotificationStatus::kResolved && !send_resolved) return false;
  return model::severity_of(notification) >= min_severity;
}

std::vector<Delivery::Receiver> Delivery::receivers_of(const AlertSettings& alerts) {
  std::vector<Receiver> receivers;
  for (const auto& row : notify::registry()) {
    const auto& common = row.common(alerts);
    if (common.enabled)
      receivers.push_back({std::string(row.name), common.min_severity, common.send_resolved});
  }
  return receivers;
}

Result<std::string> state_path(const Settings& settings) {
  const auto directory = state_directory(settings);
  if (!directory) return directory.error();
  if (directory->empty()) return std::string(":memory:");
  return (std::filesystem::path(*directory) / "state.db").string();
}

Result<std::unique_ptr<Delivery>> Delivery::open(Executor executor, const Settings& settings,
                                                 const Logger& logger) {
  ETCDMON_TRY(auto opened, open_all(executor, settings, logger));
  return std::unique_ptr<Delivery>(new Delivery(executor, settings, std::move(opened), logger));
}

Result<Delivery::Opened> Delivery::open_all(Executor executor, const Settings& settings,
                                            const Logger& logger) {
  Opened opened;
  const auto path = state_path(settings);
  if (!path) return path.error();
  ETCDMON_TRY(opened.routing,
              routing_options(settings.alerts.routing, enabled_channels(settings.alerts)));
  ETCDMON_TRY(opened.store, store::StateStore::open({.path = *path}));
  if (settings.queue.type != QueueType::kRedis) return opened;
  auto name = settings.queue.redis.monitor;
  if (name.empty()) {
    ETCDMON_TRY(name, own_name(*opened.store, opened.change));
  }
  ETCDMON_TRY(
      opened.shared,
      SharedQueue::make(settings.queue.redis, std::move(name),
                        {.executor = executor, .spool = opened.store->outbox(), .logger = logger}));
  return opened;
}

Delivery::Delivery(Executor executor, const Settings& settings, Opened opened, const Logger& logger)
    : executor_(executor),
      logger_(logger),
      alerts_(settings.alerts),
      first_cluster_(settings.clusters.front().name),
      receivers_(receivers_of(settings.alerts)),
      retention_(settings.storage.retention),
      store_(std::move(opened.store)),
      shared_(std::move(opened.shared)),
      outbound_(executor),
      http_(outbound_),
      mail_(outbound_),
      worker_(std::make_unique<notify::Worker>(
          executor, outbox(), clock_,
          notify::Worker::Options{.broken_after = settings.alerts.delivery.broken_after,
                                  .give_up_after = settings.alerts.delivery.give_up_after,
                                  .firing = [this] { return firing(); }},
          logger)),
      router_(std::move(opened.routing)),
      scope_(executor, logger) {
  add(std::move(opened.change));
  // What cannot send must say so now, and not when the first alert is to be told.
  const auto leaves = [](const Receiver& receiver) { return receiver.channel != "console"; };
  if (std::ranges::any_of(receivers_, leaves)) outbound_.thread();
  for (const auto& row : notify::registry()) {
    const auto& common = row.common(settings.alerts);
    if (!common.enabled) continue;
    lanes_.push_back({std::string(row.name), row.make(settings.alerts, services()), common.timeout,
                      common.min_severity});
  }
}

Delivery::~Delivery() = default;

Task<Result<api::ChannelTrial>> Delivery::try_channel(std::string channel) {
  const auto row = find_channel(channel);
  if (!row) co_return row.error();
  if (trying_) co_return Error{ErrorCode::kUnavailable, "another test is under way", Cause::kLocal};
  struct Trying {
    bool& flag;
    ~Trying() { flag = false; }
  } trying{trying_};
  trying_ = true;
  auto notification = trial_notification(channel, first_cluster_, clock_.now().wall);
  co_return co_await app::try_channel(**row, alerts_, services(), std::move(notification));
}

Result<alert::EngineState> Delivery::remembered(const std::string& cluster, Now now) {
  auto records = store_->load(store::Kind::kAlert);
  if (!records) return std::move(records).error();
  alert::EngineState state;
  for (const auto& record : *records) {
    auto alert = store::parse_alert(record.body);
    if (!alert) return std::move(alert).error();
    if (alert->cluster != cluster) continue;
    // A wall clock that was set back must not make an alert wait for the time that it went back.
    const auto waited = std::max(now.wall - alert->pending_since, Duration::zero());
    if (alert->state == model::AlertState::kFiring) firing_.emplace(record.key, *alert);
    alert::AlertRecord held{
        .alert = *std::move(alert), .pending_since = now.steady - waited, .last_found = now.steady};
    // It was at least this bad all the time; a worse severity begins to wait anew.
    for (std::size_t s = 0; s <= static_cast<std::size_t>(held.alert.severity); ++s)
      held.held_since[s] = held.pending_since;
    state.emplace(record.key, std::move(held));
    saved_[cluster].insert(record.key);
  }
  return state;
}

Result<void> Delivery::restore(Now now) {
  ETCDMON_TRY(const auto group_records, store_->load(store::Kind::kGroup));
  ETCDMON_TRY(const auto silence_records, store_->load(store::Kind::kSilence));
  ETCDMON_TRY(const auto ack_records, store_->load(store::Kind::kAcknowledgement));
  std::vector<alert::Group> groups;
  for (const auto& record : group_records) {
    ETCDMON_TRY(auto group, parse_group(record, now));
    groups.push_back(std::move(group));
  }
  std::vector<alert::Silence> silences;
  store::Change stale;
  for (const auto& record : silence_records) {
    ETCDMON_TRY(auto silence, parse_silence(record));
    if (silence.ends_at + alert::Router::kSilenceKept < now.wall) {
      stale.remove.push_back({record.kind, record.key});
    } else {
      silences.push_back(std::move(silence));
    }
  }
  add(std::move(stale));
  std::vector<alert::Acknowledgement> acknowledgements;
  for (const auto& record : ack_records) {
    ETCDMON_TRY(auto acknowledgement, parse_acknowledgement(record));
    acknowledgements.push_back(std::move(acknowledgement));
  }
  router_.restore(std::move(groups), std::move(silences), std::move(acknowledgements), now);
  std::set<std::string> active;
  for (const auto& [id, alert] : firing_) {
    router_.take({AlertEvent::What::kFiring, alert, now.wall}, now);
    active.insert(id);
  }
  router_.end_missing(active, now);
  return {};
}

Result<void> Delivery::start(metrics::Registry& registry) {
  if (auto restored = restore(clock_.now()); !restored) return restored;
  worker_->start(
      std::move(lanes_), [this](const notify::ChannelHealth& health) { tell_others(health); },
      registry);
  scope_.spawn("commits to state.db", commit_all());
  scope_.spawn("pruning of state.db", prune());
  scope_.spawn("routing", route_when_due());
  scope_.spawn("counts of the outbox", count_often(registry));
  if (shared_) {
    shared_->add_to(registry);
    scope_.spawn("holding alerts", shared_->hold([this] { return router_.told_keys(); }));
  }
  return {};
}

void Delivery::step(const std::string& cluster, const std::vector<AlertEvent>& events,
                    const alert::EngineState& state) {
  auto& saved = saved_[cluster];
  // A pending alert that goes before its time makes no event, but is no longer there.
  if (events.empty() && saved.size() == state.size()) return;
  const auto now = clock_.now();
  store::Change change;
  for (const auto& id : saved) {
    if (!state.contains(id)) change.remove.push_back({store::Kind::kAlert, id});
  }
  for (const auto& [kind, id] : change.remove) saved.erase(id);
  for (const auto& event : events) {
    const auto& id = event.alert.id;
    if (const auto held = state.find(id); held != state.end()) {
      change.put.push_back(record_of(held->second.alert));
      saved.insert(id);
    }
    if (event.alert.state == model::AlertState::kFiring) {
      firing_.insert_or_assign(id, event.alert);
    } else if (firing_.erase(id) > 0 && router_.acknowledgements().contains(id)) {
      change.remove.push_back({store::Kind::kAcknowledgement, id});
    }
    router_.take(event, now);
  }
  change.history = events;
  route(change, now);
  add(std::move(change));
}

void Delivery::route(store::Change& change, Now now) {
  auto step = router_.step(now);
  for (const auto& [key, group] : step.changed) {
    if (group) {
      change.put.push_back(record_of(*group));
    } else {
      change.remove.push_back({store::Kind::kGroup, key});
    }
  }
  for (auto& notification : step.notifications) {
    const auto receiver = std::ranges::find(receivers_, notification.channel, &Receiver::channel);
    if (receiver != receivers_.end() && receiver->wants(notification))
      change.notifications.push_back(std::move(notification));
  }
  routed_.set();
}

Task<> Delivery::route_when_due() {
  constexpr std::chrono::hours kNothingDue{1};
  while (true) {
    const auto due = router_.next_due();
    routed_.reset();
    const bool changed =
        co_await routed_.wait_until(due.value_or(std::chrono::steady_clock::now() + kNothingDue));
    if (changed) continue;
    store::Change change;
    route(change, clock_.now());
    add(std::move(change));
  }
}

Result<alert::Silence> Delivery::add_silence(alert::Silence silence) {
  const auto now = clock_.now();
  ETCDMON_TRY(auto made, router_.add_silence(std::move(silence), now));
  store::Change change;
  change.put.push_back(record_of(made));
  route(change, now);
  add(std::move(change));
  return made;
}

Result<alert::Silence> Delivery::expire_silence(std::string_view id) {
  const auto now = clock_.now();
  ETCDMON_TRY(auto ended, router_.expire_silence(id, now));
  store::Change change;
  change.put.push_back(record_of(ended));
  route(change, now);
  add(std::move(change));
  return ended;
}

Result<void> Delivery::acknowledge(alert::Acknowledgement acknowledgement) {
  const auto now = clock_.now();
  store::Change change;
  change.put.push_back(record_of(acknowledgement));
  if (auto taken = router_.acknowledge(std::move(acknowledgement), now); !taken) return taken;
  route(change, now);
  add(std::move(change));
  return {};
}

std::vector<model::NotifiedAlert> Delivery::firing() const {
  std::vector<model::NotifiedAlert> all;
  for (const auto& [id, alert] : firing_) all.push_back(alert::to_notified(alert));
  return all;
}

void Delivery::add(store::Change change) {
  if (change.empty()) return;
  unsaved_.push_back(std::move(change));
  added_.set();
}

Task<> Delivery::commit_all() {
  bool away = false;
  while (true) {
    if (unsaved_.empty()) {
      all_saved_.set();
      added_.reset();
      co_await added_.wait();
      continue;
    }
    const auto saved = co_await store_->commit(unsaved_.front());
    if (saved) {
      unsaved_.pop_front();
      worker_->wake();
      if (std::exchange(away, false)) logger_.info("alerts are saved again");
      continue;
    }
    if (!std::exchange(away, true))
      logger_.error("alerts cannot be saved, and are not sent before: they are kept in memory",
                    {{"why", saved.error().message}});
    co_await async::sleep_for(kDiskAway);
  }
}

// Of the channels that are enabled; what waits for another one waits until it is enabled again.
Task<> Delivery::count(metrics::Registry& registry) {
  const auto counts = co_await outbox().counts();
  if (!counts) co_return;
  for (const auto& receiver : receivers_) {
    const auto found = std::ranges::find(*counts, receiver.channel, &store::QueueCount::channel);
    const auto count = found == counts->end() ? store::QueueCount{} : *found;
    const metrics::Labels labels = {{"channel", receiver.channel}};
    registry.gauge("etcdmon_outbox_waiting", "Notifications that wait to be delivered.", labels)
        .set(static_cast<double>(count.waiting));
    registry
        .gauge("etcdmon_outbox_dead_letters", "Notifications that were given up, and are kept.",
               labels)
        .set(static_cast<double>(count.dead));
  }
}

Task<> Delivery::count_often(metrics::Registry& registry) {
  while (true) {
    co_await count(registry);
    co_await async::sleep_for(kCountEvery);
  }
}

Task<> Delivery::prune() {
  while (true) {
    const auto pruned = co_await store_->prune(clock_.now().wall - retention_);
    if (!pruned) logger_.warn("old history was not removed", {{"why", pruned.error().message}});
    co_await async::sleep_for(kPruneEvery);
  }
}

void Delivery::tell_others(const notify::ChannelHealth& health) {
  store::Change change;
  const auto notification = broken_notification(health, clock_.now().wall);
  for (const auto& receiver : receivers_) {
    if (receiver.channel == health.channel) continue;
    if (!health.broken && !receiver.send_resolved) continue;
    auto& told = change.notifications.emplace_back(notification);
    told.channel = receiver.channel;
  }
  add(std::move(change));
}

Task<Result<std::vector<store::DeadLetter>>> Delivery::dead_letters(std::size_t limit) {
  return outbox().dead_letters(limit);
}

Task<Result<void>> Delivery::retry_dead_letter(std::string id) {
  const auto revived = co_await outbox().revive(std::move(id));
  if (revived) worker_->wake();
  co_return revived;
}

Task<Result<void>> Delivery::drop_dead_letter(std::string id) {
  return outbox().drop(std::move(id));
}

void Delivery::start_heartbeat(std::function<std::vector<notify::Pulse>()> look,
                               metrics::Registry& registry) {
  if (!alerts_.heartbeat.enabled) return;
  outbound_.thread();
  const auto gauge = [&](const char* outcome, const std::uint64_t& value) {
    registry.gauge("etcdmon_heartbeats",
                   "Heartbeats since the start: heard, failed, withheld because a cluster was not "
                   "watched.",
                   {{"outcome", outcome}}, [&value] { return static_cast<double>(value); });
  };
  gauge("heard", heartbeat_.heard);
  gauge("failed", heartbeat_.failed);
  gauge("withheld", heartbeat_.withheld);
  auto beating = notify::beat(alerts_.heartbeat, http_, std::move(look), heartbeat_, logger_);
  scope_.spawn("heartbeat", std::move(beating));
}

std::vector<alert::Acknowledgement> Delivery::acknowledgements() const {
  std::vector<alert::Acknowledgement> all;
  for (const auto& [id, acknowledgement] : router_.acknowledgements())
    all.push_back(acknowledgement);
  return all;
}

std::string Delivery::cluster_of(std::string_view alert_id) const {
  const auto found = firing_.find(std::string(alert_id));
  return found == firing_.end() ? std::string() : found->second.cluster;
}

Task<Result<std::vector<AlertEvent>>> Delivery::history(store::HistoryQuery query) {
  co_return co_await store_->history(std::move(query));
}

Task<> Delivery::stop(Deadline deadline) {
  all_saved_.reset();
  if (!unsaved_.empty()) {
    const bool saved = co_await all_saved_.wait_until(deadline);
    if (!saved)
      logger_.error("some alerts were not saved: after a restart they are told once more");
  }
  co_await worker_->stop(deadline);
  co_await scope_.close();
  co_await store_->close(deadline);
}

}  // namespace etcdmon::app
