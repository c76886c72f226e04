// store/history/history.hpp: every value of every member over hours to years: one contract for all
// backends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/metric.hpp"

namespace etcdmon::store {

/// All values of one member at one moment. The cluster's own figures stand under MemberId::none().
struct HistoryRow {
  std::string cluster;
  MemberId member;
  std::string member_name{};
  WallTime at;  ///< kept to the millisecond
  model::MetricValues values{};
};

/// How finely history is kept: as it was collected, then by the minute, then by the hour.
enum class HistoryLevel : std::uint8_t { kRaw, kMinute, kHour };
inline constexpr std::size_t kHistoryLevels = 3;
std::string_view name_of(HistoryLevel level);

/// What a bucket of time held.
struct HistoryPoint {
  WallTime at;  ///< the bucket's begin
  double min = 0;
  double max = 0;
  double average = 0;
  double last = 0;
  std::uint64_t count = 0;  ///< values as they were collected

  bool operator==(const HistoryPoint&) const = default;
};

struct HistoryRange {
  std::string cluster;
  model::Metric metric = model::Metric::kUp;
  WallTime from;
  WallTime to;  ///< not included
  /// Width of a bucket, from 1 ms; answers never have more than kMaxPoints, so a width may be
  /// doubled until they do not.
  std::chrono::milliseconds step{60'000};
  std::optional<MemberId> member{};  ///< nullopt: every member, the cluster itself too
};
inline constexpr std::size_t kMaxHistoryPoints = 2'000;

/// One member's points, oldest first. Where nothing was seen there is no point: gaps stay gaps.
struct HistorySeries {
  MemberId member;
  std::string member_name;
  std::vector<HistoryPoint> points;
};

struct HistoryAnswer {
  std::chrono::milliseconds step{0};         ///< as it was used
  HistoryLevel finest = HistoryLevel::kRaw;  ///< of what the points were made from
  HistoryLevel coarsest = HistoryLevel::kRaw;
  std::vector<HistorySeries> series;  ///< by member id
};

struct HistoryRetention {
  std::chrono::hours raw{48};
  std::chrono::hours minutes{30 * 24};
  std::chrono::hours hours{2 * 365 * 24};
};

/// What history is kept in, for people and the API.
struct HistoryForm {
  std::string type;     ///< "sqlite", "postgres", "timescaledb"
  std::string layout;   ///< "one file", "partitions", "hypertables"
  std::string where;    ///< a path, or user@host/database; never a password
  std::string version;  ///< of the server, and of its extension; empty: not known (yet)
};

/// How it stands with what history is kept in, and with what waits for it on disk.
struct HistoryStatus {
  HistoryForm form;
  std::optional<WallTime> away_since{};  ///< rows are spooled since then
  std::string why{};                     ///< while it is away
  std::uint64_t spooled = 0;             ///< rows that wait on disk
  std::uint64_t spool_dropped = 0;       ///< rows that the spool had no room for, since the start
};

/// Where history is kept.
///
/// Threads: one at a time; it blocks.
/// Errors:  kUnavailable, kResourceExhausted: not now; the same rows may be written again, and rows
///          that are there already are replaced. kDataLoss: it is broken.
class HistoryBackend {
 public:
  virtual ~HistoryBackend() = default;

  virtual Result<void> write(std::span<const HistoryRow> rows) = 0;
  virtual Result<HistoryAnswer> query(const HistoryRange& range) = 0;
  /// Rolls up what is old enough and forgets what is too old, for some tenths of a second. True:
  /// there is more to be done.
  virtual Result<bool> maintain(WallTime now, const HistoryRetention& retention) = 0;
  virtual HistoryStatus status() const = 0;
};

}  // namespace etcdmon::store
