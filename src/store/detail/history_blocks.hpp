// store/detail/history_blocks.hpp: blocks of history in SQLite, as plain calls.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "store/detail/sqlite.hpp"
#include "store/history/buckets.hpp"

namespace etcdmon::store::detail {

/// A metric as the file names it; stays the same over versions of the program.
using MetricKey = std::int64_t;
using SourceKey = std::int64_t;

/// How far a block of each level reaches: an hour, a day, 32 days.
HistoryMs span_of(HistoryLevel level);
/// How wide a row of each level is: 0, a minute, an hour.
HistoryMs width_of(HistoryLevel level);

/// Values as they came, by metric: one for each of `times`, NaN where there is none.
struct RawBlock {
  std::vector<HistoryMs> times;
  std::map<MetricKey, std::vector<double>> values;

  /// Of two rows with the same time, the newer one's values count.
  void merge(const RawBlock& newer);
};

using MetricPoints = std::map<MetricKey, std::vector<HistoryPoint>>;

/// The blocks of one file.
///
/// Errors:   those of Database; kDataLoss where a block does not fit together.
/// Threads:  that of its database. Lifetime: the database outlives it.
class HistoryBlocks {
 public:
  explicit HistoryBlocks(Database& database) : database_(database) {}

  /// Empty when there is none.
  Result<RawBlock> raw(SourceKey source, HistoryMs first);
  Result<void> put_raw(SourceKey source, HistoryMs first, const RawBlock& block);

  /// Empty when there is none.
  Result<MetricPoints> points(SourceKey source, HistoryLevel level, HistoryMs first);
  /// Replaces what the level has in [from, to), which lies within one block. That block is then to
  /// be rolled up (again).
  Result<void> put_points(SourceKey source, HistoryLevel level, HistoryMs from, HistoryMs to,
                          const MetricPoints& points);

  /// Begins of the blocks that end at or before `now` and were not rolled up.
  Result<std::vector<HistoryMs>> to_roll(SourceKey source, HistoryLevel level, HistoryMs now);
  Result<void> mark_rolled(SourceKey source, HistoryLevel level, HistoryMs first);
  /// Forgets the blocks that end at or before `before`.
  Result<void> forget(SourceKey source, HistoryLevel level, HistoryMs before,
                      std::span<const MetricKey> metrics);

  struct Covered {
    HistoryMs from = 0;
    HistoryMs to = 0;  ///< behind the last row, by its width
  };
  Result<std::optional<Covered>> covered(SourceKey source, HistoryLevel level);
  /// Adds what blocks of the level hold of one metric in [from, to).
  Result<void> read(SourceKey source, HistoryLevel level, MetricKey metric, HistoryMs from,
                    HistoryMs to, Buckets& out);

 private:
  Result<void> put_block(SourceKey source, HistoryLevel level, HistoryMs first,
                         std::span<const HistoryMs> times);
  Result<void> put_chunk(SourceKey source, HistoryLevel level, MetricKey metric, HistoryMs first,
                         std::span<const std::uint8_t> body);
  Result<std::vector<HistoryMs>> times(SourceKey source, HistoryLevel level, HistoryMs first);

  Database& database_;
};

}  // namespace etcdmon::store::detail
