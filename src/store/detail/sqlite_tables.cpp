#include "store/detail/sqlite_tables.hpp"

#include <bit>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::store::detail {

namespace {

std::int64_t number_of(HistoryLevel level) {
  return static_cast<std::int64_t>(level);
}

Bytes8 copy_of(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Calls `each` for every row of the answer.
template <class Each>
Result<void> for_each_row(Query& query, const Each& each) {
  while (true) {
    ETCDMON_TRY(const bool row, query.step());
    if (!row) return {};
    each();
  }
}

}  // namespace

Result<std::unique_ptr<SqliteTables>> SqliteTables::open(const std::string& path) {
  auto database = Database::open(path);
  // The last seconds may be lost with the machine's power; the file stays whole.
  Result<void> done;
  if (!database) done = database.error();
  if (done) done = database->run("PRAGMA synchronous=NORMAL");
  if (done) done = migrate(*database, history_steps());
  if (!done) return with_context(std::move(done).error(), fmt::format("opening {}", path));
  return std::unique_ptr<SqliteTables>(new SqliteTables(*std::move(database), path));
}

Result<std::map<std::string, MetricKey>> SqliteTables::metrics(
    std::span<const std::string_view> names) {
  std::map<std::string, MetricKey> keys;
  const auto done = database_.transaction([&]() -> Result<void> {
    for (const auto name : names) {
      auto insert = database_.query("INSERT OR IGNORE INTO metric(name) VALUES(?1)");
      insert.bind(name);
      if (auto put = insert.run(); !put) return put;
    }
    auto query = database_.query("SELECT id, name FROM metric");
    return for_each_row(query, [&] { keys[query.text(1)] = query.number(0); });
  });
  if (!done) return done.error();
  all_metrics_.clear();
  for (const auto& [name, key] : keys) all_metrics_.push_back(key);
  return keys;
}

Result<std::vector<StoredSource>> SqliteTables::sources() {
  std::vector<StoredSource> found;
  auto query = database_.query("SELECT id, cluster, member, name FROM source");
  const auto done = for_each_row(query, [&] {
    found.push_back({query.number(0), query.text(1),
                     MemberId{std::bit_cast<std::uint64_t>(query.number(2))}, query.text(3)});
  });
  if (!done) return done.error();
  return found;
}

Result<SourceKey> SqliteTables::put_source(const StoredSource& source) {
  auto put = database_.query(
      "INSERT INTO source(cluster, member, name) VALUES(?1, ?2, ?3) ON CONFLICT(cluster, member) "
      "DO UPDATE SET name=excluded.name RETURNING id");
  put.bind_all(std::string_view(source.cluster), std::bit_cast<std::int64_t>(source.member.value),
               std::string_view(source.name));
  const auto stored = put.step();
  if (!stored) return stored.error();
  return put.number(0);
}

Result<void> SqliteTables::put_open(std::span<const OpenRow> rows) {
  for (const auto& row : rows) {
    auto insert =
        database_.query("INSERT OR REPLACE INTO open_row(source, at, body) VALUES(?1, ?2, ?3)");
    insert.bind_all(row.source, row.at, std::span<const std::uint8_t>(row.body));
    if (auto put = insert.run(); !put) return put;
  }
  return {};
}

Result<void> SqliteTables::open_rows(SourceKey source, HistoryMs from, HistoryMs to,
                                     const RowVisitor& visit) {
  auto query = database_.query(
      "SELECT at, body FROM open_row WHERE source=?1 AND at>=?2 AND at<?3 ORDER BY at");
  query.bind_all(source, from, to);
  return for_each_row(query, [&] { visit(query.number(0), query.bytes(1)); });
}

Result<void> SqliteTables::remove_open(SourceKey source, HistoryMs from, HistoryMs to) {
  auto gone = database_.query("DELETE FROM open_row WHERE source=?1 AND at>=?2 AND at<?3");
  gone.bind_all(source, from, to);
  return gone.run();
}

Result<std::vector<SourceKey>> SqliteTables::source_keys() {
  std::vector<SourceKey> keys;
  auto query = database_.query("SELECT id FROM source");
  const auto done = for_each_row(query, [&] { keys.push_back(query.number(0)); });
  if (!done) return done.error();
  return keys;
}

Result<std::vector<std::pair<SourceKey, HistoryMs>>> SqliteTables::open_hours(HistoryMs before) {
  std::vector<std::pair<SourceKey, HistoryMs>> hours;
  ETCDMON_TRY(const auto keys, source_keys());
  const HistoryMs width = span_of(HistoryLevel::kRaw);
  for (const auto source : keys) {
    // From hour to hour by the index: rows themselves are not looked at.
    for (HistoryMs from = std::numeric_limits<HistoryMs>::min();;) {
      auto query = database_.query(
          "SELECT at FROM open_row WHERE source=?1 AND at>=?2 AND at<?3 ORDER BY at LIMIT 1");
      query.bind_all(source, from, before);
      ETCDMON_TRY(const bool row, query.step());
      if (!row) break;
      const HistoryMs hour = floor_to(query.number(0), width);
      hours.emplace_back(source, hour);
      from = hour + width;
    }
  }
  return hours;
}

Result<StoredBlock> SqliteTables::block(const BlockPlace& place) {
  StoredBlock found;
  auto times = database_.query("SELECT times FROM block WHERE source=?1 AND level=?2 AND first=?3");
  times.bind_all(place.source, number_of(place.level), place.first);
  ETCDMON_TRY(const bool row, times.step());
  if (!row) return found;
  found.times = copy_of(times.bytes(0));
  auto query =
      database_.query("SELECT metric, body FROM chunk WHERE source=?1 AND level=?2 AND first=?3");
  query.bind_all(place.source, number_of(place.level), place.first);
  const auto done = for_each_row(
      query, [&] { found.chunks.emplace_back(query.number(0), copy_of(query.bytes(1))); });
  if (!done) return done.error();
  return found;
}

Result<void> SqliteTables::put_block(const BlockPlace& place, const StoredBlock& block) {
  auto put = database_.query(
      "INSERT OR REPLACE INTO block(source, level, first, times, rolled) VALUES(?1, ?2, ?3, ?4, "
      "0)");
  put.bind_all(place.source, number_of(place.level), place.first,
               std::span<const std::uint8_t>(block.times));
  if (auto done = put.run(); !done) return done;
  for (const auto& [metric, body] : block.chunks) {
    auto chunk = database_.query(
        "INSERT OR REPLACE INTO chunk(source, level, metric, first, body) VALUES(?1, ?2, ?3, ?4, "
        "?5)");
    chunk.bind_all(place.source, number_of(place.level), metric, place.first,
                   std::span<const std::uint8_t>(body));
    if (auto done = chunk.run(); !done) return done;
  }
  return {};
}

Result<std::vector<BlockPlace>> SqliteTables::to_roll(HistoryLevel level, HistoryMs last) {
  std::vector<BlockPlace> places;
  ETCDMON_TRY(const auto keys, source_keys());
  for (const auto source : keys) {
    auto query = database_.query(
        "SELECT first FROM block WHERE source=?1 AND level=?2 AND first<=?3 AND rolled=0");
    query.bind_all(source, number_of(level), last);
    const auto done =
        for_each_row(query, [&] { places.push_back({source, level, query.number(0)}); });
    if (!done) return done.error();
  }
  return places;
}

Result<void> SqliteTables::mark_rolled(const BlockPlace& place) {
  auto query =
      database_.query("UPDATE block SET rolled=1 WHERE source=?1 AND level=?2 AND first=?3");
  query.bind_all(place.source, number_of(place.level), place.first);
  return query.run();
}

Result<void> SqliteTables::forget(HistoryLevel level, HistoryMs last) {
  ETCDMON_TRY(const auto keys, source_keys());
  for (const auto source : keys) {
    auto blocks = database_.query("DELETE FROM block WHERE source=?1 AND level=?2 AND first<=?3");
    blocks.bind_all(source, number_of(level), last);
    if (auto gone = blocks.run(); !gone) return gone;
    if (database_.changes() == 0) continue;
    for (const auto metric : all_metrics_) {
      auto chunks = database_.query(
          "DELETE FROM chunk WHERE source=?1 AND level=?2 AND metric=?3 AND first<=?4");
      chunks.bind_all(source, number_of(level), metric, last);
      if (auto gone = chunks.run(); !gone) return gone;
    }
  }
  return {};
}

Result<std::map<SourceKey, LevelRanges>> SqliteTables::ranges(std::span<const SourceKey> sources) {
  std::map<SourceKey, LevelRanges> found;
  for (const auto source : sources) {
    for (std::size_t i = 0; i < kHistoryLevels; ++i) {
      const auto level = static_cast<std::int64_t>(i);
      auto ends = database_.query(
          "SELECT (SELECT min(first) FROM block WHERE source=?1 AND level=?2), "
          "(SELECT max(first) FROM block WHERE source=?1 AND level=?2)");
      ends.bind_all(source, level);
      ETCDMON_TRY(const bool row, ends.step());
      if (!row || ends.null(0)) continue;
      auto times =
          database_.query("SELECT times FROM block WHERE source=?1 AND level=?2 AND first=?3");
      times.bind_all(source, level, ends.number(1));
      ETCDMON_TRY(const bool last, times.step());
      if (last)
        found[source][i] = BlockRange{ends.number(0), ends.number(1), copy_of(times.bytes(0))};
    }
  }
  return found;
}

Result<void> SqliteTables::chunks(SourceKey source, HistoryLevel level, MetricKey metric,
                                  HistoryMs after, HistoryMs before, const ChunkVisitor& visit) {
  auto query = database_.query(
      "SELECT c.first, b.times, c.body FROM chunk c JOIN block b ON b.source=c.source AND "
      "b.level=c.level AND b.first=c.first WHERE c.source=?1 AND c.level=?2 AND c.metric=?3 AND "
      "c.first>?4 AND c.first<?5 ORDER BY c.first");
  query.bind_all(source, number_of(level), metric, after, before);
  while (true) {
    ETCDMON_TRY(const bool row, query.step());
    if (!row) return {};
    if (auto done = visit(query.number(0), query.bytes(1), query.bytes(2)); !done) return done;
  }
}

HistoryForm SqliteTables::form() const {
  return {.type = "sqlite", .layout = "one file", .where = path_, .version = sqlite3_libversion()};
}

}  // namespace etcdmon::store::detail
