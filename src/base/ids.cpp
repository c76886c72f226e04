#include "base/ids.hpp"

#include <charconv>

#include <fmt/format.h>

namespace etcdmon {

std::string to_hex(std::uint64_t value) {
  return fmt::format("{:x}", value);
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace etcdmon
