// collect/collector.hpp: watches one cluster: finds its members, asks them in time, and hands out
// what it saw.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "async/task_scope.hpp"
#include "collect/member_watch.hpp"
#include "collect/options.hpp"
#include "collect/schedule.hpp"
#include "model/cluster_view.hpp"
#include "model/observation.hpp"

namespace etcdmon::collect {

/// Pulse, health check and metrics of every member at their cadences, each member in parallel.
///
/// Facts only: what they mean is judged elsewhere. `on_change` says that an observation is worth
/// taking, and how soon.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction. Resolver and Schedule outlive it.
class Collector {
 public:
  Collector(Executor executor, net::Resolver& resolver, Schedule& schedule, CollectOptions options,
            const Logger& logger);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void start(std::function<void(Urgency)> on_change);
  Task<> stop();

  /// The facts as of `now`, members sorted by id, unidentified endpoints last.
  model::Observation observe(Now now) const;
  /// In the order of observe().members.
  std::vector<model::MemberView> member_views(Now now) const;
  /// What is kept for users' rules, a member each that has answered or failed to.
  std::vector<std::shared_ptr<const series::LabelledSeries>> wanted_series() const;
  /// Lines that there was no room for, of all members.
  std::size_t wanted_left_out() const;
  void want(const WantedPtr& wanted);
  /// A health check at once, as far as the limit of one per 5 s allows.
  void hurry_health_check();
  /// Pages of /metrics soon: every 2 s, for as long as this is called.
  void look_closer();

 private:
  using Watches = std::vector<std::shared_ptr<MemberWatch>>;

  void tick_pulse(const Timeline::Due& due);
  void tick_health(const Timeline::Due& due);
  void tick_metrics(const std::shared_ptr<MemberWatch>& watch, const Timeline::Due& due);
  void tick_hash(const Timeline::Due& due);
  Task<> pulse_round(Duration lag);
  void greet(const Watches& newcomers);
  Task<> first_pulse(std::shared_ptr<MemberWatch> watch);
  Task<> health_round();
  Task<> metrics_round(std::shared_ptr<MemberWatch> watch);
  Task<> hash_round();
  Task<> ask_alarms();
  Task<> discover();
  Task<> confirm_membership();
  Task<> settle_leader_view();

  void answered(const std::string& url, const model::StatusSample& sample);
  void failed(const std::string& url, const Error& error);
  void adopt_members(std::vector<model::MemberEntry> members);
  void replan();
  void schedule_metrics(const std::shared_ptr<MemberWatch>& watch);
  void retire(const std::shared_ptr<MemberWatch>& watch);
  Task<> retired(std::shared_ptr<MemberWatch> watch);
  bool in_doubt() const;
  bool alarms_are_dear() const;
  bool alarms_hinted() const;
  std::vector<KnownEndpoint> known_endpoints() const;

  Executor executor_;
  net::Resolver& resolver_;
  Schedule& schedule_;
  Logger logger_;
  async::TaskScope scope_;
  WatchContext context_;
  std::function<void(Urgency)> on_change_;

  Watches watches_;
  Watches retiring_;
  std::vector<model::EndpointFacts> endpoints_;
  model::MembershipFacts membership_;
  std::map<const MemberWatch*, Timeline::JobId> metrics_jobs_;
  std::vector<Timeline::JobId> jobs_;
  Timeline::JobId health_job_ = 0;

  std::optional<std::vector<model::AlarmEntry>> alarms_;
  std::optional<SteadyTime> alarms_at_;
  std::optional<SteadyTime> alarms_tried_;
  bool alarms_not_authorised_ = false;
  bool asking_alarms_ = false;

  std::uint64_t pulse_rounds_ = 0;
  std::uint64_t voided_rounds_ = 0;
  std::uint64_t missed_ticks_ = 0;
  bool round_void_ = false;
  Duration loop_lag_{0};
  bool round_running_ = false;
  bool health_running_ = false;
  bool hash_running_ = false;
  bool settling_ = false;
  bool was_in_doubt_ = false;
  bool replan_wanted_ = false;
  std::optional<SteadyTime> last_health_start_;
  std::optional<Now> last_health_;
};

}  // namespace etcdmon::collect
