#include "collect/scrape/number.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>

namespace etcdmon::collect {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

const char* parse_word(const char* at, const char* end, std::string_view word) {
  for (const char want : word) {
    if (at == end || (*at | 0x20) != want) return nullptr;
    ++at;
  }
  return at;
}

// Digits as one integer, as long as it fits: from there one exact multiplication or division by a
// power of ten rounds correctly (both operands are exact doubles).
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
  bool exact = true;  ///< `digits` holds all of them
};

const char* parse_digits(const char* at, const char* end, Decimal& out) {
  const char* const start = at;
  bool any = false;
  bool fraction = false;
  for (; at != end; ++at) {
    if (*at == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (!is_digit(*at)) break;
    any = true;
    if (out.digits >= std::numeric_limits<std::uint64_t>::max() / 10 - 1) out.exact = false;
    if (out.exact) {
      out.digits = out.digits * 10 + static_cast<std::uint64_t>(*at - '0');
      out.exponent -= fraction ? 1 : 0;
    }
  }
  return any && at != start ? at : nullptr;
}

const char* parse_exponent(const char* at, const char* end, Decimal& out) {
  if (at == end || (*at | 0x20) != 'e') return at;
  ++at;
  const bool negative = at != end && *at == '-';
  if (at != end && (*at == '-' || *at == '+')) ++at;
  if (at == end || !is_digit(*at)) return nullptr;
  int exponent = 0;
  for (; at != end && is_digit(*at); ++at) {
    if (exponent < 100'000) exponent = exponent * 10 + (*at - '0');
  }
  out.exponent += negative ? -exponent : exponent;
  return at;
}

constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

}  // namespace

const char* parse_number(const char* at, const char* end, double& out) {
  if (at == end) return nullptr;
  const bool negative = *at == '-';
  if (*at == '-' || *at == '+') ++at;
  if (at == end) return nullptr;

  if (!is_digit(*at) && *at != '.') {
    if (const char* after = parse_word(at, end, "nan")) {
      out = std::numeric_limits<double>::quiet_NaN();
      return after;
    }
    const char* after = parse_word(at, end, "inf");
    if (after == nullptr) return nullptr;
    if (const char* longer = parse_word(after, end, "inity")) after = longer;
    out = negative ? -std::numeric_limits<double>::infinity()
                   : std::numeric_limits<double>::infinity();
    return after;
  }

  Decimal decimal;
  const char* const first = at;
  at = parse_digits(at, end, decimal);
  if (at == nullptr) return nullptr;
  const char* const after = parse_exponent(at, end, decimal);
  if (after == nullptr) return nullptr;

  constexpr std::uint64_t kExactIntegers = std::uint64_t{1} << 53U;
  if (decimal.exact && decimal.digits <= kExactIntegers && decimal.exponent >= -22 &&
      decimal.exponent <= 22) {
    const auto digits = static_cast<double>(decimal.digits);
    out = decimal.exponent < 0 ? digits / kPowersOfTen[static_cast<std::size_t>(-decimal.exponent)]
                               : digits * kPowersOfTen[static_cast<std::size_t>(decimal.exponent)];
  } else {
    const auto [stop, error] = std::from_chars(first, after, out);
    if (error != std::errc{} || stop != after) return nullptr;
  }
  if (negative) out = -out;
  return after;
}

}  // namespace etcdmon::collect
