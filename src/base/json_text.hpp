// base/json_text.hpp: JSON's string form, for writers that build text without a document.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace etcdmon {

/// Appends `text` with quotes and escapes. Invalid UTF-8 becomes U+FFFD, so the result is always
/// JSON.
void append_json_string(std::string& out, std::string_view text);

/// Where the first byte stands that belongs to no UTF-8; npos: nowhere.
std::size_t invalid_utf8_at(std::string_view text);

}  // namespace etcdmon
