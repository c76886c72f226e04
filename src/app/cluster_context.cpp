#include "app/cluster_context.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alert/user_rule.hpp"
#include "collect/scrape/derive.hpp"
#include "collect/scrape/wanted_series.hpp"

namespace etcdmon::app {

namespace {

// Answers that come in together are judged together.
constexpr std::chrono::milliseconds kGather{30};
// `for` clauses and silences of time go on even when nothing answers.
constexpr std::chrono::seconds kAtLeast{1};
constexpr std::size_t kEventsKept = 200;
// How long alerts wait at start-up for the list of members.
constexpr std::chrono::seconds kStrangers{5};
// After a restart: until windows of a minute are full again.
constexpr std::chrono::seconds kPatience{90};

collect::JudgeOptions judge_options_of(const collect::CollectOptions& options) {
  return {.pulse_interval = options.pulse_interval,
          .health_check_interval = options.health_check_interval,
          .metrics_interval = options.metrics_interval,
          .election_timeout = options.election_timeout};
}

collect::WantedPtr wanted_of(const std::vector<alert::ActiveRule>& rules) {
  const auto needs = alert::needs_of(rules);
  return collect::Wanted::of({needs.metrics.begin(), needs.metrics.end()}, needs.reach);
}

ClusterOptions with_wanted(ClusterOptions options) {
  options.collect.wanted = wanted_of(options.rules);
  return options;
}

model::ClusterViewPtr empty_view(const std::string& cluster) {
  auto view = std::make_shared<model::ClusterView>();
  view->cluster = cluster;
  view->observation.cluster = cluster;
  return view;
}

}  // namespace

ClusterContext::ClusterContext(Executor executor, net::Resolver& resolver,
                               collect::Schedule& schedule, ClusterOptions options,
                               const Logger& logger)
    : options_(with_wanted(std::move(options))),
      judge_options_(judge_options_of(options_.collect)),
      scope_(executor, logger),
      collector_(executor, resolver, schedule, options_.collect, logger),
      judged_(collect::make_judge_state()),
      engine_(options_.collect.cluster, options_.rules),
      view_(empty_view(options_.collect.cluster)) {}

ClusterContext::~ClusterContext() = default;

void ClusterContext::start(Listener listener) {
  listener_ = std::move(listener);
  started_ = std::chrono::steady_clock::now();
  collector_.start([this](collect::Urgency urgency) {
    const auto now = std::chrono::steady_clock::now();
    step_by_ = std::min(step_by_, urgency == collect::Urgency::kNow ? now : now + kGather);
    changed_.set();
  });
  scope_.spawn("pipeline of " + name(), run());
}

Task<> ClusterContext::stop() {
  co_await scope_.close();
  co_await collector_.stop();
}

ClusterContext::Memory ClusterContext::take_memory() {
  return {std::move(judged_), engine_.state(), std::move(events_), version_};
}

void ClusterContext::resume(Memory memory) {
  judged_ = std::move(memory.judged);
  engine_.restore(std::move(memory.alerts));
  events_ = std::move(memory.events);
  version_ = memory.version;
}

void ClusterContext::set_rules(const alert::Thresholds& thresholds,
                               const std::vector<alert::ActiveRule>& rules) {
  options_.thresholds = thresholds;
  collector_.want(wanted_of(rules));
  options_.rules = rules;
  engine_.set_rules(rules);
}

std::vector<alert::RuleStatus> ClusterContext::rules() const {
  auto all = engine_.status();
  const auto left_out = collector_.wanted_left_out();
  for (auto& status : all) {
    if (left_out == 0 || !status.rule->user || !status.fault.empty()) continue;
    status.fault = fmt::format(
        "the members have {} series more than there is room for, of all metrics that rules name",
        left_out);
  }
  return all;
}

void ClusterContext::remember(alert::EngineState alerts) {
  engine_.restore(std::move(alerts), std::chrono::steady_clock::now() + kPatience);
}

Task<> ClusterContext::run() {
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    const auto wait_until = std::min(step_by_, now + kAtLeast);
    if (wait_until > now) {
      changed_.reset();
      co_await changed_.wait_until(wait_until);
      if (std::chrono::steady_clock::now() < std::min(step_by_, wait_until)) continue;
    }
    step_by_ = SteadyTime::max();
    step();
    co_await async::yield();
  }
}

Task<bool> ClusterContext::first_verdict(Deadline deadline) {
  return decided_.wait_until(deadline);
}

void ClusterContext::step() {
  const auto now = SystemClock{}.now();
  auto view = std::make_shared<model::ClusterView>();
  view->observation = collector_.observe(now);
  auto judgement = collect::judge(std::move(judged_), view->observation, judge_options_);
  judged_ = std::move(judgement.state);
  if (judgement.closer_look) collector_.look_closer();
  view->assessment = std::move(judgement.assessment);
  view->members = collector_.member_views(now);
  collect::apply_reach(view->assessment, view->members);
  view->metrics = collect::combine(view->observation, view->members);
  // Before the members' names are known, one alert would come under two subjects, one of them
  // false.
  std::vector<model::AlertEvent> alerts;
  if (!view->observation.membership.members.empty() || now.steady - started_ >= kStrangers) {
    wanted_.look_at(collector_.wanted_series(), now);
    alerts = engine_.step(
        now,
        {view->observation, view->assessment, view->members, options_.thresholds, {}, &wanted_});
  }
  view->alerts = engine_.active();
  for (const auto& event : judgement.events) events_.push_back(event);
  while (events_.size() > kEventsKept) events_.pop_front();
  view->events.assign(events_.begin(), events_.end());
  view->version = ++version_;
  view->cluster = name();
  view_ = std::move(view);
  if (view_->assessment.healthy) decided_.set();

  for (const auto& event : judgement.events) {
    if (listener_.on_event) listener_.on_event(event);
  }
  for (const auto& event : alerts) {
    if (listener_.on_alert) listener_.on_alert(event);
  }
  if (listener_.on_alerts) listener_.on_alerts(alerts, engine_.state());
  if (listener_.on_view) listener_.on_view(view_);
}

}  // namespace etcdmon::app
