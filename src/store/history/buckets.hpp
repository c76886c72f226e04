// store/history/buckets.hpp: values in buckets of time, and buckets as bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "store/history/history.hpp"

namespace etcdmon::store {

/// Milliseconds since 1970: history's time on disk.
using HistoryMs = std::int64_t;
HistoryMs to_ms(WallTime time);
WallTime from_ms(HistoryMs ms);
/// The multiple of `width` at or below `at`, also before 1970.
constexpr HistoryMs floor_to(HistoryMs at, HistoryMs width) {
  const HistoryMs rest = at % width;
  return at - (rest < 0 ? rest + width : rest);
}

/// What was seen in [from, to), in buckets `step` wide that begin at multiples of it.
class Buckets {
 public:
  Buckets(HistoryMs from, HistoryMs to, HistoryMs step);

  /// A value as it was collected; NaN and what is out of the range are left out.
  void add(HistoryMs at, double value);
  /// A bucket of a finer width, by its begin. Of two with the same time the later call is the last.
  void add(const HistoryPoint& point);
  /// Those that hold something.
  std::vector<HistoryPoint> take() const;

 private:
  struct Bucket {
    double min = 0;
    double max = 0;
    double sum = 0;
    double last = 0;
    HistoryMs last_at = 0;
    std::uint64_t count = 0;
  };
  void add(HistoryMs at, double min, double max, double sum, double last, std::uint64_t count);

  HistoryMs from_;
  HistoryMs to_;
  HistoryMs step_;
  HistoryMs begin_;
  std::vector<Bucket> buckets_;
};

/// The smallest multiple of `step` with which [from, to) has at most kMaxHistoryPoints buckets.
HistoryMs fitting_step(HistoryMs from, HistoryMs to, HistoryMs step);

/// `points` on the rows of a block that has them at `times`: five chunks of series/chunk.hpp (min,
/// max, average, last, count), each behind its length as four bytes, lowest first. Empty for no
/// points.
std::vector<std::uint8_t> encode_points(std::span<const HistoryMs> times,
                                        std::span<const HistoryPoint> points);
/// Errors: kDataLoss.
Result<std::vector<HistoryPoint>> decode_points(std::span<const HistoryMs> times,
                                                std::span<const std::uint8_t> bytes);

/// Times that grow, as a chunk of their distances from `first`.
std::vector<std::uint8_t> encode_times(HistoryMs first, std::span<const HistoryMs> times);
Result<std::vector<HistoryMs>> decode_times(HistoryMs first, std::span<const std::uint8_t> bytes);

}  // namespace etcdmon::store
