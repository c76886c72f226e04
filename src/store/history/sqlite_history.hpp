// store/history/sqlite_history.hpp: history in one SQLite file.
#pragma once

#include <memory>
#include <string>

#include "store/history/history.hpp"

namespace etcdmon::store {

/// Rows are in the file as soon as write() returns; once their hour is over, maintain() codes them
/// as blocks of an hour, and sums those up to minutes and hours (about 2 bytes a value).
///
/// Threads: one at a time.
class SqliteHistory final : public HistoryBackend {
 public:
  /// ":memory:" for a history that ends with the process.
  /// Errors: kDataLoss: no history, or a broken one; kFailedPrecondition: of a newer version, or in
  /// use by another monitor; kPermissionDenied, kResourceExhausted, kNotFound.
  static Result<std::unique_ptr<SqliteHistory>> open(const std::string& path);
  ~SqliteHistory() override;

  Result<void> write(std::span<const HistoryRow> rows) override;
  Result<HistoryAnswer> query(const HistoryRange& range) override;
  Result<void> maintain(WallTime now, const HistoryRetention& retention) override;

 private:
  struct Tables;
  explicit SqliteHistory(std::unique_ptr<Tables> tables);
  std::unique_ptr<Tables> tables_;
};

}  // namespace etcdmon::store
