// store/history/history_log.hpp: writes history without ever delaying who watches.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/blocking_pool.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "store/history/history.hpp"

namespace etcdmon::store {

/// Rows wait in a bounded queue and are written in batches; where the backend does not take them
/// they stay and are tried again, and the oldest are dropped (and counted) when there are too many.
///
/// Threads:  the loop only; the backend runs on a thread of its own.
/// Lifetime: must outlive the loop's last run(); close() it after run() has ended.
class HistoryLog {
 public:
  struct Options {
    HistoryRetention retention{};
    std::chrono::milliseconds flush_every{1'000};
    std::chrono::milliseconds retry_after{5'000};
    std::chrono::milliseconds maintain_every{60'000};
    std::size_t max_waiting = 100'000;  ///< rows; about 0.7 KB each
  };

  struct Health {
    std::size_t waiting = 0;
    std::uint64_t written = 0;
    std::uint64_t dropped = 0;
    std::optional<WallTime> failing_since{};
    std::string last_error{};  ///< while it fails
  };

  HistoryLog(std::shared_ptr<HistoryBackend> backend, Options options, const Logger& logger);

  void record(HistoryRow row);
  /// Until cancelled.
  Task<> run();
  /// Rows that still wait are not part of it.
  Task<Result<HistoryAnswer>> query(HistoryRange range);
  Health health() const;
  /// Writes what waits, as far as the backend takes it. False: a job still ran at `deadline`.
  Task<bool> close(Deadline deadline);

 private:
  Task<Result<void>> flush();
  /// True: there is more to be done.
  Task<Result<bool>> maintain();
  void note(const Result<void>& outcome);

  std::shared_ptr<HistoryBackend> backend_;
  Options options_;
  Logger logger_;
  async::BlockingPool pool_;
  std::deque<HistoryRow> waiting_;
  Health health_;
};

/// history.db at `path`. A broken one is set aside beside it, under a name with the date, and a new
/// one is begun: `warning` then says so.
/// Errors: those of open_sqlite_history().
Result<std::shared_ptr<HistoryBackend>> open_history(const std::string& path, WallTime now,
                                                     std::string& warning);

}  // namespace etcdmon::store
