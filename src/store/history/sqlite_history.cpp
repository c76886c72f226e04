#include "store/history/sqlite_history.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "series/chunk.hpp"
#include "store/detail/history_blocks.hpp"
#include "store/detail/sqlite.hpp"
#include "store/history/buckets.hpp"

namespace etcdmon::store {

namespace {

using detail::Database;
using detail::HistoryBlocks;
using detail::MetricKey;
using detail::MetricPoints;
using detail::RawBlock;
using detail::SourceKey;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// The body of an open row: for each value its metric's key (two bytes) and the value (eight),
// lowest byte first.
constexpr std::size_t kValueBytes = 10;
static_assert(std::endian::native == std::endian::little);

void append_value(std::vector<std::uint8_t>& body, MetricKey metric, double value) {
  std::array<std::uint8_t, kValueBytes> bytes{};
  const auto key = static_cast<std::uint16_t>(metric);
  std::memcpy(bytes.data(), &key, sizeof key);
  std::memcpy(bytes.data() + sizeof key, &value, sizeof value);
  body.insert(body.end(), bytes.begin(), bytes.end());
}

template <class F>
void for_each_value(std::span<const std::uint8_t> body, const F& f) {
  for (; body.size() >= kValueBytes; body = body.subspan(kValueBytes)) {
    std::uint16_t key = 0;
    double value = 0;
    std::memcpy(&key, body.data(), sizeof key);
    std::memcpy(&value, body.data() + sizeof key, sizeof value);
    f(MetricKey{key}, value);
  }
}

struct Source {
  SourceKey key = 0;
  std::string name;
};

}  // namespace

struct SqliteHistory::Tables {
  explicit Tables(Database opened) : database(std::move(opened)), blocks(database) {}

  Result<void> load();
  Result<SourceKey> source_of(const HistoryRow& row);
  Result<void> put(const HistoryRow& row);
  Result<void> seal(SourceKey source, HistoryMs now);
  Result<void> seal_hour(SourceKey source, HistoryMs hour);
  Result<RawBlock> open_rows(SourceKey source, HistoryMs hour);
  Result<void> roll_up(SourceKey source, HistoryLevel level, HistoryMs first);
  Result<void> read_open(SourceKey source, MetricKey metric, HistoryMs from, HistoryMs to,
                         Buckets& out);
  Result<void> fill(SourceKey source, const HistoryRange& range, HistoryLevel level,
                    HistoryAnswer& answer, Buckets& out);
  Result<void> fill_finer(SourceKey source, MetricKey metric, HistoryLevel level, HistoryMs from,
                          HistoryMs to, HistoryAnswer& answer, Buckets& out);

  Database database;
  HistoryBlocks blocks;
  std::map<std::pair<std::string, MemberId>, Source> sources;
  std::array<MetricKey, model::kMetricCount> keys{};
  std::vector<MetricKey> all_keys;  ///< those of other versions too
};

Result<std::unique_ptr<SqliteHistory>> SqliteHistory::open(const std::string& path) {
  auto database = Database::open(path);
  if (!database) return with_context(std::move(database).error(), fmt::format("opening {}", path));
  // The last seconds may be lost with the machine's power; the file stays whole.
  if (auto set = database->run("PRAGMA synchronous=NORMAL"); !set) return std::move(set).error();
  auto migrated = detail::migrate(*database, detail::history_steps());
  auto tables = std::make_unique<Tables>(*std::move(database));
  if (migrated) migrated = tables->load();
  if (!migrated) return with_context(std::move(migrated).error(), fmt::format("opening {}", path));
  return std::unique_ptr<SqliteHistory>(new SqliteHistory(std::move(tables)));
}

SqliteHistory::SqliteHistory(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
SqliteHistory::~SqliteHistory() = default;

Result<void> SqliteHistory::Tables::load() {
  return database.transaction([&]() -> Result<void> {
    for (const auto& doc : model::metric_docs()) {
      auto insert = database.query("INSERT OR IGNORE INTO metric(name) VALUES(?1)");
      insert.bind(doc.name);
      if (auto done = insert.run(); !done) return done;
    }
    auto metrics = database.query("SELECT id, name FROM metric");
    while (true) {
      const auto row = metrics.step();
      if (!row) return row.error();
      if (!*row) break;
      all_keys.push_back(metrics.number(0));
      if (const auto metric = model::parse_metric(metrics.text(1)))
        keys[static_cast<std::size_t>(*metric)] = metrics.number(0);
    }
    auto known = database.query("SELECT id, cluster, member, name FROM source");
    while (true) {
      const auto row = known.step();
      if (!row) return row.error();
      if (!*row) return {};
      sources[{known.text(1), MemberId{std::bit_cast<std::uint64_t>(known.number(2))}}] =
          Source{known.number(0), known.text(3)};
    }
  });
}

Result<SourceKey> SqliteHistory::Tables::source_of(const HistoryRow& row) {
  auto& source = sources[{row.cluster, row.member}];
  if (source.key != 0 && source.name == row.member_name) return source.key;
  auto put = database.query(
      "INSERT INTO source(cluster, member, name) VALUES(?1, ?2, ?3) ON CONFLICT(cluster, member) "
      "DO UPDATE SET name=excluded.name RETURNING id");
  put.bind_all(std::string_view(row.cluster), std::bit_cast<std::int64_t>(row.member.value),
               std::string_view(row.member_name));
  const auto stored = put.step();
  if (!stored) return stored.error();
  source = {put.number(0), row.member_name};
  return source.key;
}

Result<void> SqliteHistory::Tables::put(const HistoryRow& row) {
  const auto source = source_of(row);
  if (!source) return source.error();
  std::vector<std::uint8_t> body;
  body.reserve(model::kMetricCount * kValueBytes);
  for (std::size_t i = 0; i < model::kMetricCount; ++i) {
    if (const auto value = row.values.get(static_cast<model::Metric>(i)))
      append_value(body, keys[i], *value);
  }
  auto insert =
      database.query("INSERT OR REPLACE INTO open_row(source, at, body) VALUES(?1, ?2, ?3)");
  insert.bind_all(*source, to_ms(row.at), std::span<const std::uint8_t>(body));
  return insert.run();
}

Result<void> SqliteHistory::write(std::span<const HistoryRow> rows) {
  auto written = tables_->database.transaction([&]() -> Result<void> {
    for (const auto& row : rows) {
      if (auto put = tables_->put(row); !put) return put;
    }
    return {};
  });
  // What was rolled back must not be remembered as being there.
  if (!written) {
    for (auto& [id, source] : tables_->sources) source.key = 0;
  }
  return written;
}

Result<RawBlock> SqliteHistory::Tables::open_rows(SourceKey source, HistoryMs hour) {
  RawBlock block;
  auto query = database.query(
      "SELECT at, body FROM open_row WHERE source=?1 AND at>=?2 AND at<?3 ORDER BY at");
  query.bind_all(source, hour, hour + detail::span_of(HistoryLevel::kRaw));
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) break;
    block.times.push_back(query.number(0));
    for_each_value(query.bytes(1), [&](MetricKey metric, double value) {
      auto& column = block.values[metric];
      column.resize(block.times.size() - 1, kMissing);
      column.push_back(value);
    });
  }
  for (auto& [metric, column] : block.values) column.resize(block.times.size(), kMissing);
  return block;
}

Result<void> SqliteHistory::Tables::seal_hour(SourceKey source, HistoryMs hour) {
  return database.transaction([&]() -> Result<void> {
    const auto added = open_rows(source, hour);
    if (!added) return added.error();
    auto block = blocks.raw(source, hour);
    if (!block) return block.error();
    block->merge(*added);
    if (block->times.size() > series::kMaxChunkRows)
      return Error{ErrorCode::kResourceExhausted, "an hour of history has too many rows"};
    if (auto put = blocks.put_raw(source, hour, *block); !put) return put;
    const HistoryMs end = hour + detail::span_of(HistoryLevel::kRaw);
    auto gone = database.query("DELETE FROM open_row WHERE source=?1 AND at>=?2 AND at<?3");
    gone.bind_all(source, hour, end);
    if (auto done = gone.run(); !done) return done;

    MetricPoints minutes;
    for (const auto& [metric, column] : block->values) {
      Buckets buckets(hour, end, detail::width_of(HistoryLevel::kMinute));
      for (std::size_t i = 0; i < column.size(); ++i) buckets.add(block->times[i], column[i]);
      minutes[metric] = buckets.take();
    }
    if (auto put = blocks.put_points(source, HistoryLevel::kMinute, hour, end, minutes); !put)
      return put;
    return blocks.mark_rolled(source, HistoryLevel::kRaw, hour);
  });
}

Result<void> SqliteHistory::Tables::seal(SourceKey source, HistoryMs now) {
  while (true) {
    auto query = database.query("SELECT at FROM open_row WHERE source=?1 ORDER BY at LIMIT 1");
    query.bind(source);
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return {};
    const HistoryMs hour = floor_to(query.number(0), detail::span_of(HistoryLevel::kRaw));
    if (hour + detail::span_of(HistoryLevel::kRaw) > now) return {};
    if (auto sealed = seal_hour(source, hour); !sealed) return sealed;
  }
}

// The minutes of a day become hours.
Result<void> SqliteHistory::Tables::roll_up(SourceKey source, HistoryLevel level, HistoryMs first) {
  const auto above = static_cast<HistoryLevel>(static_cast<std::uint8_t>(level) + 1);
  const HistoryMs end = first + detail::span_of(level);
  return database.transaction([&]() -> Result<void> {
    const auto fine = blocks.points(source, level, first);
    if (!fine) return fine.error();
    MetricPoints coarse;
    for (const auto& [metric, column] : *fine) {
      Buckets buckets(first, end, detail::width_of(above));
      for (const auto& point : column) buckets.add(point);
      coarse[metric] = buckets.take();
    }
    if (auto put = blocks.put_points(source, above, first, end, coarse); !put) return put;
    return blocks.mark_rolled(source, level, first);
  });
}

Result<void> SqliteHistory::maintain(WallTime now, const HistoryRetention& retention) {
  const HistoryMs at = to_ms(now);
  const std::array<std::pair<HistoryLevel, std::chrono::hours>, kHistoryLevels> kept = {
      {{HistoryLevel::kRaw, retention.raw},
       {HistoryLevel::kMinute, retention.minutes},
       {HistoryLevel::kHour, retention.hours}}};
  for (const auto& [id, source] : tables_->sources) {
    if (source.key == 0) continue;
    if (auto sealed = tables_->seal(source.key, at); !sealed) return sealed;
    const auto days = tables_->blocks.to_roll(source.key, HistoryLevel::kMinute, at);
    if (!days) return days.error();
    for (const auto day : *days) {
      if (auto done = tables_->roll_up(source.key, HistoryLevel::kMinute, day); !done) return done;
    }
    for (const auto& [level, span] : kept) {
      const HistoryMs before = at - std::chrono::milliseconds(span).count();
      auto done = tables_->database.transaction(
          [&] { return tables_->blocks.forget(source.key, level, before, tables_->all_keys); });
      if (!done) return done;
    }
  }
  return {};
}

Result<void> SqliteHistory::Tables::read_open(SourceKey source, MetricKey metric, HistoryMs from,
                                              HistoryMs to, Buckets& out) {
  auto query = database.query(
      "SELECT at, body FROM open_row WHERE source=?1 AND at>=?2 AND at<?3 ORDER BY at");
  query.bind_all(source, from, to);
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return {};
    const HistoryMs at = query.number(0);
    for_each_value(query.bytes(1), [&](MetricKey key, double value) {
      if (key == metric) out.add(at, value);
    });
  }
}

// [from, to) from this level, and what it does not have yet from the finer ones.
Result<void> SqliteHistory::Tables::fill_finer(SourceKey source, MetricKey metric,
                                               HistoryLevel level, HistoryMs from, HistoryMs to,
                                               HistoryAnswer& answer, Buckets& out) {
  for (auto at = static_cast<int>(level); at >= 0 && from < to; --at) {
    const auto now = static_cast<HistoryLevel>(at);
    const auto covered = blocks.covered(source, now);
    if (!covered) return covered.error();
    answer.finest = std::min(answer.finest, now);
    if (!*covered || (*covered)->to <= from) continue;
    if (auto done = blocks.read(source, now, metric, from, to, out); !done) return done;
    from = (*covered)->to;
  }
  return from < to ? read_open(source, metric, from, to, out) : Result<void>{};
}

Result<void> SqliteHistory::Tables::fill(SourceKey source, const HistoryRange& range,
                                         HistoryLevel level, HistoryAnswer& answer, Buckets& out) {
  const MetricKey metric = keys[static_cast<std::size_t>(range.metric)];
  HistoryMs to = to_ms(range.to);
  const HistoryMs from = to_ms(range.from);
  // What is older than this level keeps stands in coarser ones.
  for (auto above = static_cast<std::uint8_t>(HistoryLevel::kHour);
       above > static_cast<std::uint8_t>(level); --above) {
    const auto finer = blocks.covered(source, static_cast<HistoryLevel>(above - 1));
    const auto coarse = blocks.covered(source, static_cast<HistoryLevel>(above));
    if (!finer) return finer.error();
    if (!coarse) return coarse.error();
    if (!*coarse || (*coarse)->from >= to || (*coarse)->to <= from) continue;
    const HistoryMs end = *finer ? std::min((*finer)->from, to) : to;
    if (end <= from) continue;
    const HistoryMs begin = std::max(from, (*coarse)->from);
    if (begin >= end) continue;
    answer.coarsest = std::max(answer.coarsest, static_cast<HistoryLevel>(above));
    auto done = blocks.read(source, static_cast<HistoryLevel>(above), metric, begin, end, out);
    if (!done) return done;
  }
  const auto own = blocks.covered(source, level);
  if (!own) return own.error();
  const HistoryMs begin = *own ? std::max(from, (*own)->from) : from;
  return fill_finer(source, metric, level, begin, to, answer, out);
}

Result<HistoryAnswer> SqliteHistory::query(const HistoryRange& range) {
  HistoryAnswer answer;
  const HistoryMs from = to_ms(range.from);
  const HistoryMs to = to_ms(range.to);
  const HistoryMs step = fitting_step(from, to, std::max<HistoryMs>(range.step.count(), 1));
  answer.step = std::chrono::milliseconds(step);
  auto level = HistoryLevel::kRaw;
  for (const auto coarser : {HistoryLevel::kMinute, HistoryLevel::kHour}) {
    if (step % detail::width_of(coarser) == 0) level = coarser;
  }
  answer.finest = answer.coarsest = level;
  for (const auto& [id, source] : tables_->sources) {
    if (id.first != range.cluster || source.key == 0) continue;
    if (range.member && id.second != *range.member) continue;
    Buckets buckets(from, to, step);
    if (auto done = tables_->fill(source.key, range, level, answer, buckets); !done)
      return std::move(done).error();
    answer.series.push_back({id.second, source.name, buckets.take()});
  }
  return answer;
}

}  // namespace etcdmon::store
