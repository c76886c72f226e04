#include "store/history/buckets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/assert.hpp"
#include "series/chunk.hpp"

namespace etcdmon::store {

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kColumns = 5;
constexpr std::size_t kLengthBytes = 4;

Error broken() {
  return {ErrorCode::kDataLoss, "a block of history does not fit together"};
}

void append_length(std::vector<std::uint8_t>& out, std::size_t length) {
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    out.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
  }
}

}  // namespace

std::string_view name_of(HistoryLevel level) {
  switch (level) {
    case HistoryLevel::kRaw:
      return "raw";
    case HistoryLevel::kMinute:
      return "1m";
    case HistoryLevel::kHour:
      return "1h";
  }
  return "raw";
}

HistoryMs to_ms(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

WallTime from_ms(HistoryMs ms) {
  return WallTime{} + std::chrono::milliseconds(ms);
}

Buckets::Buckets(HistoryMs from, HistoryMs to, HistoryMs step)
    : from_(from), to_(to), step_(step), begin_(floor_to(from, step)) {
  ETCDMON_ASSERT(step > 0);
  if (to > from) buckets_.resize(static_cast<std::size_t>((to - begin_ + step - 1) / step));
}

void Buckets::add(HistoryMs at, double value) {
  if (!std::isnan(value)) add(at, value, value, value, value, 1);
}

void Buckets::add(const HistoryPoint& point) {
  add(to_ms(point.at), point.min, point.max, point.average * static_cast<double>(point.count),
      point.last, point.count);
}

void Buckets::add(HistoryMs at, double min, double max, double sum, double last,
                  std::uint64_t count) {
  if (at < from_ || at >= to_ || count == 0) return;
  auto& bucket = buckets_[static_cast<std::size_t>((at - begin_) / step_)];
  bucket.min = bucket.count == 0 ? min : std::min(bucket.min, min);
  bucket.max = bucket.count == 0 ? max : std::max(bucket.max, max);
  if (bucket.count == 0 || at >= bucket.last_at) {
    bucket.last = last;
    bucket.last_at = at;
  }
  bucket.sum += sum;
  bucket.count += count;
}

std::vector<HistoryPoint> Buckets::take() const {
  std::vector<HistoryPoint> points;
  HistoryMs at = begin_;
  for (const auto& bucket : buckets_) {
    if (bucket.count != 0) {
      points.push_back({from_ms(at), bucket.min, bucket.max,
                        bucket.sum / static_cast<double>(bucket.count), bucket.last, bucket.count});
    }
    at += step_;
  }
  return points;
}

HistoryMs fitting_step(HistoryMs from, HistoryMs to, HistoryMs step) {
  // One more than the span holds: the first bucket may begin before `from`.
  const HistoryMs most = static_cast<HistoryMs>(kMaxHistoryPoints) - 1;
  const HistoryMs span = std::max<HistoryMs>(to - from, 0);
  const HistoryMs times = std::max<HistoryMs>((span + step * most - 1) / (step * most), 1);
  return step * times;
}

std::vector<std::uint8_t> encode_points(std::span<const HistoryMs> times,
                                        std::span<const HistoryPoint> points) {
  std::vector<std::uint8_t> out;
  if (points.empty()) return out;
  std::array<std::vector<double>, kColumns> columns;
  for (auto& column : columns) column.assign(times.size(), kNoValue);
  std::size_t row = 0;
  for (const auto& point : points) {
    const HistoryMs at = to_ms(point.at);
    while (row < times.size() && times[row] < at) ++row;
    ETCDMON_ASSERT(row < times.size() && times[row] == at);
    columns[0][row] = point.min;
    columns[1][row] = point.max;
    columns[2][row] = point.average;
    columns[3][row] = point.last;
    columns[4][row] = static_cast<double>(point.count);
  }
  std::vector<std::uint8_t> chunk;
  for (const auto& column : columns) {
    chunk.clear();
    series::encode_chunk(column, chunk);
    append_length(out, chunk.size());
    out.insert(out.end(), chunk.begin(), chunk.end());
  }
  return out;
}

Result<std::vector<HistoryPoint>> decode_points(std::span<const HistoryMs> times,
                                                std::span<const std::uint8_t> bytes) {
  std::vector<HistoryPoint> points;
  if (bytes.empty()) return points;
  std::array<std::vector<double>, kColumns> columns;
  for (auto& column : columns) {
    if (bytes.size() < kLengthBytes) return broken();
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::size_t{bytes[i]} << (8 * i);
    bytes = bytes.subspan(kLengthBytes);
    if (length > bytes.size()) return broken();
    auto values = series::decode_chunk(bytes.first(length));
    if (!values) return std::move(values).error();
    if (values->size() != times.size()) return broken();
    column = *std::move(values);
    bytes = bytes.subspan(length);
  }
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (std::isnan(columns[4][row]) || columns[4][row] < 1) continue;
    points.push_back({from_ms(times[row]), columns[0][row], columns[1][row], columns[2][row],
                      columns[3][row], static_cast<std::uint64_t>(columns[4][row])});
  }
  return points;
}

std::vector<std::uint8_t> encode_times(HistoryMs first, std::span<const HistoryMs> times) {
  std::vector<double> distances;
  distances.reserve(times.size());
  for (const auto at : times) distances.push_back(static_cast<double>(at - first));
  std::vector<std::uint8_t> out;
  series::encode_chunk(distances, out);
  return out;
}

Result<std::vector<HistoryMs>> decode_times(HistoryMs first, std::span<const std::uint8_t> bytes) {
  ETCDMON_TRY(const auto distances, series::decode_chunk(bytes));
  std::vector<HistoryMs> times;
  times.reserve(distances.size());
  for (const double distance : distances) {
    if (std::isnan(distance)) return broken();
    times.push_back(first + static_cast<HistoryMs>(distance));
  }
  return times;
}

}  // namespace etcdmon::store
