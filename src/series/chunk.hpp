// series/chunk.hpp: a run of one series' values in few bytes; memory and history hold the same
// form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace etcdmon::series {

/// The form, version 1. All of it is bytes; "varint" is LEB128: seven bits a byte, lowest first.
///
///     byte    version << 4 | has_gaps << 3 | kind        kind: 0 delta, 1 delta of delta, 2 xor
///     varint  number of rows
///     bytes   if has_gaps: a bit a row, lowest bit first; 0 = no value (NaN). At least one bit
///     is 1.
///
///     delta, delta of delta: the values are whole numbers n once scaled.
///     byte    scale: s < 64: value = n * 2^s; 128 + e: value = n / 10^e
///     varint  zigzag of the first n
///     varint  for each further step (n - previous n; or the change of that step, the first one
///             counting from 0): bit 0 set: a run of (token >> 1) + 1 steps that are 0;
///             else zigzag(step) << 1
///
///     xor: any double.
///     8 bytes the first value, little-endian IEEE 754
///     byte    for each further value: 128 + n: n + 1 values equal to the one before; else
///             leading << 3 | trailing zero *bytes* of the exclusive or with the one before,
///             then its 8 - leading - trailing bytes between, lowest first
///
/// A value comes back bit by bit as it went in, except that every NaN becomes the same NaN.
inline constexpr std::uint8_t kChunkVersion = 1;
inline constexpr std::size_t kMaxChunkRows = 65'536;

/// Appends a chunk of `values` to `out`. At least one value is not NaN; at most kMaxChunkRows.
void encode_chunk(std::span<const double> values, std::vector<std::uint8_t>& out);

/// Errors: kDataLoss when the bytes are no chunk of a version known here, or have a wrong length.
Result<std::vector<double>> decode_chunk(std::span<const std::uint8_t> bytes);

/// Reads a chunk value by value; allocates nothing.
/// Lifetime: the bytes outlive the reader.
class ChunkReader {
 public:
  ChunkReader() = default;  ///< no rows
  explicit ChunkReader(std::span<const std::uint8_t> bytes);

  std::size_t rows() const { return rows_; }
  /// The next row's value, NaN where there is none; false at the end or when the bytes are broken.
  bool next(double& out);
  /// As next(), for up to `most` rows (at least 1) that have the same value: says how many; 0 at
  /// the end. May stop short of the run's end.
  std::size_t next_run(double& out, std::size_t most);
  /// Leaves out `rows` rows, cheaper than reading them. False when there are not so many.
  bool skip(std::size_t rows);
  bool broken() const { return broken_; }
  /// True behind the last row when no byte is left over.
  bool exhausted() const { return !broken_ && row_ == rows_ && at_ == end_ && run_ == 0; }

 private:
  bool next_present(double& out);
  bool next_step(std::int64_t& out);
  bool next_xor(double& out);
  bool read_varint(std::uint64_t& out);
  bool fail();

  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  const std::uint8_t* gaps_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t row_ = 0;
  std::size_t present_ = 0;  ///< values read so far
  std::uint64_t run_ = 0;    ///< steps of 0, or equal values, still to come
  std::int64_t number_ = 0;
  std::int64_t step_ = 0;
  std::uint64_t bits_ = 0;
  double multiply_ = 1;
  double divide_ = 1;
  std::uint8_t kind_ = 0;
  bool broken_ = false;
};

}  // namespace etcdmon::series
