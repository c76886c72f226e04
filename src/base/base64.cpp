#include "base/base64.hpp"

#include <array>

namespace etcdmon {

namespace {

constexpr std::string_view kUrlLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kPlainLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoLetter = 0xff;

constexpr std::string_view letters_of(Base64 spelling) {
  return spelling == Base64::kUrl ? kUrlLetters : kPlainLetters;
}

constexpr std::array<std::uint8_t, 256> values_of(std::string_view letters) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoLetter);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    values[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr auto kUrlValues = values_of(kUrlLetters);
constexpr auto kPlainValues = values_of(kPlainLetters);

}  // namespace

void append_base64(std::string& out, std::string_view bytes, Base64 spelling) {
  const auto letters = letters_of(spelling);
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char byte : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) out += letters[(bits >> (held - 6)) & 0x3fU];
  }
  if (held > 0) out += letters[(bits << (6 - held)) & 0x3fU];
  if (spelling == Base64::kPadded) out.append((3 - bytes.size() % 3) % 3, '=');
}

std::string encode_base64(std::string_view bytes, Base64 spelling) {
  std::string text;
  append_base64(text, bytes, spelling);
  return text;
}

std::optional<std::string> decode_base64(std::string_view text, Base64 spelling) {
  if (spelling == Base64::kPadded) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  const auto& values = spelling == Base64::kUrl ? kUrlValues : kPlainValues;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char letter : text) {
    const auto value = values[static_cast<unsigned char>(letter)];
    if (value == kNoLetter) return std::nullopt;
    bits = (bits << 6U) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>((bits >> held) & 0xffU);
  }
  // A single letter more than whole bytes, or bits that no byte uses.
  if (held >= 6 || (bits & ((1U << held) - 1U)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace etcdmon
