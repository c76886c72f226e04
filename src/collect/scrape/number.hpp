// collect/scrape/number.hpp: numbers of the exposition format, whatever the locale.
#pragma once

#include <cstdint>

namespace etcdmon::collect {

/// Reads the number that starts at `at`; returns the first character after it, or nullptr if none
/// is there. Decimal with optional fraction and exponent, "NaN", "Inf", "+Inf", "-Inf" and
/// "Infinity" in any case; no hexadecimal, no leading blanks. The result is the nearest double.
const char* parse_number(const char* at, const char* end, double& out);

/// The same, quicker where the number is a short run of digits, as most of a page are.
inline const char* parse_number_fast(const char* at, const char* end, double& out) {
  constexpr int kSafeDigits = 15;  // always exact in a double
  std::uint64_t value = 0;
  const char* p = at;
  const char* const limit = end - at > kSafeDigits ? at + kSafeDigits : end;
  while (p != limit && static_cast<unsigned char>(*p - '0') <= 9) {
    value = value * 10 + static_cast<unsigned char>(*p - '0');
    ++p;
  }
  if (p != at && (p == end || *p == '\n')) {
    out = static_cast<double>(value);
    return p;
  }
  return parse_number(at, end, out);
}

}  // namespace etcdmon::collect
