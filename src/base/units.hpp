// base/units.hpp: sizes and durations as people write them, with their unit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon {

/// A count of bytes.
struct Bytes {
  std::uint64_t value = 0;
  constexpr auto operator<=>(const Bytes&) const = default;
};

namespace literals {
constexpr Bytes operator""_KiB(unsigned long long n) {
  return Bytes{n << 10U};
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return Bytes{n << 20U};
}
constexpr Bytes operator""_GiB(unsigned long long n) {
  return Bytes{n << 30U};
}
}  // namespace literals

/// Go's form, as etcd's own flags take it: "300ms", "1.5h", "1h30m", "0". Negative is refused.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// The shortest exact form: "30s", "1m30s", "250ms", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

/// "16MiB", "8GB", "4096", "512 KiB"; B, K/KB/KiB, M, G, T. KB is 1000 bytes, KiB 1024.
Result<Bytes> parse_bytes(std::string_view text);
/// The largest binary unit that divides exactly: "16MiB"; else plain bytes.
std::string format_bytes(Bytes bytes);
/// For people, rounded: "1.9 GiB".
std::string human_bytes(std::uint64_t bytes);

}  // namespace etcdmon
