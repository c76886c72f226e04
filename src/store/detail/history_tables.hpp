// store/detail/history_tables.hpp: the tables that history is kept in, whatever the database.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "store/history/buckets.hpp"

namespace etcdmon::store::detail {

/// A metric as the database names it; stays the same over versions of the program.
using MetricKey = std::int64_t;
/// A member of a cluster, or the cluster itself.
using SourceKey = std::int64_t;
using Bytes8 = std::vector<std::uint8_t>;

/// How far a block of each level reaches: an hour, a day, 32 days.
HistoryMs span_of(HistoryLevel level);
/// How wide a row of each level is: 0, a minute, an hour.
HistoryMs width_of(HistoryLevel level);

/// All values of a source at one moment, as they came.
struct OpenRow {
  SourceKey source = 0;
  HistoryMs at = 0;
  Bytes8 body;
};

struct StoredSource {
  SourceKey key = 0;
  std::string cluster;
  MemberId member;
  std::string name;
};

/// A block: its rows' times, and a chunk for each metric.
struct StoredBlock {
  Bytes8 times;
  std::vector<std::pair<MetricKey, Bytes8>> chunks;
};

/// Where a block stands.
struct BlockPlace {
  SourceKey source = 0;
  HistoryLevel level = HistoryLevel::kRaw;
  HistoryMs first = 0;
};

/// What the tables have of a source at a level: the first block, and the last one with its times.
struct BlockRange {
  HistoryMs first = 0;
  HistoryMs last = 0;
  Bytes8 last_times;
};
using LevelRanges = std::array<std::optional<BlockRange>, kHistoryLevels>;

/// Plain calls, with no knowledge of what stands in a body.
///
/// Threads: one at a time; they block.
/// Errors:  those of HistoryBackend.
class HistoryTables {
 public:
  virtual ~HistoryTables() = default;

  /// Before each piece of work. True: what was read before may not hold any more.
  virtual Result<bool> ready() = 0;

  using Body = std::function<Result<void>()>;
  /// All of `body` or nothing.
  virtual Result<void> write_together(const Body& body) = 0;
  /// The same, and nobody else changes blocks meanwhile.
  virtual Result<void> change_blocks(const Body& body) = 0;

  /// The keys of every metric that was ever kept, those of `names` among them.
  virtual Result<std::map<std::string, MetricKey>> metrics(
      std::span<const std::string_view> names) = 0;
  virtual Result<std::vector<StoredSource>> sources() = 0;
  /// Adds it or renames it. `key` is not read.
  virtual Result<SourceKey> put_source(const StoredSource& source) = 0;

  /// A row that is there is replaced. No row stands in `rows` twice.
  virtual Result<void> put_open(std::span<const OpenRow> rows) = 0;
  using RowVisitor = std::function<void(HistoryMs at, std::span<const std::uint8_t> body)>;
  virtual Result<void> open_rows(SourceKey source, HistoryMs from, HistoryMs to,
                                 const RowVisitor& visit) = 0;
  virtual Result<void> remove_open(SourceKey source, HistoryMs from, HistoryMs to) = 0;
  /// Hours that have rows before `before`, by source.
  virtual Result<std::vector<std::pair<SourceKey, HistoryMs>>> open_hours(HistoryMs before) = 0;

  /// No times: there is none.
  virtual Result<StoredBlock> block(const BlockPlace& place) = 0;
  /// Replaces it with its chunks; it is then to be rolled up (again).
  virtual Result<void> put_block(const BlockPlace& place, const StoredBlock& block) = 0;
  /// Blocks that begin at or before `last` and were not rolled up.
  virtual Result<std::vector<BlockPlace>> to_roll(HistoryLevel level, HistoryMs last) = 0;
  virtual Result<void> mark_rolled(const BlockPlace& place) = 0;
  /// Forgets the blocks that begin at or before `last`.
  virtual Result<void> forget(HistoryLevel level, HistoryMs last) = 0;

  virtual Result<std::map<SourceKey, LevelRanges>> ranges(std::span<const SourceKey> sources) = 0;
  using ChunkVisitor = std::function<Result<void>(
      HistoryMs first, std::span<const std::uint8_t> times, std::span<const std::uint8_t> body)>;
  /// The chunks of a metric whose blocks begin in (after, before), by time.
  virtual Result<void> chunks(SourceKey source, HistoryLevel level, MetricKey metric,
                              HistoryMs after, HistoryMs before, const ChunkVisitor& visit) = 0;

  /// What it is, for people and the API.
  virtual HistoryForm form() const = 0;
};

}  // namespace etcdmon::store::detail
