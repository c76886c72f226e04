#include "store/history/history_log.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "async/timeout.hpp"
#include "base/rfc3339.hpp"
#include "store/history/sqlite_history.hpp"

namespace etcdmon::store {

namespace {

using std::chrono::steady_clock;

// A transaction's rows: some milliseconds of the backend's thread, so that a query waits no longer.
constexpr std::size_t kRowsAtOnce = 2'000;

// 2026-11-23T15:00:00Z without what a file's name had better not hold.
std::string date_of(WallTime now) {
  auto text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(now));
  std::erase_if(text, [](char c) { return c == ':' || c == '-'; });
  return text;
}

Result<std::string> set_aside(const std::string& path, WallTime now) {
  auto aside = fmt::format("{}.damaged-{}", path, date_of(now));
  std::error_code failure;
  std::filesystem::rename(path, aside, failure);
  if (failure)
    return Error{ErrorCode::kPermissionDenied,
                 fmt::format("{} is damaged, and cannot be renamed: {}", path, failure.message()),
                 Cause::kLocal};
  for (const auto* suffix : {"-wal", "-shm"}) {
    std::filesystem::rename(path + suffix, aside + suffix, failure);
  }
  return aside;
}

}  // namespace

HistoryLog::HistoryLog(std::shared_ptr<HistoryBackend> backend, Options options,
                       const Logger& logger)
    : backend_(std::move(backend)),
      options_(options),
      logger_(logger),
      pool_({.name = "history", .threads = 1}) {}

void HistoryLog::record(HistoryRow row) {
  if (waiting_.size() >= options_.max_waiting) {
    waiting_.pop_front();
    ++health_.dropped;
  }
  waiting_.push_back(std::move(row));
}

Task<Result<HistoryAnswer>> HistoryLog::query(HistoryRange range) {
  auto ask = [backend = backend_, range = std::move(range)] { return backend->query(range); };
  auto answer = co_await pool_.run(std::move(ask));
  co_return answer;
}

Task<Result<void>> HistoryLog::flush() {
  while (!waiting_.empty()) {
    const auto count = std::min(waiting_.size(), kRowsAtOnce);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    auto batch = std::make_shared<std::vector<HistoryRow>>(
        std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    // Put back in front when it was not written, also when we are cancelled meanwhile: the same row
    // twice is the same row.
    struct PutBack {
      std::deque<HistoryRow>& queue;
      std::shared_ptr<std::vector<HistoryRow>> rows;
      bool written = false;
      ~PutBack() {
        if (!written) queue.insert(queue.begin(), rows->begin(), rows->end());
      }
    } put_back{waiting_, batch};
    auto write = [backend = backend_, batch] { return backend->write(*batch); };
    const auto written = co_await pool_.run(std::move(write));
    if (!written) co_return written.error();
    put_back.written = true;
    health_.written += count;
  }
  co_return Result<void>();
}

Task<Result<bool>> HistoryLog::maintain() {
  auto work = [backend = backend_, now = SystemClock{}.now().wall, retention = options_.retention] {
    return backend->maintain(now, retention);
  };
  auto done = co_await pool_.run(std::move(work));
  co_return done;
}

void HistoryLog::note(const Result<void>& outcome) {
  if (outcome) {
    if (health_.failing_since) logger_.info("history is written again");
    health_.failing_since.reset();
    health_.last_error.clear();
    return;
  }
  if (!health_.failing_since) {
    health_.failing_since = SystemClock{}.now().wall;
    logger_.error("history cannot be written; it waits in memory, and watching goes on",
                  {{"why", outcome.error().message}});
  }
  health_.last_error = outcome.error().message;
}

Task<> HistoryLog::run() {
  auto maintain_at = steady_clock::now() + options_.flush_every;
  while (true) {
    const auto pause = health_.failing_since ? options_.retry_after : options_.flush_every;
    co_await async::sleep_for(pause);
    auto done = co_await flush();
    if (done && steady_clock::now() >= maintain_at) {
      const auto more = co_await maintain();
      if (!more) done = more.error();
      if (more && !*more) maintain_at = steady_clock::now() + options_.maintain_every;
    }
    note(done);
  }
}

HistoryLog::Health HistoryLog::health() const {
  auto health = health_;
  health.waiting = waiting_.size();
  return health;
}

Task<bool> HistoryLog::close(Deadline deadline) {
  const auto flushed = co_await flush();
  if (!flushed) {
    logger_.error("the last values could not be added to history",
                  {{"rows", waiting_.size()}, {"why", flushed.error().message}});
  }
  // The file is whole without its log then: it may be copied.
  auto leave = [backend = std::move(backend_)]() mutable { backend.reset(); };
  co_await async::with_deadline(pool_.run(std::move(leave)), deadline);
  co_return co_await pool_.close(deadline);
}

Result<std::shared_ptr<HistoryBackend>> open_history(const std::string& path, WallTime now,
                                                     std::string& warning) {
  auto history = open_sqlite_history(path);
  if (!history && history.error().code == ErrorCode::kDataLoss) {
    const auto aside = set_aside(path, now);
    if (!aside) return aside.error();
    warning = fmt::format("{} is damaged ({}): it was set aside as {}, and history begins anew",
                          path, history.error().message, *aside);
    history = open_sqlite_history(path);
  }
  if (!history) return std::move(history).error();
  return std::shared_ptr<HistoryBackend>(*std::move(history));
}

}  // namespace etcdmon::store
