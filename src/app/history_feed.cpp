#include "app/history_feed.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "app/state_directory.hpp"

namespace etcdmon::app {

namespace {

store::HistoryLog::Options options_of(const HistorySettings& settings) {
  store::HistoryLog::Options options;
  options.retention = {.raw = settings.raw, .minutes = settings.minutes, .hours = settings.hours};
  return options;
}

}  // namespace

Result<std::unique_ptr<HistoryFeed>> HistoryFeed::open(const Settings& settings, Executor executor,
                                                       const Logger& logger) {
  if (!settings.storage.history.enabled) return std::unique_ptr<HistoryFeed>();
  const auto directory = state_directory(settings);
  if (!directory) return directory.error();
  if (directory->empty()) return std::unique_ptr<HistoryFeed>();
  std::string warning;
  auto backend = store::open_history((std::filesystem::path(*directory) / "history.db").string(),
                                     SystemClock{}.now().wall, warning);
  if (!backend) return std::move(backend).error();
  if (!warning.empty()) logger.error(warning);
  return std::unique_ptr<HistoryFeed>(
      new HistoryFeed(*std::move(backend), settings, executor, logger));
}

HistoryFeed::HistoryFeed(std::shared_ptr<store::HistoryBackend> backend, const Settings& settings,
                         Executor executor, const Logger& logger)
    : every_(settings.monitoring.metrics_interval),
      log_(std::move(backend), options_of(settings.storage.history), logger),
      scope_(executor, logger) {}

void HistoryFeed::start(metrics::Registry& registry) {
  registry.gauge("etcdmon_history_rows_waiting", "Rows of history that are not written yet.", {},
                 [this] { return static_cast<double>(log_.health().waiting); });
  registry.gauge("etcdmon_history_rows_written", "Rows of history written since the start.", {},
                 [this] { return static_cast<double>(log_.health().written); });
  registry.gauge("etcdmon_history_rows_dropped",
                 "Rows of history lost since the start, because too many waited.", {},
                 [this] { return static_cast<double>(log_.health().dropped); });
  registry.gauge("etcdmon_history_failing", "1 while history cannot be written.", {},
                 [this] { return log_.health().failing_since ? 1.0 : 0.0; });
  scope_.spawn("history", log_.run());
}

void HistoryFeed::take(const model::ClusterView& view) {
  const auto& seen = view.observation;
  auto& next = next_[view.cluster];
  if (seen.at.steady < next) return;
  // On the beat again after a pause, without a row for each missed one.
  next = std::max(next + every_, seen.at.steady + every_ / 2);
  for (std::size_t i = 0; i < seen.members.size() && i < view.members.size(); ++i) {
    const auto& entry = seen.members[i].entry;
    if (entry.id.none()) continue;
    log_.record({view.cluster, entry.id, entry.name, seen.at.wall, view.members[i].values});
  }
  log_.record({view.cluster, MemberId{}, {}, seen.at.wall, view.metrics.totals});
}

Task<> HistoryFeed::stop(Deadline deadline) {
  co_await scope_.close();
  static_cast<void>(co_await log_.close(deadline));
}

}  // namespace etcdmon::app
