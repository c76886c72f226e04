// Durations and sizes come from flags, files and the environment: what parses, prints as something
// that parses the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/assert.hpp"
#include "base/ids.hpp"
#include "base/units.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto duration = etcdmon::parse_duration(text)) {
    const auto again = etcdmon::parse_duration(etcdmon::format_duration(*duration));
    ETCDMON_ASSERT(again);
    // Beyond 104 days nanoseconds are rounded to a double's precision, by each part of the text
    // anew.
    if (duration->count() < (1LL << 53)) ETCDMON_ASSERT(*again == *duration);
  }
  if (const auto bytes = etcdmon::parse_bytes(text)) {
    const auto again = etcdmon::parse_bytes(etcdmon::format_bytes(*bytes));
    ETCDMON_ASSERT(again && *again == *bytes);
  }
  if (const auto id = etcdmon::parse_hex(text)) {
    ETCDMON_ASSERT(etcdmon::parse_hex(etcdmon::to_hex(*id)) == id);
  }
  return 0;
}
