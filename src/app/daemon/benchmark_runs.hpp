// app/daemon/benchmark_runs.hpp: benchmarks as child processes, so that the monitor itself never
// makes load.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/benchmarks.hpp"
#include "app/settings.hpp"
#include "async/subprocess.hpp"
#include "async/task_scope.hpp"
#include "base/log.hpp"

namespace etcdmon::app {

/// One `etcd-monitor bench` at a time. It gets its configuration, secrets and all, by a pipe; it
/// tells its progress on standard error and its result on standard output. Cancelled by SIGTERM,
/// and killed when it has not cleaned up in half a minute. It ends itself when the monitor dies.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction.
class BenchmarkRuns final : public api::BenchmarkRunner {
 public:
  /// `settings` gives those in force; `program` is what to start.
  BenchmarkRuns(Executor executor, std::function<const Settings&()> settings, std::string program,
                const Logger& logger);
  ~BenchmarkRuns() override;

  Result<std::string> start(api::BenchmarkOrder order) override;
  std::vector<const api::BenchmarkRun*> runs() const override;
  void cancel(std::string_view id) override;
  /// Cancels what runs, and waits until it has cleaned up.
  Task<> stop();

 private:
  struct Child;

  Task<> follow(std::shared_ptr<Child> child, std::string input);
  Task<> end_in_time(std::shared_ptr<Child> child);
  void finish(Child& child, async::ExitStatus status);

  Executor executor_;
  std::function<const Settings&()> settings_;
  std::string program_;
  Logger logger_;
  async::TaskScope scope_;
  std::deque<std::shared_ptr<Child>> children_;  ///< the last few, newest last
  std::uint64_t last_id_ = 0;
};

}  // namespace etcdmon::app
