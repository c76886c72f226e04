#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace etcdmon {

namespace {

using std::chrono::nanoseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kDurationUnits = {
    Unit{"ns", 1},
    Unit{"us", 1'000},
    Unit{"µs", 1'000},
    Unit{"ms", 1'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"d", 86'400'000'000'000},
};

constexpr std::array kByteUnits = {
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"K", 1U << 10U},
    Unit{"KB", 1000},
    Unit{"KiB", 1U << 10U},
    Unit{"M", 1U << 20U},
    Unit{"MB", 1'000'000},
    Unit{"MiB", 1U << 20U},
    Unit{"G", 1U << 30U},
    Unit{"GB", 1'000'000'000},
    Unit{"GiB", 1U << 30U},
    Unit{"T", 1ULL << 40U},
    Unit{"TB", 1'000'000'000'000},
    Unit{"TiB", 1ULL << 40U},
};

Error bad_duration(std::string_view text) {
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format(
          "\"{}\" is not a duration; write a number with a unit, such as 300ms, 30s or 1h30m",
          text)};
}

Error bad_bytes(std::string_view text) {
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("\"{}\" is not a size; write a number with a unit, such as 512KiB, 16MiB or 8GiB",
                  text)};
}

// Takes a decimal number off the front of `text`.
bool take_number(std::string_view& text, double& value) {
  const auto digits = text.find_first_not_of("0123456789.");
  const auto length = digits == std::string_view::npos ? text.size() : digits;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + length) return false;
  text.remove_prefix(length);
  return true;
}

}  // namespace

Result<nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return nanoseconds{0};
  std::string_view rest = text;
  if (rest.empty()) return bad_duration(text);
  double total = 0;
  while (!rest.empty()) {
    double number = 0;
    if (!take_number(rest, number)) return bad_duration(text);
    const auto next = rest.find_first_of("0123456789.");
    const auto name = rest.substr(0, next);
    const auto* unit = std::find_if(kDurationUnits.begin(), kDurationUnits.end(),
                                    [name](const Unit& u) { return u.name == name; });
    if (unit == kDurationUnits.end()) return bad_duration(text);
    total += number * static_cast<double>(unit->factor);
    rest.remove_prefix(name.size());
  }
  if (total >= 9.2e18) return bad_duration(text);
  return nanoseconds{std::llround(total)};
}

std::string format_duration(nanoseconds duration) {
  auto left = static_cast<std::uint64_t>(duration.count());
  if (left == 0) return "0s";
  if (left < 1'000'000'000) {
    if (left % 1'000'000 == 0) return fmt::format("{}ms", left / 1'000'000);
    if (left % 1'000 == 0) return fmt::format("{}us", left / 1'000);
    return fmt::format("{}ns", left);
  }
  std::string out;
  for (const auto& [name, factor] : {Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000}}) {
    if (left >= factor) out += fmt::format("{}{}", left / factor, name);
    left %= factor;
  }
  if (left % 1'000'000'000 == 0) {
    if (left != 0) out += fmt::format("{}s", left / 1'000'000'000);
  } else {
    // Not as a double: that prints small fractions with an exponent, which parse_duration refuses.
    out += fmt::format("{}.{:09}", left / 1'000'000'000, left % 1'000'000'000);
    out.erase(out.find_last_not_of('0') + 1);
    out += 's';
  }
  return out;
}

Result<Bytes> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  double number = 0;
  if (rest.empty() || !take_number(rest, number)) return bad_bytes(text);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const auto* unit = std::find_if(kByteUnits.begin(), kByteUnits.end(),
                                  [rest](const Unit& u) { return u.name == rest; });
  if (unit == kByteUnits.end()) return bad_bytes(text);
  const double total = number * static_cast<double>(unit->factor);
  if (total >= 1.8e19) return bad_bytes(text);
  return Bytes{static_cast<std::uint64_t>(std::llround(total))};
}

std::string format_bytes(Bytes bytes) {
  for (const auto& [name, shift] : {std::pair{"GiB", 30U}, {"MiB", 20U}, {"KiB", 10U}}) {
    const std::uint64_t unit = std::uint64_t{1} << shift;
    if (bytes.value >= unit && bytes.value % unit == 0)
      return fmt::format("{}{}", bytes.value / unit, name);
  }
  return fmt::format("{}", bytes.value);
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kNames = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", bytes);
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace etcdmon
