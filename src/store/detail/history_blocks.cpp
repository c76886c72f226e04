#include "store/detail/history_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "series/chunk.hpp"

namespace etcdmon::store::detail {

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr HistoryMs kMinute = 60'000;
constexpr HistoryMs kHour = 60 * kMinute;
constexpr HistoryMs kDay = 24 * kHour;

std::int64_t number_of(HistoryLevel level) {
  return static_cast<std::int64_t>(level);
}

bool has_value(const std::vector<double>& values) {
  return std::ranges::any_of(values, [](double value) { return !std::isnan(value); });
}

// What stands in the place of each of `to` of the values at `from`; `to` holds every time of
// `from`.
void spread(const std::vector<HistoryMs>& from, const std::vector<double>& values,
            const std::vector<HistoryMs>& to, std::vector<double>& out) {
  out.resize(to.size(), kNoValue);
  std::size_t row = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    while (to[row] < from[i]) ++row;
    if (!std::isnan(values[i])) out[row] = values[i];
  }
}

}  // namespace

HistoryMs span_of(HistoryLevel level) {
  switch (level) {
    case HistoryLevel::kRaw:
      return kHour;
    case HistoryLevel::kMinute:
      return kDay;
    case HistoryLevel::kHour:
      return 32 * kDay;
  }
  return kHour;
}

HistoryMs width_of(HistoryLevel level) {
  switch (level) {
    case HistoryLevel::kRaw:
      return 0;
    case HistoryLevel::kMinute:
      return kMinute;
    case HistoryLevel::kHour:
      return kHour;
  }
  return 0;
}

void RawBlock::merge(const RawBlock& newer) {
  std::vector<HistoryMs> all;
  all.reserve(times.size() + newer.times.size());
  std::ranges::set_union(times, newer.times, std::back_inserter(all));
  std::map<MetricKey, std::vector<double>> merged;
  for (const auto& [metric, column] : values) spread(times, column, all, merged[metric]);
  for (const auto& [metric, column] : newer.values)
    spread(newer.times, column, all, merged[metric]);
  times = std::move(all);
  values = std::move(merged);
}

Result<std::vector<HistoryMs>> HistoryBlocks::times(SourceKey source, HistoryLevel level,
                                                    HistoryMs first) {
  auto query = database_.query("SELECT times FROM block WHERE source=?1 AND level=?2 AND first=?3");
  query.bind_all(source, number_of(level), first);
  const auto row = query.step();
  if (!row) return row.error();
  if (!*row) return std::vector<HistoryMs>{};
  return decode_times(first, query.bytes(0));
}

Result<RawBlock> HistoryBlocks::raw(SourceKey source, HistoryMs first) {
  RawBlock block;
  auto found = times(source, HistoryLevel::kRaw, first);
  if (!found) return std::move(found).error();
  block.times = *std::move(found);
  auto query =
      database_.query("SELECT metric, body FROM chunk WHERE source=?1 AND level=0 AND first=?2");
  query.bind_all(source, first);
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return block;
    auto values = series::decode_chunk(query.bytes(1));
    if (!values) return std::move(values).error();
    if (values->size() != block.times.size())
      return Error{ErrorCode::kDataLoss, "a block of history does not fit its times"};
    block.values[query.number(0)] = *std::move(values);
  }
}

Result<void> HistoryBlocks::put_raw(SourceKey source, HistoryMs first, const RawBlock& block) {
  if (block.times.empty()) return {};
  if (auto put = put_block(source, HistoryLevel::kRaw, first, block.times); !put) return put;
  std::vector<std::uint8_t> body;
  for (const auto& [metric, values] : block.values) {
    if (!has_value(values)) continue;
    body.clear();
    series::encode_chunk(values, body);
    if (auto put = put_chunk(source, HistoryLevel::kRaw, metric, first, body); !put) return put;
  }
  return {};
}

Result<MetricPoints> HistoryBlocks::points(SourceKey source, HistoryLevel level, HistoryMs first) {
  MetricPoints points;
  const auto rows = times(source, level, first);
  if (!rows) return rows.error();
  if (rows->empty()) return points;
  auto query =
      database_.query("SELECT metric, body FROM chunk WHERE source=?1 AND level=?2 AND first=?3");
  query.bind_all(source, number_of(level), first);
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return points;
    auto decoded = decode_points(*rows, query.bytes(1));
    if (!decoded) return std::move(decoded).error();
    points[query.number(0)] = *std::move(decoded);
  }
}

Result<void> HistoryBlocks::put_points(SourceKey source, HistoryLevel level, HistoryMs from,
                                       HistoryMs to, const MetricPoints& points) {
  const HistoryMs first = floor_to(from, span_of(level));
  auto old = this->points(source, level, first);
  if (!old) return old.error();
  MetricPoints all = *std::move(old);
  for (auto& [metric, column] : all) {
    std::erase_if(column, [&](const HistoryPoint& point) {
      const auto at = to_ms(point.at);
      return at >= from && at < to;
    });
  }
  std::vector<HistoryMs> rows;
  for (const auto& [metric, added] : points) {
    auto& column = all[metric];
    column.insert(column.end(), added.begin(), added.end());
  }
  for (auto& [metric, column] : all) {
    std::ranges::sort(column, {}, &HistoryPoint::at);
    for (const auto& point : column) rows.push_back(to_ms(point.at));
  }
  std::ranges::sort(rows);
  const auto twice = std::ranges::unique(rows);
  rows.erase(twice.begin(), twice.end());
  if (rows.empty()) return {};
  if (auto put = put_block(source, level, first, rows); !put) return put;
  for (const auto& [metric, column] : all) {
    if (column.empty()) continue;
    if (auto put = put_chunk(source, level, metric, first, encode_points(rows, column)); !put)
      return put;
  }
  return {};
}

Result<void> HistoryBlocks::put_block(SourceKey source, HistoryLevel level, HistoryMs first,
                                      std::span<const HistoryMs> times) {
  auto query = database_.query(
      "INSERT OR REPLACE INTO block(source, level, first, times, rolled) VALUES(?1, ?2, ?3, ?4, "
      "0)");
  const auto body = encode_times(first, times);
  query.bind_all(source, number_of(level), first, std::span<const std::uint8_t>(body));
  return query.run();
}

Result<void> HistoryBlocks::put_chunk(SourceKey source, HistoryLevel level, MetricKey metric,
                                      HistoryMs first, std::span<const std::uint8_t> body) {
  auto query = database_.query(
      "INSERT OR REPLACE INTO chunk(source, level, metric, first, body) VALUES(?1, ?2, ?3, ?4, "
      "?5)");
  query.bind_all(source, number_of(level), metric, first, body);
  return query.run();
}

Result<std::vector<HistoryMs>> HistoryBlocks::to_roll(SourceKey source, HistoryLevel level,
                                                      HistoryMs now) {
  auto query = database_.query(
      "SELECT first FROM block WHERE source=?1 AND level=?2 AND first<=?3 AND rolled=0");
  query.bind_all(source, number_of(level), now - span_of(level));
  std::vector<HistoryMs> firsts;
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return firsts;
    firsts.push_back(query.number(0));
  }
}

Result<void> HistoryBlocks::mark_rolled(SourceKey source, HistoryLevel level, HistoryMs first) {
  auto query =
      database_.query("UPDATE block SET rolled=1 WHERE source=?1 AND level=?2 AND first=?3");
  query.bind_all(source, number_of(level), first);
  return query.run();
}

Result<void> HistoryBlocks::forget(SourceKey source, HistoryLevel level, HistoryMs before,
                                   std::span<const MetricKey> metrics) {
  const HistoryMs last = before - span_of(level);
  auto blocks = database_.query("DELETE FROM block WHERE source=?1 AND level=?2 AND first<=?3");
  blocks.bind_all(source, number_of(level), last);
  if (auto gone = blocks.run(); !gone) return gone;
  if (database_.changes() == 0) return {};
  for (const auto metric : metrics) {
    auto chunks = database_.query(
        "DELETE FROM chunk WHERE source=?1 AND level=?2 AND metric=?3 AND first<=?4");
    chunks.bind_all(source, number_of(level), metric, last);
    if (auto gone = chunks.run(); !gone) return gone;
  }
  return {};
}

Result<std::optional<HistoryBlocks::Covered>> HistoryBlocks::covered(SourceKey source,
                                                                     HistoryLevel level) {
  auto query = database_.query(
      "SELECT (SELECT min(first) FROM block WHERE source=?1 AND level=?2), "
      "(SELECT max(first) FROM block WHERE source=?1 AND level=?2)");
  query.bind_all(source, number_of(level));
  const auto row = query.step();
  if (!row) return row.error();
  if (!*row || query.null(0)) return std::optional<Covered>{};
  const auto last = times(source, level, query.number(1));
  if (!last) return last.error();
  if (last->empty()) return Error{ErrorCode::kDataLoss, "a block of history has no rows"};
  const HistoryMs width = std::max<HistoryMs>(width_of(level), 1);
  return std::optional(Covered{query.number(0), last->back() + width});
}

Result<void> HistoryBlocks::read(SourceKey source, HistoryLevel level, MetricKey metric,
                                 HistoryMs from, HistoryMs to, Buckets& out) {
  auto query = database_.query(
      "SELECT c.first, b.times, c.body FROM chunk c JOIN block b ON b.source=c.source AND "
      "b.level=c.level AND b.first=c.first WHERE c.source=?1 AND c.level=?2 AND c.metric=?3 AND "
      "c.first>?4 AND c.first<?5 ORDER BY c.first");
  query.bind_all(source, number_of(level), metric, from - span_of(level), to);
  while (true) {
    const auto row = query.step();
    if (!row) return row.error();
    if (!*row) return {};
    const auto rows = decode_times(query.number(0), query.bytes(1));
    if (!rows) return rows.error();
    const auto inside = [&](HistoryMs at) { return at >= from && at < to; };
    if (level == HistoryLevel::kRaw) {
      series::ChunkReader reader(query.bytes(2));
      double value = 0;
      for (std::size_t i = 0; i < rows->size() && reader.next(value); ++i) {
        if (inside((*rows)[i])) out.add((*rows)[i], value);
      }
      if (!reader.exhausted())
        return Error{ErrorCode::kDataLoss, "a block of history does not fit its times"};
      continue;
    }
    const auto points = decode_points(*rows, query.bytes(2));
    if (!points) return points.error();
    for (const auto& point : *points) {
      if (inside(to_ms(point.at))) out.add(point);
    }
  }
}

}  // namespace etcdmon::store::detail
