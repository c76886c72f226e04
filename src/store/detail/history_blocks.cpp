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

Result<RawBlock> HistoryBlocks::raw(SourceKey source, HistoryMs first) {
  RawBlock block;
  ETCDMON_TRY(const auto stored, tables_.block({source, HistoryLevel::kRaw, first}));
  if (stored.times.empty()) return block;
  ETCDMON_TRY(block.times, decode_times(first, stored.times));
  for (const auto& [metric, body] : stored.chunks) {
    ETCDMON_TRY(auto values, series::decode_chunk(body));
    if (values.size() != block.times.size())
      return Error{ErrorCode::kDataLoss, "a block of history does not fit its times"};
    block.values[metric] = std::move(values);
  }
  return block;
}

Result<void> HistoryBlocks::put_raw(SourceKey source, HistoryMs first, const RawBlock& block) {
  if (block.times.empty()) return {};
  StoredBlock stored{encode_times(first, block.times), {}};
  for (const auto& [metric, values] : block.values) {
    if (!has_value(values)) continue;
    auto& [key, body] = stored.chunks.emplace_back(metric, Bytes8{});
    series::encode_chunk(values, body);
  }
  return tables_.put_block({source, HistoryLevel::kRaw, first}, stored);
}

Result<MetricPoints> HistoryBlocks::points(const BlockPlace& place) {
  MetricPoints points;
  ETCDMON_TRY(const auto stored, tables_.block(place));
  if (stored.times.empty()) return points;
  ETCDMON_TRY(const auto rows, decode_times(place.first, stored.times));
  for (const auto& [metric, body] : stored.chunks) {
    ETCDMON_TRY(points[metric], decode_points(rows, body));
  }
  return points;
}

Result<void> HistoryBlocks::put_points(SourceKey source, HistoryLevel level, HistoryMs from,
                                       HistoryMs to, const MetricPoints& points) {
  const HistoryMs first = floor_to(from, span_of(level));
  auto old = this->points({source, level, first});
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
  StoredBlock stored{encode_times(first, rows), {}};
  for (const auto& [metric, column] : all) {
    if (!column.empty()) stored.chunks.emplace_back(metric, encode_points(rows, column));
  }
  return tables_.put_block({source, level, first}, stored);
}

Result<std::map<SourceKey, HistoryBlocks::Coverage>> HistoryBlocks::coverage(
    std::span<const SourceKey> sources) {
  std::map<SourceKey, Coverage> coverage;
  ETCDMON_TRY(const auto ranges, tables_.ranges(sources));
  for (const auto& [source, levels] : ranges) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (!levels[i]) continue;
      ETCDMON_TRY(const auto last, decode_times(levels[i]->last, levels[i]->last_times));
      if (last.empty()) return Error{ErrorCode::kDataLoss, "a block of history has no rows"};
      const HistoryMs width = std::max<HistoryMs>(width_of(static_cast<HistoryLevel>(i)), 1);
      coverage[source][i] = Covered{levels[i]->first, last.back() + width};
    }
  }
  return coverage;
}

Result<void> HistoryBlocks::read(SourceKey source, HistoryLevel level, MetricKey metric,
                                 HistoryMs from, HistoryMs to, Buckets& out) {
  const auto inside = [&](HistoryMs at) { return at >= from && at < to; };
  const auto add = [&](HistoryMs first, std::span<const std::uint8_t> times,
                       std::span<const std::uint8_t> body) -> Result<void> {
    ETCDMON_TRY(const auto rows, decode_times(first, times));
    if (level == HistoryLevel::kRaw) {
      series::ChunkReader reader(body);
      double value = 0;
      for (std::size_t i = 0; i < rows.size() && reader.next(value); ++i) {
        if (inside(rows[i])) out.add(rows[i], value);
      }
      if (!reader.exhausted())
        return Error{ErrorCode::kDataLoss, "a block of history does not fit its times"};
      return {};
    }
    ETCDMON_TRY(const auto points, decode_points(rows, body));
    for (const auto& point : points) {
      if (inside(to_ms(point.at))) out.add(point);
    }
    return {};
  };
  return tables_.chunks(source, level, metric, from - span_of(level), to, add);
}

}  // namespace etcdmon::store::detail
