#include "series/chunk.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace etcdmon::series {
namespace {

using testing::ElementsAre;
using testing::Le;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::vector<std::uint8_t> encode(const std::vector<double>& values) {
  std::vector<std::uint8_t> bytes;
  encode_chunk(values, bytes);
  return bytes;
}

void expect_same(const std::vector<double>& got, const std::vector<double>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i])) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
    } else {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(got[i]), std::bit_cast<std::uint64_t>(want[i]))
          << i << ": " << got[i] << " for " << want[i];
    }
  }
}

struct Case {
  const char* name;
  std::vector<double> values;
  std::size_t at_most;  ///< bytes
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

std::vector<double> steps(std::size_t n, double start, double step) {
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(start + step * static_cast<double>(i));
  return out;
}

class Chunk : public testing::TestWithParam<Case> {};

TEST_P(Chunk, ComesBackBitByBit) {
  const auto bytes = encode(GetParam().values);
  const auto back = decode_chunk(bytes);
  ASSERT_TRUE(back) << back.error().message;
  expect_same(*back, GetParam().values);
  EXPECT_THAT(bytes.size(), Le(GetParam().at_most));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Chunk,
    testing::Values(Case{"One", {42}, 4}, Case{"Zero", {0}, 4},
                    Case{"NegativeZero", {-0.0, 0.0, -0.0}, 24},
                    Case{"ConstantCostsNothing", std::vector<double>(120, 2147483648), 7},
                    Case{"SteadyCounter", steps(120, 1e9, 1000), 14},
                    Case{"PageMultiples", {8192, 12288, 4096, 4096, 40960}, 12},
                    Case{"Negative", {-1, -5, 3, -9007199254740992, 9007199254740992}, 40},
                    Case{"CpuSeconds", {0.12, 0.13, 0.13, 0.27, 12.5}, 16},
                    Case{"Microseconds", {0.000654, 0.001203, 1.000001}, 24},
                    Case{"StartTime", std::vector<double>(120, 1.79542914393e+09), 12},
                    Case{"Fractions", {0.1 + 0.2, 1.0 / 3, 1e-300, 5e300}, 48},
                    Case{"FractionsThatStay", std::vector<double>(600, 1.0 / 3), 20},
                    Case{"Infinite", {kInf, kInf, -kInf, 1}, 32},
                    Case{"Large", {1e16, 1e17, 1.5e18, 1.8446744073709552e+19}, 40},
                    Case{"Gaps", {kNaN, 1, kNaN, kNaN, 2, kNaN}, 8},
                    Case{"LongGaps",
                         [] {
                           std::vector<double> v(300, kNaN);
                           v[299] = 7;
                           return v;
                         }(),
                         48}),
    testing::PrintToStringParamName());

TEST(ChunkFormat, IsWhatTheHeaderSays) {
  EXPECT_THAT(encode({5, 5, 5, 7}), ElementsAre(0x10, 4, 0, 10, 3, 8));
  EXPECT_THAT(encode({0, 10, 20, 30}), ElementsAre(0x11, 4, 1, 0, 20, 3));
  EXPECT_THAT(encode({0.5, kNaN}), ElementsAre(0x18, 2, 1, 129, 10));
  EXPECT_THAT(encode({kInf, kInf, kInf, -kInf}),
              ElementsAre(0x12, 4, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F, 129, 7, 0x80));
}

TEST(ChunkFormat, RefusesOtherVersionsAndKinds) {
  EXPECT_FALSE(decode_chunk({}));
  for (const std::vector<std::uint8_t>& bytes : {std::vector<std::uint8_t>{0x20, 1, 0, 0},
                                                 {0x13, 1, 0, 0},
                                                 {0x10, 0, 0, 0},
                                                 {0x10},
                                                 {0x10, 1},
                                                 {0x10, 1, 0},
                                                 {0x10, 1, 64, 0},
                                                 {0x10, 1, 128, 0},
                                                 {0x10, 1, 138, 0},
                                                 {0x10, 1, 0, 0, 0},
                                                 {0x10, 2, 0, 0},
                                                 {0x10, 3, 0, 0, 5},
                                                 {0x18, 9, 1, 0, 0},
                                                 {0x10, 0xFF, 0xFF, 0xFF, 0x7F, 0, 0},
                                                 {0x12, 1, 0, 0, 0},
                                                 {0x12, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x3F},
                                                 {0x12, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x40}}) {
    EXPECT_FALSE(decode_chunk(bytes)) << testing::PrintToString(bytes);
  }
}

TEST(ChunkProperty, AnyBitsComeBack) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint64_t>& bits) {
    std::vector<double> values{1};
    for (const auto b : bits) values.push_back(std::bit_cast<double>(b));
    const auto back = decode_chunk(encode(values));
    RC_ASSERT(back.has_value());
    expect_same(*back, values);
  }));
}

TEST(ChunkProperty, IntegersWithGapsAndRunsComeBack) {
  EXPECT_TRUE(rc::check([](const std::vector<std::int32_t>& numbers) {
    std::vector<double> values{0};
    for (const auto n : numbers) {
      if (n % 5 == 0)
        values.push_back(kNaN);
      else
        values.insert(values.end(), 1 + static_cast<std::size_t>(n % 3 == 0), n);
    }
    const auto back = decode_chunk(encode(values));
    RC_ASSERT(back.has_value());
    expect_same(*back, values);
  }));
}

TEST(ChunkProperty, DecimalsComeBack) {
  EXPECT_TRUE(rc::check([](const std::vector<std::int32_t>& numbers) {
    std::vector<double> values{0};
    for (const auto n : numbers) values.push_back(n / 1e6);
    const auto back = decode_chunk(encode(values));
    RC_ASSERT(back.has_value());
    expect_same(*back, values);
  }));
}

TEST(ChunkProperty, SkippingAndRunsSeeTheSameRows) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& seeds, bool fractions, bool gaps) {
    std::vector<double> values{0};
    for (const auto seed : seeds) {
      const double value = values.back() + (seed % 4 == 0 ? seed / (fractions ? 7.0 : 1.0) : 0);
      values.insert(values.end(), 1 + seed % 5U, std::isnan(value) ? 3 : value);
      if (gaps && seed % 11 == 0) values.push_back(kNaN);
    }
    const auto bytes = encode(values);
    for (const std::size_t start : {std::size_t{0}, values.size() / 3, values.size()}) {
      ChunkReader reader(bytes);
      RC_ASSERT(reader.skip(start));
      std::vector<double> rest;
      double value = 0;
      while (const auto rows = reader.next_run(value, 4)) {
        RC_ASSERT(rows <= 4U);
        rest.insert(rest.end(), rows, value);
      }
      expect_same(rest, {values.begin() + static_cast<std::ptrdiff_t>(start), values.end()});
      RC_ASSERT(reader.exhausted());
    }
    ChunkReader reader(bytes);
    RC_ASSERT(!reader.skip(values.size() + 1));
  }));
}

TEST(ChunkProperty, BrokenBytesAreRefusedOrDecodedNeverMore) {
  EXPECT_TRUE(rc::check([](std::vector<std::uint8_t> bytes) {
    bytes.insert(bytes.begin(), 0x10);
    for (const int kind : {0, 1, 2, 8, 9, 10}) {
      bytes[0] = static_cast<std::uint8_t>(0x10 + kind);
      const auto got = decode_chunk(bytes);
      RC_ASSERT(!got || got->size() <= kMaxChunkRows);
    }
  }));
}

TEST(ChunkFormat, EveryTruncationIsSeen) {
  std::mt19937 random(1);
  std::vector<double> values;
  for (int i = 0; i < 50; ++i) values.push_back(i % 7 == 0 ? kNaN : static_cast<double>(random()));
  for (const double last : {1.0, 0.1}) {
    values.push_back(last);
    const auto bytes = encode(values);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      EXPECT_FALSE(decode_chunk(std::span(bytes).first(n))) << n;
    }
  }
}

}  // namespace
}  // namespace etcdmon::series
