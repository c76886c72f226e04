#include "collect/collector.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/when_all.hpp"
#include "collect/discovery.hpp"

namespace etcdmon::collect {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

// A sick cluster is not asked more often than this, whatever changes.
constexpr seconds kHealthCheckGap{5};
constexpr seconds kCloserLook{2};
constexpr seconds kAlarmInterval{300};
constexpr seconds kAlarmHintGap{10};
// How long after a changed view of the leader the members are asked again: two answers that agree
// count.
constexpr milliseconds kSettle{50};

std::shared_ptr<etcd::TokenSource> tokens_for(const etcd::Credentials& credentials) {
  return credentials.user.empty() ? nullptr : etcd::make_token_source(credentials);
}

}  // namespace

Collector::Collector(Executor executor, net::Resolver& resolver, Schedule& schedule,
                     CollectOptions options, const Logger& logger)
    : executor_(executor),
      resolver_(resolver),
      schedule_(schedule),
      logger_(logger.with({"cluster", options.cluster})),
      scope_(executor, logger_),
      context_{.executor = executor,
               .resolver = resolver,
               .options = std::move(options),
               .tokens = nullptr,
               .privileged_tokens = nullptr,
               .logger = logger_,
               .scope = scope_,
               .changed = {},
               .answered = {},
               .failed = {}} {
  context_.tokens = tokens_for(context_.options.credentials);
  context_.privileged_tokens = tokens_for(context_.options.privileged);
  if (!context_.privileged_tokens) context_.privileged_tokens = context_.tokens;
  for (const auto& url : context_.options.endpoints)
    endpoints_.push_back({.url = url, .answered = {}, .cluster_id = {}, .last_error = {}});
}

Collector::~Collector() = default;

void Collector::start(std::function<void(Urgency)> on_change) {
  on_change_ = std::move(on_change);
  context_.changed = [this](Urgency urgency) {
    if (on_change_) on_change_(urgency);
  };
  context_.answered = [this](const std::string& url, const model::StatusSample& sample) {
    answered(url, sample);
  };
  context_.failed = [this](const std::string& url, const Error& error) { failed(url, error); };
  if (!context_.options.discovery_srv.empty()) scope_.spawn("discovery", discover());
  replan();

  const auto& options = context_.options;
  const auto every = [this](milliseconds interval, std::string_view what, auto method) {
    const auto phase = phase_of(context_.options.cluster + "/" + std::string(what), interval);
    const auto id = schedule_.every(
        interval, phase, [this, method](const Timeline::Due& due) { (this->*method)(due); });
    jobs_.push_back(id);
    return id;
  };
  // The first round does not wait for its phase: the first verdict is due within half a second.
  const auto now = steady_clock::now();
  const auto pulse_interval =
      options.pulse_interval.count() > 0 ? options.pulse_interval : options.health_check_interval;
  schedule_.bring_forward(every(pulse_interval, "pulse", &Collector::tick_pulse), now);
  health_job_ = every(options.health_check_interval, "health", &Collector::tick_health);
  if (options.hash_check_interval.count() > 0)
    every(options.hash_check_interval, "hash", &Collector::tick_hash);
}

Task<> Collector::stop() {
  on_change_ = {};
  for (const auto id : jobs_) schedule_.cancel(id);
  for (const auto& [watch, id] : metrics_jobs_) schedule_.cancel(id);
  jobs_.clear();
  metrics_jobs_.clear();
  auto watches = std::exchange(watches_, {});
  watches.insert(watches.end(), retiring_.begin(), retiring_.end());
  scope_.cancel();
  for (std::size_t i = 0; i < watches.size(); ++i) co_await watches[i]->retire();
  co_await scope_.close();
}

std::vector<KnownEndpoint> Collector::known_endpoints() const {
  std::vector<KnownEndpoint> known;
  for (const auto& endpoint : endpoints_) {
    known.push_back({endpoint.url, endpoint.answered.empty()
                                       ? std::nullopt
                                       : std::optional(endpoint.answered.front())});
  }
  return known;
}

void Collector::answered(const std::string& url, const model::StatusSample& sample) {
  const auto endpoint = std::ranges::find(endpoints_, url, &model::EndpointFacts::url);
  if (endpoint != endpoints_.end()) {
    endpoint->tried = true;
    endpoint->last_error.reset();
    endpoint->cluster_id = sample.cluster_id;
    if (std::ranges::find(endpoint->answered, sample.member_id) == endpoint->answered.end()) {
      constexpr std::size_t kKept = 16;
      if (endpoint->answered.size() < kKept) endpoint->answered.push_back(sample.member_id);
      replan_wanted_ = true;
    }
  }
  if (!membership_.cluster_id) membership_.cluster_id = sample.cluster_id;
  // The first one that answers leads to all members: whoever hangs is not waited for.
  if (membership_.members.empty()) hurry_health_check();
}

void Collector::failed(const std::string& url, const Error& error) {
  const auto endpoint = std::ranges::find(endpoints_, url, &model::EndpointFacts::url);
  if (endpoint == endpoints_.end()) return;
  endpoint->tried = true;
  endpoint->last_error = error;
}

void Collector::adopt_members(std::vector<model::MemberEntry> members) {
  if (members == membership_.members) return;
  membership_.members = std::move(members);
  replan();
  if (on_change_) on_change_(Urgency::kNow);
}

void Collector::replan() {
  replan_wanted_ = false;
  auto targets = plan_targets(membership_.members, known_endpoints());
  auto old = std::exchange(watches_, {});
  const auto take = [&old](auto matches) -> std::shared_ptr<MemberWatch> {
    const auto found = std::ranges::find_if(old, matches);
    if (found == old.end()) return nullptr;
    auto watch = std::move(*found);
    old.erase(found);
    return watch;
  };
  Watches newcomers;
  for (auto& target : targets) {
    const auto id = target.entry.id;
    auto watch = take([id](const auto& w) { return !id.none() && w->id() == id; });
    // A stranger who turned out to be this member keeps its connection.
    if (!watch && !target.urls.empty()) {
      watch = take([&target](const auto& w) {
        return w->id().none() && w->has_url() && w->url() == target.urls.front();
      });
    }
    if (watch) {
      watch->update(std::move(target));
    } else {
      watch = std::make_shared<MemberWatch>(context_, std::move(target));
      watch->start();
      newcomers.push_back(watch);
    }
    watches_.push_back(watch);
    schedule_metrics(watch);
    if (watch->facts().entry.started())
      scope_.spawn("advertised url", watch, watch->check_advertised());
  }
  greet(newcomers);
  for (const auto& watch : old) retire(watch);
  std::ranges::stable_sort(watches_, [](const auto& a, const auto& b) {
    if (a->id().none() != b->id().none()) return b->id().none();
    return a->id() < b->id();
  });
}

// A round under way may wait for somebody who hangs.
void Collector::greet(const Watches& newcomers) {
  if (newcomers.empty()) return;
  if (!round_running_) {
    scope_.spawn("first pulse", pulse_round(Duration::zero()));
    return;
  }
  for (const auto& watch : newcomers) scope_.spawn("first pulse", first_pulse(watch));
}

Task<> Collector::first_pulse(std::shared_ptr<MemberWatch> watch) {
  co_await watch->pulse();
  if (on_change_) on_change_(Urgency::kNow);
}

void Collector::schedule_metrics(const std::shared_ptr<MemberWatch>& watch) {
  if (metrics_jobs_.contains(watch.get()) || watch->id().none()) return;
  const auto interval = context_.options.metrics_interval;
  const auto phase = phase_of(
      fmt::format("{}/{}/metrics", context_.options.cluster, to_hex(watch->id())), interval);
  const auto id = schedule_.every(
      interval, phase, [this, watch](const Timeline::Due& due) { tick_metrics(watch, due); });
  metrics_jobs_.emplace(watch.get(), id);
  // The first page comes at once, not after up to an interval.
  schedule_.bring_forward(id, steady_clock::now());
}

void Collector::retire(const std::shared_ptr<MemberWatch>& watch) {
  if (const auto job = metrics_jobs_.extract(watch.get())) schedule_.cancel(job.mapped());
  retiring_.push_back(watch);
  scope_.spawn("retire member", retired(watch));
}

Task<> Collector::retired(std::shared_ptr<MemberWatch> watch) {
  co_await watch->retire();
  std::erase(retiring_, watch);
}

Task<> Collector::discover() {
  auto found = co_await discover_endpoints(resolver_, context_.options.discovery_srv,
                                           context_.options.discovery_srv_name,
                                           !context_.options.plain_by_default);
  if (!found) {
    logger_.error("no endpoints found by DNS",
                  {{"domain", context_.options.discovery_srv}, {"why", found.error().message}});
    co_await async::sleep_for(seconds(10));
    scope_.spawn("discovery", discover());
    co_return;
  }
  for (const auto& url : *found) {
    const bool known =
        std::ranges::any_of(endpoints_, [&url](const auto& e) { return e.url == url; });
    if (!known)
      endpoints_.push_back({.url = url, .answered = {}, .cluster_id = {}, .last_error = {}});
  }
  replan();
}

void Collector::tick_pulse(const Timeline::Due& due) {
  const Duration lag = steady_clock::now() - due.scheduled;
  missed_ticks_ += due.missed;
  if (round_running_) {
    ++missed_ticks_;
    return;
  }
  scope_.spawn("pulse", pulse_round(lag));
}

Task<> Collector::pulse_round(Duration lag) {
  if (round_running_) co_return;
  round_running_ = true;
  std::vector<Task<bool>> pulses;
  const Watches asked = watches_;
  for (const auto& watch : asked) {
    if (!watch->busy()) pulses.push_back(watch->pulse());
  }
  const auto voided = co_await async::when_all(std::move(pulses));
  round_running_ = false;
  loop_lag_ = lag;
  round_void_ = lag > MemberWatch::kOwnLag || std::ranges::find(voided, true) != voided.end();
  if (round_void_) ++voided_rounds_;
  ++pulse_rounds_;

  const bool doubt = in_doubt();
  if (doubt) {
    for (const auto& watch : watches_) {
      if (watch->answering()) scope_.spawn("read in doubt", watch, watch->linearizable_read());
    }
  }
  const bool waiting = std::ranges::any_of(watches_, [](const auto& watch) {
    return !watch->id().none() && !watch->facts().entry.started();
  });
  // A member that starts is seen in the list only.
  if (doubt != was_in_doubt_ || waiting || membership_.members.empty()) hurry_health_check();
  was_in_doubt_ = doubt;

  bool view_changed = false;
  for (const auto& watch : watches_) view_changed |= watch->take_leader_view_changed();
  if (view_changed && !settling_) scope_.spawn("settle", settle_leader_view());
  if (alarms_hinted()) scope_.spawn("alarms", ask_alarms());
  if (replan_wanted_) replan();
  if (on_change_) on_change_(Urgency::kNow);
}

Task<> Collector::settle_leader_view() {
  settling_ = true;
  co_await async::sleep_for(kSettle);
  settling_ = false;
  co_await pulse_round(Duration::zero());
}

// Somebody is silent or leaderless, or two claim to lead: whether there still is one quorum must be
// asked, not guessed.
bool Collector::in_doubt() const {
  const auto leaders = std::ranges::count_if(watches_, [](const auto& watch) {
    const auto& status = watch->facts().status;
    return status && status->is_leader();
  });
  return leaders > 1 || std::ranges::any_of(watches_, [](const auto& watch) {
           const auto& facts = watch->facts();
           if (facts.entry.id.none() || facts.entry.learner || !watch->has_url()) return false;
           if (!facts.pulse || !facts.pulse->ok() || !facts.answered_by.none()) return true;
           if (facts.status && facts.status->leader.none()) return true;
           return facts.linearizable_read && !facts.linearizable_read->ok();
         });
}

void Collector::hurry_health_check() {
  const auto now = steady_clock::now();
  auto when = now;
  if (last_health_start_) when = std::max(now, *last_health_start_ + kHealthCheckGap);
  schedule_.bring_forward(health_job_, when);
}

void Collector::look_closer() {
  const auto now = steady_clock::now();
  for (const auto& [watch, job] : metrics_jobs_) {
    const auto& last = watch->facts().scrape;
    schedule_.bring_forward(job, last ? std::max(now, last->sent + kCloserLook) : now);
  }
}

void Collector::tick_health(const Timeline::Due& due) {
  missed_ticks_ += due.missed;
  if (health_running_) {
    ++missed_ticks_;
    return;
  }
  scope_.spawn("health check", health_round());
}

Task<> Collector::health_round() {
  std::vector<Task<>> checks;
  const Watches asked = watches_;
  for (const auto& watch : asked) {
    if (!membership_.members.empty() || watch->answering()) checks.push_back(watch->health_check());
  }
  if (checks.empty()) co_return;
  health_running_ = true;
  last_health_start_ = steady_clock::now();
  co_await async::when_all(std::move(checks));
  co_await confirm_membership();
  if (!alarms_tried_ || steady_clock::now() - *alarms_tried_ >= kAlarmInterval)
    co_await ask_alarms();
  health_running_ = false;
  last_health_ = SystemClock{}.now();
  if (on_change_) on_change_(Urgency::kNow);
}

// The list that counts comes from a member that has just completed a read through quorum: its
// applied state is then as new as the quorum's, also on 3.4, where MemberList itself is always
// local.
Task<> Collector::confirm_membership() {
  const Watches asked = watches_;
  for (const auto& watch : asked) {
    const auto& facts = watch->facts();
    const bool fresh = last_health_start_ && facts.linearizable_read &&
                       facts.linearizable_read->ok() &&
                       facts.linearizable_read->sent >= *last_health_start_;
    if (!fresh) continue;
    const auto reply = co_await watch->quorum_members(steady_clock::now() + seconds(2));
    if (!reply) continue;
    if (membership_.cluster_id && reply->header.cluster_id != *membership_.cluster_id) continue;
    membership_.cluster_id = reply->header.cluster_id;
    membership_.confirmed_at = steady_clock::now();
    adopt_members(reply->members);
    co_return;
  }
  if (!membership_.members.empty()) co_return;
  // Nobody can confirm; a local view is better than knowing no members at all.
  for (const auto& watch : asked) {
    if (!watch->facts().local_members) continue;
    adopt_members(*watch->facts().local_members);
    co_return;
  }
}

bool Collector::alarms_hinted() const {
  if (asking_alarms_) return false;
  if (alarms_tried_ && steady_clock::now() - *alarms_tried_ < kAlarmHintGap) return false;
  bool shown = false;
  bool answered = false;
  for (const auto& watch : watches_) {
    if (!watch->facts().status) continue;
    answered = true;
    shown |= !etcd::alarms_in(watch->facts().status->errors).empty();
  }
  const bool listed = alarms_ && !alarms_->empty();
  return answered && shown != listed;
}

bool Collector::alarms_are_dear() const {
  return std::ranges::any_of(watches_, [](const auto& watch) {
    const auto& status = watch->facts().status;
    return status && etcd::alarm_list_harms(status->version);
  });
}

Task<> Collector::ask_alarms() {
  if (asking_alarms_ || alarms_are_dear()) co_return;
  asking_alarms_ = true;
  alarms_tried_ = steady_clock::now();
  const Watches asked = watches_;
  for (const auto& watch : asked) {
    const auto& status = watch->facts().status;
    if (!watch->answering() || !status || status->leader.none() || watch->facts().entry.learner)
      continue;
    const auto reply = co_await watch->alarms(steady_clock::now() + seconds(3));
    if (reply) {
      alarms_ = reply->alarms;
      alarms_at_ = steady_clock::now();
      alarms_not_authorised_ = false;
    } else {
      alarms_not_authorised_ = etcd::is_not_authorised(reply.error());
    }
    break;
  }
  asking_alarms_ = false;
  if (on_change_) on_change_(Urgency::kSoon);
}

void Collector::tick_metrics(const std::shared_ptr<MemberWatch>& watch, const Timeline::Due& due) {
  missed_ticks_ += due.missed;
  scope_.spawn("scrape", metrics_round(watch));
}

Task<> Collector::metrics_round(std::shared_ptr<MemberWatch> watch) {
  const auto timeout =
      std::min<milliseconds>(context_.options.metrics_interval, milliseconds(5'000));
  co_await watch->scrape(timeout);
  if (!context_.options.node_exporter_url.empty()) co_await watch->scrape_node(timeout);
}

model::Observation Collector::observe(Now now) const {
  model::Observation seen;
  seen.cluster = context_.options.cluster;
  seen.at = now;
  seen.members.reserve(watches_.size());
  for (const auto& watch : watches_) seen.members.push_back(watch->facts());
  seen.membership = membership_;
  seen.endpoints = endpoints_;
  seen.alarms = alarms_;
  seen.alarms_at = alarms_at_;
  seen.alarms_not_authorised = alarms_not_authorised_;
  seen.pulse_rounds = pulse_rounds_;
  seen.pulse_on = context_.options.pulse_interval.count() > 0;
  seen.round_void = round_void_;
  seen.loop_lag = loop_lag_;
  seen.voided_rounds = voided_rounds_;
  seen.missed_ticks = missed_ticks_;
  if (last_health_) {
    seen.last_health_check = last_health_->steady;
    seen.last_health_check_wall = last_health_->wall;
  }
  seen.auth_required = std::ranges::any_of(watches_, [](const auto& watch) {
    const auto& pulse = watch->facts().pulse;
    return pulse && pulse->error && etcd::is_not_authorised(*pulse->error);
  });
  if (context_.tokens) seen.login_error = etcd::last_login_error(*context_.tokens);
  return seen;
}

std::vector<model::MemberView> Collector::member_views(Now now) const {
  std::vector<model::MemberView> views;
  views.reserve(watches_.size());
  for (const auto& watch : watches_) views.push_back(watch->view(now));
  return views;
}

std::vector<std::shared_ptr<const series::LabelledSeries>> Collector::wanted_series() const {
  std::vector<std::shared_ptr<const series::LabelledSeries>> out;
  out.reserve(watches_.size());
  for (const auto& watch : watches_) out.push_back(watch->wanted().series());
  return out;
}

std::size_t Collector::wanted_left_out() const {
  std::size_t count = 0;
  for (const auto& watch : watches_) count += watch->wanted().left_out();
  return count;
}

void Collector::want(const WantedPtr& wanted) {
  context_.options.wanted = wanted;
  for (const auto& watch : watches_) watch->want(wanted);
}

}  // namespace etcdmon::collect
