// Chunks are read back from disk: broken bytes are refused or decode to a bounded number of values,
// and what decodes, encodes and decodes to the same again.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "series/chunk.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etcdmon::series;
  const auto values = decode_chunk({data, size});
  if (!values) return 0;
  ETCDMON_ASSERT(values->size() <= kMaxChunkRows);
  if (std::ranges::all_of(*values, [](double x) { return std::isnan(x); })) return 0;
  std::vector<std::uint8_t> bytes;
  encode_chunk(*values, bytes);
  const auto again = decode_chunk(bytes);
  ETCDMON_ASSERT(again && again->size() == values->size());
  for (std::size_t i = 0; i < values->size(); ++i) {
    const double a = (*values)[i];
    const double b = (*again)[i];
    ETCDMON_ASSERT(std::isnan(a)
                       ? std::isnan(b)
                       : std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b));
  }
  return 0;
}
