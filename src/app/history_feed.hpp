// app/history_feed.hpp: from the clusters' views to history.db.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "app/settings.hpp"
#include "async/task_scope.hpp"
#include "base/metrics.hpp"
#include "model/cluster_view.hpp"
#include "store/history/history_log.hpp"

namespace etcdmon::app {

/// Takes a row of every member, and one of the cluster itself, each metrics interval.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction.
class HistoryFeed {
 public:
  /// Null where no history is kept: storage.history.enabled is false, or there is no directory.
  /// Blocks until history.db is open. Errors: those of store::open_history() and
  /// state_directory().
  static Result<std::unique_ptr<HistoryFeed>> open(const Settings& settings, Executor executor,
                                                   const Logger& logger);

  void start(metrics::Registry& registry);
  void take(const model::ClusterView& view);
  Task<> stop(Deadline deadline);

  store::HistoryLog& log() { return log_; }

 private:
  HistoryFeed(std::shared_ptr<store::HistoryBackend> backend, const Settings& settings,
              Executor executor, const Logger& logger);

  std::chrono::milliseconds every_;
  store::HistoryLog log_;
  async::TaskScope scope_;
  std::map<std::string, SteadyTime> next_;  ///< by cluster
};

}  // namespace etcdmon::app
