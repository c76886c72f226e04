#include "series/member_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/assert.hpp"

namespace etcdmon::series {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double since_in_us(SteadyTime start, SteadyTime at) {
  return static_cast<double>(duration_cast<microseconds>(at - start).count());
}

SteadyTime after_us(SteadyTime start, double us) {
  return start + microseconds(static_cast<std::int64_t>(us));
}

}  // namespace

std::span<const std::uint8_t> Block::chunk(SeriesId series) const {
  const auto at = std::ranges::lower_bound(index_, series, {}, &Entry::series);
  if (at == index_.end() || at->series != series) return {};
  const std::size_t stop = std::next(at) == index_.end() ? bytes_.size() : std::next(at)->offset;
  return std::span(bytes_).subspan(at->offset, stop - at->offset);
}

std::size_t Block::memory_bytes() const {
  return sizeof(Block) + index_.capacity() * sizeof(Entry) + bytes_.capacity();
}

MemberSeries::MemberSeries(Options options) : options_(options) {
  ETCDMON_ASSERT(options.tail_rows > 0 && options.block_rows >= options.tail_rows);
  ETCDMON_ASSERT(options.block_rows + options.tail_rows <= kMaxChunkRows);
}

std::optional<SeriesId> MemberSeries::add_column() {
  const auto last = last_at();
  const auto free = std::ranges::find_if(dropped_, [&](const Dropped& dropped) {
    return !last || *last - dropped.at > 2 * options_.retention;
  });
  if (free != dropped_.end()) {
    const SeriesId series = free->series;
    dropped_.erase(free);
    return series;
  }
  if (columns_ >= options_.max_columns) return std::nullopt;
  return static_cast<SeriesId>(columns_++);
}

void MemberSeries::drop_column(SeriesId series) {
  ETCDMON_ASSERT(series < columns_);
  dropped_.push_back({series, last_at().value_or(SteadyTime{})});
}

bool MemberSeries::append(SteadyTime at, WallTime wall, std::span<const double> row) {
  ETCDMON_ASSERT(row.size() == columns_);
  at = std::chrono::floor<microseconds>(at);
  const auto last = last_at();
  if (last && at <= *last) return false;
  if (row.size() != tail_width_ || tail_at_.size() >= options_.tail_rows) spill();
  if (tail_at_.empty()) {
    tail_width_ = row.size();
    tail_first_wall_ = wall;
    tail_at_.reserve(options_.tail_rows);
    tail_.reserve(options_.tail_rows * tail_width_);
  }
  tail_at_.push_back(at);
  tail_.insert(tail_.end(), row.begin(), row.end());
  if (restart_pending_) restarts_.push_back(at);
  restart_pending_ = false;
  expire(at);
  return true;
}

// The tail's rows go into the youngest block if they fit there, else into a new one.
void MemberSeries::spill() {
  if (tail_at_.empty()) return;
  Block next;
  const bool extend =
      !blocks_.empty() && blocks_.back().rows() + tail_at_.size() <= options_.block_rows;
  const Block* const old = extend ? &blocks_.back() : nullptr;
  next.rows_ = tail_at_.size() + (old ? old->rows() : 0);
  next.first_at_ = old ? old->first_at_ : tail_at_.front();
  next.first_wall_ = old ? old->first_wall_ : tail_first_wall_;
  next.last_at_ = tail_at_.back();

  std::vector<double> values;
  values.reserve(next.rows_);
  const auto take_old = [&](std::span<const std::uint8_t> chunk) {
    values.clear();
    if (old == nullptr) return;
    ChunkReader reader(chunk);
    double value = 0;
    while (reader.next(value)) values.push_back(value);
    values.resize(old->rows(), kNaN);
  };
  std::vector<std::uint8_t> bytes;
  take_old(old ? old->times() : std::span<const std::uint8_t>{});
  for (const auto at : tail_at_) values.push_back(since_in_us(next.first_at_, at));
  encode_chunk(values, bytes);
  next.times_length_ = bytes.size();

  std::vector<Block::Entry> index;
  for (std::size_t column = 0; column < columns_; ++column) {
    const auto series = static_cast<SeriesId>(column);
    take_old(old ? old->chunk(series) : std::span<const std::uint8_t>{});
    for (std::size_t row = 0; row < tail_at_.size(); ++row) {
      values.push_back(column < tail_width_ ? tail_[row * tail_width_ + column] : kNaN);
    }
    if (std::ranges::all_of(values, [](double x) { return std::isnan(x); })) continue;
    index.push_back({series, static_cast<std::uint32_t>(bytes.size())});
    encode_chunk(values, bytes);
  }
  next.index_.assign(index.begin(), index.end());
  next.bytes_.assign(bytes.begin(), bytes.end());
  if (extend)
    blocks_.back() = std::move(next);
  else
    blocks_.push_back(std::move(next));
  tail_at_.clear();
  tail_.clear();
}

void MemberSeries::expire(SteadyTime now) {
  const SteadyTime oldest = now - options_.retention;
  while (!blocks_.empty() && blocks_.front().last_at() < oldest) blocks_.pop_front();
  while (!restarts_.empty() && restarts_.front() < oldest) restarts_.pop_front();
}

std::optional<SteadyTime> MemberSeries::last_restart() const {
  if (restarts_.empty()) return std::nullopt;
  return restarts_.back();
}

std::optional<SteadyTime> MemberSeries::last_at() const {
  if (!tail_at_.empty()) return tail_at_.back();
  if (!blocks_.empty()) return blocks_.back().last_at();
  return std::nullopt;
}

double MemberSeries::last(SeriesId series) const {
  if (!tail_at_.empty()) {
    return series < tail_width_ ? tail_[(tail_at_.size() - 1) * tail_width_ + series] : kNaN;
  }
  if (blocks_.empty()) return kNaN;
  double value = kNaN;
  ChunkReader reader(blocks_.back().chunk(series));
  while (reader.next(value)) {
  }
  return value;
}

std::size_t MemberSeries::rows() const {
  std::size_t rows = tail_at_.size();
  for (const auto& block : blocks_) rows += block.rows();
  return rows;
}

std::size_t MemberSeries::memory_bytes() const {
  std::size_t bytes = sizeof(MemberSeries) + dropped_.capacity() * sizeof(Dropped) +
                      tail_at_.capacity() * sizeof(SteadyTime) + tail_.capacity() * sizeof(double);
  for (const auto& block : blocks_) bytes += block.memory_bytes();
  return bytes;
}

SeriesWindow::SeriesWindow(const MemberSeries& series, SteadyTime from, SteadyTime to)
    : series_(&series) {
  for (const auto& block : series.blocks_) {
    if (block.last_at() < from || block.first_at() > to) continue;
    Part part{.block = &block, .skip = 0, .take = 0};
    ChunkReader times(block.times());
    double us = 0;
    while (times.next(us)) {
      const SteadyTime at = after_us(block.first_at(), us);
      if (at > to) break;
      if (at < from) {
        ++part.skip;
      } else {
        ++part.take;
        at_.push_back(at);
      }
    }
    if (part.take != 0) parts_.push_back(part);
  }
  const auto& tail = series.tail_at_;
  while (tail_from_ < tail.size() && tail[tail_from_] < from) ++tail_from_;
  for (std::size_t i = tail_from_; i < tail.size() && tail[i] <= to; ++i) at_.push_back(tail[i]);
}

double SeriesWindow::tail_value(std::size_t row, SeriesId series) const {
  if (series >= series_->tail_width_) return kNaN;
  return series_->tail_[row * series_->tail_width_ + series];
}

CounterWindow SeriesWindow::counter(SeriesId series) const {
  CounterWindow window;
  auto restart = series_->restarts_.begin();
  const auto end = series_->restarts_.end();
  for_each_run(series, [&](std::size_t row, std::size_t rows, double value) {
    bool restarted = false;
    while (restart != end && *restart <= at_[row]) {
      restarted = true;
      ++restart;
    }
    window.add(at_[row], value, restarted);
    const SteadyTime last = at_[row + rows - 1];
    std::size_t repeats = rows - 1;
    // A restart after which the counter came to the very same value.
    for (; restart != end && *restart <= last; ++restart, --repeats) {
      window.add(*restart, value, true);
    }
    if (repeats != 0) window.repeat(last, repeats);
  });
  return window;
}

GaugeWindow SeriesWindow::gauge(SeriesId series) const {
  GaugeWindow window;
  for_each(series, [&](SteadyTime at, double value) { window.add(at, value); });
  return window;
}

}  // namespace etcdmon::series
