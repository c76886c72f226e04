#include "app/cli/ctl/text/go_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cwctype>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "base/base64.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool in_any(char32_t rune, std::initializer_list<std::pair<char32_t, char32_t>> ranges) {
  return std::ranges::any_of(ranges,
                             [rune](const auto& r) { return rune >= r.first && rune <= r.second; });
}

// unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and of all spaces only U+0020.
bool is_printable(char32_t rune) {
  if (rune < 0x7F) return rune >= 0x20;
  if (rune < 0xA1 || rune == 0xAD) return false;
  // Spaces, format characters, surrogates, private use.
  if (in_any(rune, {{0x600, 0x605},
                    {0x61C, 0x61C},
                    {0x6DD, 0x6DD},
                    {0x70F, 0x70F},
                    {0x1680, 0x1680},
                    {0x180E, 0x180E},
                    {0x2000, 0x200F},
                    {0x2028, 0x202F},
                    {0x205F, 0x206F},
                    {0x3000, 0x3000},
                    {0xD800, 0xF8FF},
                    {0xFEFF, 0xFEFF},
                    {0xFFF9, 0xFFFB},
                    {0xE0000, 0xE00FF},
                    {0xF0000, 0x10FFFF}})) {
    return false;
  }
  // What is assigned at all, the C library's tables know.
  static const locale_t kUnicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return kUnicode == nullptr || iswprint_l(static_cast<wint_t>(rune), kUnicode) != 0;
}

char short_escape(char32_t rune) {
  switch (rune) {
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    case '"':
    case '\\':
      return static_cast<char>(rune);
    default:
      return 0;
  }
}

void append_escaped(std::string& out, char32_t rune) {
  auto to = std::back_inserter(out);
  if (rune < 0x80) {
    fmt::format_to(to, "\\x{:02x}", static_cast<unsigned>(rune));
  } else if (rune < 0x10000) {
    fmt::format_to(to, "\\u{:04x}", static_cast<unsigned>(rune));
  } else {
    fmt::format_to(to, "\\U{:08x}", static_cast<unsigned>(rune));
  }
}

std::optional<std::uint32_t> take_digits(std::string_view& text, std::size_t count, int base) {
  if (text.size() < count) return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = text.data() + count;
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  text.remove_prefix(count);
  return value;
}

// After the backslash. False: not an escape of a Go string.
bool take_escape(std::string_view& text, std::string& out) {
  if (text.empty()) return false;
  constexpr std::string_view kNames = "abfnrtv\\\"";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\\"";
  const char c = text.front();
  if (const auto at = kNames.find(c); at != std::string_view::npos) {
    out += kValues[at];
    text.remove_prefix(1);
    return true;
  }
  if (c >= '0' && c <= '7') {
    const auto value = take_digits(text, 3, 8);
    if (!value || *value > 0xFF) return false;
    out += static_cast<char>(*value);
    return true;
  }
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits == 0) return false;
  text.remove_prefix(1);
  const auto value = take_digits(text, digits, 16);
  if (!value) return false;
  if (c == 'x') {
    out += static_cast<char>(*value);
    return true;
  }
  if (*value > 0x10FFFF || (*value >= 0xD800 && *value < 0xE000)) return false;
  append_rune(out, *value);
  return true;
}

std::optional<std::string> take_interpreted(std::string_view& text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return out;
    if (c == '\n') return std::nullopt;
    if (c != '\\') {
      out += c;
    } else if (!take_escape(text, out)) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// "1.5" for 1500 of 1000: the fraction without its zeros.
std::string with_fraction(std::uint64_t value, std::uint64_t unit) {
  std::string text = fmt::format("{}", value / unit);
  std::uint64_t rest = value % unit;
  if (rest == 0) return text;
  text += '.';
  for (unit /= 10; rest != 0; unit /= 10) {
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

Error syntax(std::string_view function, std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("strconv.{}: parsing {}: {}", function, go_quoted(text), why)};
}

}  // namespace

std::size_t decode_rune(std::string_view text, char32_t& rune) {
  const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const std::uint8_t first = byte(0);
  rune = first;
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  rune = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    rune = (rune << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
  const bool valid =
      rune >= kLowest[length] && rune <= 0x10FFFF && (rune < 0xD800 || rune >= 0xE000);
  return valid ? length : 0;
}

void append_rune(std::string& out, char32_t rune) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (rune < 0x80) return put(rune);
  if (rune < 0x800) {
    put(0xC0 | (rune >> 6U));
  } else {
    if (rune < 0x10000) {
      put(0xE0 | (rune >> 12U));
    } else {
      put(0xF0 | (rune >> 18U));
      put(0x80 | ((rune >> 12U) & 0x3FU));
    }
    put(0x80 | ((rune >> 6U) & 0x3FU));
  }
  put(0x80 | (rune & 0x3FU));
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    char32_t rune = 0;
    const auto length = decode_rune(text, rune);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}",
                     static_cast<unsigned>(static_cast<std::uint8_t>(text.front())));
    } else if (const char name = short_escape(rune); name != 0) {
      (out += '\\') += name;
    } else if (is_printable(rune)) {
      out += text.substr(0, length);
    } else {
      append_escaped(out, rune);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

std::string go_quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

std::optional<std::string> take_quoted(std::string_view& text) {
  std::string_view rest = text;
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r"), rest.size()));
  if (rest.empty()) return std::nullopt;
  const char quote = rest.front();
  rest.remove_prefix(1);
  std::optional<std::string> taken;
  if (quote == '"') {
    taken = take_interpreted(rest);
  } else if (const auto end = rest.find('`'); quote == '`' && end != std::string_view::npos) {
    taken = std::string(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  if (taken) text = rest;
  return taken;
}

void append_go_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    char32_t rune = 0;
    const auto length = decode_rune(text, rune);
    if (length == 0) {
      out += "\\ufffd";
    } else if (rune == '"' || rune == '\\') {
      (out += '\\') += static_cast<char>(rune);
    } else if (rune == '\n' || rune == '\r' || rune == '\t') {
      (out += '\\') += short_escape(rune);
    } else if (rune < 0x20 || rune == '<' || rune == '>' || rune == '&' || rune == 0x2028 ||
               rune == 0x2029) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(rune));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

void append_json_bytes(std::string& out, std::string_view bytes) {
  out += '"';
  append_base64(out, bytes, Base64::kPadded);
  out += '"';
}

std::string humanized(std::uint64_t bytes) {
  if (bytes < 10) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 7> kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  const auto whole = static_cast<double>(bytes);
  const double power = std::floor(std::log(whole) / std::log(1000.0));
  const double value = std::floor(whole / std::pow(1000.0, power) * 10 + 0.5) / 10;
  return fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0,
                     kUnits[static_cast<std::size_t>(power)]);
}

std::string hex_escaped(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 4);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    ((out += "\\x") += kHex[byte >> 4U]) += kHex[byte & 15U];
  }
  return out;
}

std::string go_duration(std::int64_t nanoseconds) {
  if (nanoseconds == 0) return "0s";
  const std::string sign = nanoseconds < 0 ? "-" : "";
  const auto left = nanoseconds < 0 ? 0 - static_cast<std::uint64_t>(nanoseconds)
                                    : static_cast<std::uint64_t>(nanoseconds);
  constexpr std::uint64_t kSecond = 1'000'000'000;
  if (left < 1'000) return fmt::format("{}{}ns", sign, left);
  if (left < 1'000'000) return sign + with_fraction(left, 1'000) + "µs";
  if (left < kSecond) return sign + with_fraction(left, 1'000'000) + "ms";
  const std::uint64_t minutes = left / (60 * kSecond);
  const auto seconds = with_fraction(left % (60 * kSecond), kSecond) + "s";
  if (minutes == 0) return sign + seconds;
  if (minutes < 60) return fmt::format("{}{}m{}", sign, minutes, seconds);
  return fmt::format("{}{}h{}m{}", sign, minutes / 60, minutes % 60, seconds);
}

Result<std::int64_t> parse_go_int(std::string_view text, int base) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (base == 0) {
    base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
      digits.remove_prefix(2);
      base = 16;
    } else if (digits.size() > 1 && digits.front() == '0') {
      base = 8;
    }
  }
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || error == std::errc::invalid_argument || stop != end) {
    return syntax("ParseInt", text, "invalid syntax");
  }
  const std::uint64_t limit =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1 : 0);
  if (error == std::errc::result_out_of_range || value > limit) {
    return syntax("ParseInt", text, "value out of range");
  }
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

Result<bool> parse_go_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kOn = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kOff = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kOn, text) != kOn.end()) return true;
  if (std::ranges::find(kOff, text) != kOff.end()) return false;
  return syntax("ParseBool", text, "invalid syntax");
}

}  // namespace etcdmon::app::cli::ctl
