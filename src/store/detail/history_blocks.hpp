// store/detail/history_blocks.hpp: blocks of history, as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "store/detail/history_tables.hpp"
#include "store/history/buckets.hpp"

namespace etcdmon::store::detail {

/// Values as they came, by metric: one for each of `times`, NaN where there is none.
struct RawBlock {
  std::vector<HistoryMs> times;
  std::map<MetricKey, std::vector<double>> values;

  /// Of two rows with the same time, the newer one's values count.
  void merge(const RawBlock& newer);
};

using MetricPoints = std::map<MetricKey, std::vector<HistoryPoint>>;

/// The blocks of some tables.
///
/// Errors:   those of the tables; kDataLoss where a block does not fit together.
/// Threads:  that of the tables. Lifetime: the tables outlive it.
class HistoryBlocks {
 public:
  explicit HistoryBlocks(HistoryTables& tables) : tables_(tables) {}

  /// Empty when there is none.
  Result<RawBlock> raw(SourceKey source, HistoryMs first);
  Result<void> put_raw(SourceKey source, HistoryMs first, const RawBlock& block);

  /// Empty when there is none.
  Result<MetricPoints> points(const BlockPlace& place);
  /// Replaces what the level has in [from, to), which lies within one block. That block is then to
  /// be rolled up (again).
  Result<void> put_points(SourceKey source, HistoryLevel level, HistoryMs from, HistoryMs to,
                          const MetricPoints& points);

  struct Covered {
    HistoryMs from = 0;
    HistoryMs to = 0;  ///< behind the last row, by its width
  };
  using Coverage = std::array<std::optional<Covered>, kHistoryLevels>;
  Result<std::map<SourceKey, Coverage>> coverage(std::span<const SourceKey> sources);
  /// Adds what blocks of the level hold of one metric in [from, to).
  Result<void> read(SourceKey source, HistoryLevel level, MetricKey metric, HistoryMs from,
                    HistoryMs to, Buckets& out);

 private:
  HistoryTables& tables_;
};

}  // namespace etcdmon::store::detail
