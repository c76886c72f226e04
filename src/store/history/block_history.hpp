// store/history/block_history.hpp: history in the tables of a database.
#pragma once

#include <memory>

#include "store/history/history.hpp"

namespace etcdmon::store {

namespace detail {
class HistoryTables;
}

/// Rows are in the tables as soon as write() returns; once their hour is over, maintain() codes
/// them as blocks of an hour, and sums those up to minutes and hours (about 2 bytes a value).
///
/// Threads: one at a time.
class BlockHistory final : public HistoryBackend {
 public:
  explicit BlockHistory(std::unique_ptr<detail::HistoryTables> tables);
  ~BlockHistory() override;

  /// Reads what the tables hold already; done by itself before the first use. Errors: theirs.
  Result<void> load();

  Result<void> write(std::span<const HistoryRow> rows) override;
  Result<HistoryAnswer> query(const HistoryRange& range) override;
  Result<bool> maintain(WallTime now, const HistoryRetention& retention) override;
  HistoryStatus status() const override;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace etcdmon::store
