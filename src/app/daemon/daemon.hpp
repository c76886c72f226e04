// app/daemon/daemon.hpp: the monitor: all clusters, the console, the API.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/alerting.hpp"
#include "app/cluster_context.hpp"
#include "app/delivery.hpp"
#include "app/history_feed.hpp"
#include "app/lifecycle.hpp"
#include "app/settings.hpp"
#include "app/watch_proof.hpp"
#include "async/task_scope.hpp"
#include "base/metrics.hpp"
#include "notify/console.hpp"

namespace etcdmon::api {
class Benchmarks;
class DeadLetters;
class MetricsHistory;
class RestApi;
class Rules;
}  // namespace etcdmon::api
namespace etcdmon::net {
class HttpServer;
}

namespace etcdmon::app {

class BenchmarkRuns;

/// Starts what the settings ask for and stops it in reverse order.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction, also after a failed start().
class Daemon {
 public:
  Daemon(Loop& loop, Settings settings, const Logger& logger);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// Errors: kInvalidArgument for certificates that cannot be used; those of HttpServer::listen.
  Result<void> start();
  /// Every step bounded by `bound_per_step`; true if all ended in time.
  Task<bool> stop(std::chrono::milliseconds bound_per_step);
  /// Takes over what may change while running; refuses everything if anything else differs. A
  /// cluster whose way of watching changed is watched anew, with its memory of alerts and
  /// judgements. Returns lines that say what was done, or the error that says what needs a restart.
  Task<Result<std::vector<std::string>>> reload(Settings settings);

  const std::vector<std::unique_ptr<ClusterContext>>& clusters() const { return clusters_; }
  const Settings& settings() const { return settings_; }
  /// Where the API listens: "0.0.0.0:8080".
  std::string api_address() const;

 private:
  class Views;

  std::unique_ptr<notify::Console> make_console() const;
  Result<void> start_clusters();
  Task<> stop_clusters();
  ClusterContext::Listener listener(const std::string& cluster);
  Result<void> start_delivery();
  Result<void> start_history();
  Result<void> start_api();
  std::vector<notify::Pulse> pulses();

  Loop& loop_;
  Settings settings_;
  Logger logger_;
  metrics::Registry registry_;
  Lifecycle lifecycle_;
  async::TaskScope scope_;
  net::Resolver resolver_;
  collect::Schedule schedule_;
  std::shared_ptr<collect::LinePool> line_pool_;
  std::unique_ptr<notify::Console> console_;
  std::unique_ptr<Delivery> delivery_;
  std::unique_ptr<HistoryFeed> history_;  ///< null: none is kept
  std::vector<std::unique_ptr<ClusterContext>> clusters_;
  WatchProof watch_proof_;
  std::unique_ptr<Views> views_;
  std::unique_ptr<api::RestApi> api_;
  SystemClock clock_;
  std::unique_ptr<api::Alerting> alerting_;
  std::unique_ptr<api::DeadLetters> dead_letters_;
  std::unique_ptr<api::Rules> rules_;
  std::unique_ptr<api::MetricsHistory> metrics_history_;
  std::unique_ptr<BenchmarkRuns> benchmark_runs_;
  std::unique_ptr<api::Benchmarks> benchmarks_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace etcdmon::app
