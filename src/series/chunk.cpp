#include "series/chunk.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "base/assert.hpp"

namespace etcdmon::series {

namespace {

constexpr std::uint8_t kDelta = 0;
constexpr std::uint8_t kDeltaOfDelta = 1;
constexpr std::uint8_t kXor = 2;
constexpr std::uint8_t kHasGaps = 8;
constexpr std::uint8_t kDecimal = 128;
constexpr std::uint8_t kEqualRun = 128;
constexpr std::int64_t kLargest = std::int64_t{1} << 53;

constexpr std::array<double, 10> kTens = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

void put_varint(std::vector<std::uint8_t>& out, std::uint64_t value) {
  while (value >= 128) {
    out.push_back(static_cast<std::uint8_t>(value | 128U));
    value >>= 7U;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint64_t zigzag(std::int64_t n) {
  return (static_cast<std::uint64_t>(n) << 1U) ^ static_cast<std::uint64_t>(n >> 63);
}
std::int64_t unzigzag(std::uint64_t u) {
  return static_cast<std::int64_t>(u >> 1U) ^ -static_cast<std::int64_t>(u & 1U);
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

std::optional<std::int64_t> whole(double scaled) {
  if (!(std::abs(scaled) <= static_cast<double>(kLargest))) return std::nullopt;
  return static_cast<std::int64_t>(std::nearbyint(scaled));
}

struct Scaled {
  std::vector<std::int64_t> numbers;
  std::uint8_t scale = 0;
};

std::optional<Scaled> as_integers(std::span<const double> values) {
  Scaled out;
  std::uint64_t all = 0;
  for (const double x : values) {
    const auto n = whole(x);
    if (!n || !same_bits(static_cast<double>(*n), x)) return std::nullopt;
    out.numbers.push_back(*n);
    all |= static_cast<std::uint64_t>(*n);
  }
  // Sizes are multiples of a page: the zeros below need not be stored in every step.
  if (all != 0) out.scale = static_cast<std::uint8_t>(std::countr_zero(all));
  for (auto& n : out.numbers) n >>= out.scale;
  return out;
}

std::optional<Scaled> as_decimals(std::span<const double> values) {
  for (std::size_t e = 1; e < kTens.size(); ++e) {
    Scaled out;
    out.scale = static_cast<std::uint8_t>(kDecimal + e);
    const bool exact = std::ranges::all_of(values, [&](double x) {
      const auto n = whole(x * kTens[e]);
      if (!n || !same_bits(static_cast<double>(*n) / kTens[e], x)) return false;
      out.numbers.push_back(*n);
      return true;
    });
    if (exact) return out;
  }
  return std::nullopt;
}

void put_steps(std::span<const std::int64_t> numbers, bool of_delta,
               std::vector<std::uint8_t>& out) {
  std::int64_t before = 0;
  std::uint64_t zeros = 0;
  const auto flush = [&] {
    if (zeros != 0) put_varint(out, (zeros - 1) << 1U | 1U);
    zeros = 0;
  };
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const std::int64_t delta = numbers[i] - numbers[i - 1];
    const std::int64_t step = of_delta ? delta - before : delta;
    before = delta;
    if (step == 0) {
      ++zeros;
    } else {
      flush();
      put_varint(out, zigzag(step) << 1U);
    }
  }
  flush();
}

void put_xor(std::span<const double> values, std::vector<std::uint8_t>& out) {
  auto before = std::bit_cast<std::uint64_t>(values[0]);
  for (unsigned i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(before >> (8 * i)));
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint64_t>(values[i]);
    const std::uint64_t change = bits ^ before;
    before = bits;
    if (change == 0) {
      const bool extends = out.back() >= kEqualRun && out.back() < 255 && i > 1 &&
                           same_bits(values[i - 1], values[i - 2]);
      if (extends)
        ++out.back();
      else
        out.push_back(kEqualRun);
      continue;
    }
    const auto leading = static_cast<unsigned>(std::countl_zero(change)) / 8;
    const auto trailing = static_cast<unsigned>(std::countr_zero(change)) / 8;
    out.push_back(static_cast<std::uint8_t>(leading << 3U | trailing));
    for (unsigned b = trailing; b < 8 - leading; ++b) {
      out.push_back(static_cast<std::uint8_t>(change >> (8 * b)));
    }
  }
}

}  // namespace

void encode_chunk(std::span<const double> values, std::vector<std::uint8_t>& out) {
  ETCDMON_ASSERT(values.size() <= kMaxChunkRows);
  std::vector<double> present;
  present.reserve(values.size());
  for (const double x : values) {
    if (!std::isnan(x)) present.push_back(x);
  }
  ETCDMON_ASSERT(!present.empty());

  const std::size_t head = out.size();
  out.push_back(0);
  put_varint(out, values.size());
  std::uint8_t flags = kChunkVersion << 4U;
  if (present.size() != values.size()) {
    flags |= kHasGaps;
    const std::size_t bits = out.size();
    out.resize(bits + (values.size() + 7) / 8);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const unsigned bit = std::isnan(values[i]) ? 0U : 1U;
      out[bits + i / 8] = static_cast<std::uint8_t>(out[bits + i / 8] | bit << (i % 8));
    }
  }

  auto numbers = as_integers(present);
  if (!numbers) numbers = as_decimals(present);
  if (!numbers) {
    out[head] = flags | kXor;
    put_xor(present, out);
    return;
  }
  out.push_back(numbers->scale);
  put_varint(out, zigzag(numbers->numbers[0]));
  const std::size_t body = out.size();
  put_steps(numbers->numbers, false, out);
  const std::size_t plain = out.size() - body;
  put_steps(numbers->numbers, true, out);
  const std::size_t second = out.size() - body - plain;
  if (second < plain) {
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(body),
              out.begin() + static_cast<std::ptrdiff_t>(body + plain));
    out[head] = flags | kDeltaOfDelta;
  } else {
    out.resize(body + plain);
    out[head] = flags | kDelta;
  }
}

ChunkReader::ChunkReader(std::span<const std::uint8_t> bytes)
    : at_(bytes.data()), end_(at_ + bytes.size()) {
  if (bytes.empty() || bytes[0] >> 4U != kChunkVersion) {
    fail();
    return;
  }
  kind_ = bytes[0] & 7U;
  const bool gaps = (bytes[0] & kHasGaps) != 0;
  ++at_;
  std::uint64_t rows = 0;
  if (kind_ > kXor || !read_varint(rows) || rows == 0 || rows > kMaxChunkRows) {
    fail();
    return;
  }
  if (gaps) {
    const auto length = static_cast<std::ptrdiff_t>((rows + 7) / 8);
    if (end_ - at_ < length) {
      fail();
      return;
    }
    gaps_ = at_;
    at_ += length;
  }
  if (kind_ != kXor) {
    if (at_ == end_ || (*at_ >= 64 && (*at_ <= kDecimal || *at_ >= kDecimal + kTens.size()))) {
      fail();
      return;
    }
    const std::uint8_t scale = *at_++;
    if (scale < kDecimal)
      multiply_ = static_cast<double>(std::uint64_t{1} << scale);
    else
      divide_ = kTens[scale - kDecimal];
  }
  rows_ = static_cast<std::size_t>(rows);
}

bool ChunkReader::fail() {
  broken_ = true;
  rows_ = row_ = 0;
  return false;
}

bool ChunkReader::read_varint(std::uint64_t& out) {
  out = 0;
  for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
    const std::uint64_t byte = *at_++;
    out |= (byte & 127U) << shift;
    if (byte < 128) return shift < 63 || byte <= 1;
  }
  return false;
}

bool ChunkReader::next(double& out) {
  if (row_ == rows_) return false;
  const std::size_t row = row_++;
  if (gaps_ != nullptr && (gaps_[row / 8] >> (row % 8) & 1U) == 0) {
    out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  return next_present(out) || fail();
}

std::size_t ChunkReader::next_run(double& out, std::size_t most) {
  if (!next(out)) return 0;
  // Steps of 0 leave a number as it is, except where they are changes of a step that is not.
  const bool still = gaps_ == nullptr && (kind_ != kDeltaOfDelta || step_ == 0);
  if (!still) return 1;
  const auto more = static_cast<std::size_t>(
      std::min<std::uint64_t>({run_, most - 1, std::uint64_t{rows_ - row_}}));
  run_ -= more;
  row_ += more;
  present_ += more;
  return 1 + more;
}

bool ChunkReader::skip(std::size_t rows) {
  double ignored = 0;
  while (rows != 0) {
    const std::size_t taken = next_run(ignored, rows);
    if (taken == 0) return false;
    rows -= taken;
  }
  return true;
}

bool ChunkReader::next_present(double& out) {
  const bool first = present_++ == 0;
  if (kind_ == kXor) {
    if (!first) return next_xor(out);
    if (end_ - at_ < 8) return false;
    for (unsigned i = 0; i < 8; ++i) bits_ |= std::uint64_t{*at_++} << (8 * i);
    out = std::bit_cast<double>(bits_);
    return true;
  }
  if (first) {
    std::uint64_t token = 0;
    if (!read_varint(token)) return false;
    number_ = unzigzag(token);
  } else {
    std::int64_t step = 0;
    if (!next_step(step)) return false;
    // Unsigned, since broken bytes may overflow.
    const auto add = [](std::int64_t a, std::int64_t b) {
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) +
                                       static_cast<std::uint64_t>(b));
    };
    step_ = kind_ == kDeltaOfDelta ? add(step_, step) : step;
    number_ = add(number_, step_);
  }
  // One of the two is 1, and a division by 1 or a product with 1 changes nothing.
  out = static_cast<double>(number_) * multiply_ / divide_;
  return true;
}

bool ChunkReader::next_step(std::int64_t& out) {
  out = 0;
  if (run_ != 0) {
    --run_;
    return true;
  }
  std::uint64_t token = 0;
  if (!read_varint(token)) return false;
  if ((token & 1U) != 0)
    run_ = token >> 1U;
  else
    out = unzigzag(token >> 1U);
  return true;
}

bool ChunkReader::next_xor(double& out) {
  if (run_ != 0) {
    --run_;
  } else {
    if (at_ == end_) return false;
    const unsigned control = *at_++;
    if (control >= kEqualRun) {
      run_ = control - kEqualRun;
    } else {
      const unsigned leading = control >> 3U & 7U;
      const unsigned trailing = control & 7U;
      if (control >= 64 || leading + trailing > 7) return false;
      if (end_ - at_ < static_cast<std::ptrdiff_t>(8 - leading - trailing)) return false;
      for (unsigned b = trailing; b < 8 - leading; ++b) bits_ ^= std::uint64_t{*at_++} << (8 * b);
    }
  }
  out = std::bit_cast<double>(bits_);
  return true;
}

Result<std::vector<double>> decode_chunk(std::span<const std::uint8_t> bytes) {
  ChunkReader reader(bytes);
  std::vector<double> values;
  values.reserve(reader.rows());
  double value = 0;
  while (reader.next(value)) values.push_back(value);
  if (!reader.exhausted()) return Error{ErrorCode::kDataLoss, "decoding a chunk: broken bytes"};
  return values;
}

}  // namespace etcdmon::series
