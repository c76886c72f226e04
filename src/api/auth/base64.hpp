// api/auth/base64.hpp: base64 without padding, as tokens and password hashes write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace etcdmon::api::auth {

enum class Base64 : std::uint8_t {
  kUrl,    ///< RFC 4648 §5: "-" and "_"
  kPlain,  ///< RFC 4648 §4: "+" and "/"
};

/// Without "=" at the end.
std::string encode_base64(std::string_view bytes, Base64 alphabet = Base64::kUrl);
/// There is one text for each sequence of bytes: padding, white space, letters of the other
/// alphabet and bits that no byte uses are refused.
std::optional<std::string> decode_base64(std::string_view text, Base64 alphabet = Base64::kUrl);

}  // namespace etcdmon::api::auth
