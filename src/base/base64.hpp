// base/base64.hpp: bytes as letters, in the three spellings that protocols want.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etcdmon {

enum class Base64 : std::uint8_t {
  kUrl,     ///< RFC 4648 §5: "-" and "_", no padding, as tokens write it
  kPlain,   ///< RFC 4648 §4: "+" and "/", no padding, as password hashes write it
  kPadded,  ///< kPlain with "=" to a multiple of four, as mail, JSON and HTTP's Basic write it
};

void append_base64(std::string& out, std::string_view bytes, Base64 spelling);
std::string encode_base64(std::string_view bytes, Base64 spelling = Base64::kUrl);
/// There is one text for each sequence of bytes: padding too much or too little, white space,
/// letters of the other alphabet and bits that no byte uses are refused.
std::optional<std::string> decode_base64(std::string_view text, Base64 spelling = Base64::kUrl);

}  // namespace etcdmon
