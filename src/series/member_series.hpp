// series/member_series.hpp: the last hour of one member's values, delta-coded in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "series/chunk.hpp"
#include "series/windows.hpp"

namespace etcdmon::series {

/// A place in a row. Dense: 0, 1, 2, … in the order of MemberSeries::add_column().
using SeriesId = std::uint16_t;

/// Consecutive rows, a chunk for each series that has a value in them, and one for their times.
class Block {
 public:
  std::size_t rows() const { return rows_; }
  SteadyTime first_at() const { return first_at_; }
  SteadyTime last_at() const { return last_at_; }
  /// Wall time of the first row. Later ones follow from the steady times.
  WallTime first_wall() const { return first_wall_; }

  /// Steady times since first_at() in microseconds, as a chunk like any other.
  std::span<const std::uint8_t> times() const { return {bytes_.data(), times_length_}; }
  /// Empty where the series has no value in this block.
  std::span<const std::uint8_t> chunk(SeriesId series) const;
  std::size_t memory_bytes() const;

 private:
  friend class MemberSeries;
  struct Entry {
    SeriesId series;
    std::uint32_t offset;
  };

  std::size_t rows_ = 0;
  SteadyTime first_at_;
  SteadyTime last_at_;
  WallTime first_wall_;
  std::size_t times_length_ = 0;
  std::vector<Entry> index_;  ///< by series
  std::vector<std::uint8_t> bytes_;
};

class SeriesWindow;

/// Rows of values at the moments they were seen, for one member. Old rows fall out by age.
///
/// New rows stand as plain doubles; every `tail_rows` of them move into the youngest block, which
/// is coded anew until it has `block_rows`. A full block never changes: history may store its
/// chunks as they are.
///
/// Threads: one owner.
class MemberSeries {
 public:
  struct Options {
    Duration retention = std::chrono::hours(1);
    std::size_t block_rows = 120;
    std::size_t tail_rows = 20;
    std::size_t max_columns = 2048;
  };
  explicit MemberSeries(Options options);
  MemberSeries() : MemberSeries(Options{}) {}

  /// A place for one more series, perhaps one that had no value for longer than the retention.
  /// nullopt when there are max_columns already.
  std::optional<SeriesId> add_column();
  /// Gives a place back. Its values stay until they fall out; the place is used again after that.
  void drop_column(SeriesId series);
  std::size_t columns() const { return columns_; }

  /// Rows that are older now fall out with the next append().
  void set_retention(Duration retention) { options_.retention = retention; }

  /// One value per column; NaN where there is none. Rows with a time that is not after the last
  /// one's are refused (false). Times are kept to the microsecond.
  bool append(SteadyTime at, WallTime wall, std::span<const double> row);
  /// The member's process began anew between the last row and the next: counters started at 0.
  void note_restart() { restart_pending_ = true; }
  /// Time of the first row after the last known restart.
  std::optional<SteadyTime> last_restart() const;

  bool empty() const { return tail_at_.empty() && blocks_.empty(); }
  std::optional<SteadyTime> last_at() const;
  /// The last row's value, NaN where it had none.
  double last(SeriesId series) const;
  std::size_t rows() const;
  std::size_t memory_bytes() const;
  const std::deque<Block>& blocks() const { return blocks_; }

 private:
  friend class SeriesWindow;
  struct Dropped {
    SeriesId series;
    SteadyTime at;
  };

  void spill();
  void expire(SteadyTime now);

  Options options_;
  std::size_t columns_ = 0;
  std::vector<Dropped> dropped_;
  std::deque<Block> blocks_;  ///< all full, except perhaps the last
  std::vector<SteadyTime> tail_at_;
  std::vector<double> tail_;  ///< rows of tail_width_ values
  std::size_t tail_width_ = 0;
  WallTime tail_first_wall_;
  std::deque<SteadyTime> restarts_;
  bool restart_pending_ = false;
};

/// The rows with from <= time <= to, looked up once for any number of series.
/// Lifetime: the series outlive the window, and nothing is appended meanwhile.
class SeriesWindow {
 public:
  SeriesWindow(const MemberSeries& series, SteadyTime from, SteadyTime to);

  std::size_t rows() const { return at_.size(); }
  /// Time of the last row, whether a series has a value in it or not.
  std::optional<SteadyTime> last_at() const {
    return at_.empty() ? std::nullopt : std::optional(at_.back());
  }

  /// Calls f(time, value) for each row that has one, oldest first.
  template <class F>
  void for_each(SeriesId series, const F& f) const {
    for_each_run(series, [&](std::size_t row, std::size_t rows, double value) {
      for (; rows != 0; --rows, ++row) f(at_[row], value);
    });
  }

  CounterWindow counter(SeriesId series) const;
  GaugeWindow gauge(SeriesId series) const;

 private:
  struct Part {
    const Block* block;
    std::size_t skip;
    std::size_t take;
  };
  double tail_value(std::size_t row, SeriesId series) const;

  /// Calls f(first row, number of rows, value): rows of equal value together where that is cheap to
  /// know.
  template <class F>
  void for_each_run(SeriesId series, const F& f) const {
    std::size_t row = 0;
    double value = 0;
    for (const auto& part : parts_) {
      const std::size_t end = row + part.take;
      ChunkReader reader(part.block->chunk(series));
      if (reader.skip(part.skip)) {
        std::size_t rows = 0;
        for (; row != end && (rows = reader.next_run(value, end - row)) != 0; row += rows) {
          if (value == value) f(row, rows, value);
        }
      }
      row = end;
    }
    for (std::size_t i = tail_from_; row < at_.size(); ++i, ++row) {
      value = tail_value(i, series);
      if (value == value) f(row, std::size_t{1}, value);
    }
  }

  const MemberSeries* series_;
  std::vector<SteadyTime> at_;
  std::vector<Part> parts_;
  std::size_t tail_from_ = 0;
};

}  // namespace etcdmon::series
