// app/cluster_context.hpp: one watched cluster: from facts to judgement, alerts and the view that
// others read.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "alert/engine.hpp"
#include "alert/live_source.hpp"
#include "async/event.hpp"
#include "async/task_scope.hpp"
#include "collect/collector.hpp"
#include "collect/judge/judge.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::app {

struct ClusterOptions {
  collect::CollectOptions collect;
  alert::Thresholds thresholds;
  std::vector<alert::ActiveRule> rules = alert::default_rules();
};

/// Everything that belongs to one cluster hangs here, and nothing of it is global: clusters could
/// move to another loop.
///
/// Threads:  the loop only; view() hands out an immutable value that any thread may keep.
/// Lifetime: stop() must have completed before destruction.
class ClusterContext {
 public:
  /// Called after each step, with what it brought about.
  struct Listener {
    std::function<void(const model::AlertEvent&)> on_alert;
    /// The whole step, also one without events: what the engine told and what it now holds.
    std::function<void(const std::vector<model::AlertEvent>&, const alert::EngineState&)> on_alerts;
    std::function<void(const model::Event&)> on_event;
    std::function<void(const model::ClusterViewPtr&)> on_view;
  };

  ClusterContext(Executor executor, net::Resolver& resolver, collect::Schedule& schedule,
                 ClusterOptions options, const Logger& logger);
  ~ClusterContext();
  ClusterContext(const ClusterContext&) = delete;
  ClusterContext& operator=(const ClusterContext&) = delete;

  /// What a successor goes on with: nothing is told twice, and no `for` starts anew.
  struct Memory {
    collect::JudgeStatePtr judged;
    alert::EngineState alerts;
    std::deque<model::Event> events;
    std::uint64_t version = 0;
  };

  void start(Listener listener);
  Task<> stop();
  /// After stop(); before start() of the successor.
  Memory take_memory();
  void resume(Memory memory);
  /// What was saved before a restart; before start(). For a while, an alert that is not found again
  /// is not taken for resolved.
  void remember(alert::EngineState alerts);

  const std::string& name() const { return options_.collect.cluster; }
  /// Never null; version 0 before the first step.
  const model::ClusterViewPtr& view() const { return view_; }
  /// Waits until a step has judged the cluster healthy or not, or until `deadline`; false if it
  /// came first.
  Task<bool> first_verdict(Deadline deadline);
  /// As of the last step; valid until the next one.
  std::vector<alert::RuleStatus> rules() const;
  /// From the next step on.
  void set_rules(const alert::Thresholds& thresholds, const std::vector<alert::ActiveRule>& rules);

 private:
  Task<> run();
  void step();

  ClusterOptions options_;
  collect::JudgeOptions judge_options_;
  async::TaskScope scope_;
  collect::Collector collector_;
  collect::JudgeStatePtr judged_;
  alert::Engine engine_;
  alert::LiveSource wanted_;  ///< what users' rules look at
  Listener listener_;
  model::ClusterViewPtr view_;
  std::deque<model::Event> events_;
  std::uint64_t version_ = 0;
  async::Event changed_;
  async::Event decided_;
  SteadyTime step_by_ = SteadyTime::max();
  SteadyTime started_;
};

}  // namespace etcdmon::app
