// kit/watched.hpp: a monitor on one cluster, and everything it said while a test hurt that cluster.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "app/cluster_context.hpp"
#include "kit/etcd_cluster.hpp"
#include "kit/loop_thread.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::kit {

using Condition = std::function<bool(const model::ClusterView&)>;

/// A verdict of this kind, about this subject; "" is any.
Condition has(model::Check check, std::string subject = {});
Condition healthy();
/// Healthy, every member reachable, and no verdict above info.
Condition all_well(std::size_t members);
Condition reach_is(std::string member, model::Reach reach);
Condition both(Condition a, Condition b);
Condition no(Condition condition);

/// Threads:  one test thread; the monitor runs on its own.
/// Lifetime: the cluster may be destroyed before it.
class Watched {
 public:
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::milliseconds;

  struct Options {
    std::vector<std::string> endpoints{};
    /// Changed before the start; the default is the product's, but with a health check every 5 s.
    std::function<void(app::ClusterOptions&)> adjust{};
  };

  explicit Watched(const Options& options);
  explicit Watched(const EtcdCluster& cluster)
      : Watched(Options{.endpoints = cluster.endpoints()}) {}
  ~Watched();

  model::ClusterViewPtr view() const;
  /// Begins an episode: what was said before is forgotten.
  void mark();
  /// Time from mark() until a view met `condition`; throws with all that was said when none did
  /// within `patience` from now.
  Milliseconds until(const Condition& condition, Milliseconds patience, const std::string& what);
  /// The condition holds in every view for `time`; throws when it does not.
  void stays(const Condition& condition, Milliseconds time, const std::string& what);

  /// "MemberUnreachable infra1" of every verdict of at least warning since mark().
  std::set<std::string> said() const;
  /// The same without the kinds named.
  std::set<std::string> said_besides(const std::set<std::string>& kinds) const;
  std::vector<model::Event> events() const;
  /// Rules that fired with at least a warning.
  std::set<std::string> alerts_fired() const;
  /// What was logged at error level since mark().
  std::vector<std::string> errors_logged() const;
  /// Everything since mark(), for people.
  std::string story() const;

  /// Ends the monitor; how long it took.
  Milliseconds stop();

 private:
  class Sink;
  void record(const model::ClusterViewPtr& view);

  LoopThread thread_;
  std::shared_ptr<Sink> sink_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<collect::Schedule> schedule_;
  std::unique_ptr<async::TaskScope> scope_;
  std::unique_ptr<app::ClusterContext> cluster_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  model::ClusterViewPtr view_;
  Clock::time_point marked_ = Clock::now();
  std::map<std::string, Clock::time_point> said_;
  std::vector<std::pair<Clock::time_point, model::Event>> events_;
  std::vector<std::pair<Clock::time_point, model::AlertEvent>> alerts_;
  bool stopped_ = false;
};

}  // namespace etcdmon::kit
