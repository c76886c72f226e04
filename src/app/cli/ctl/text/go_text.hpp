// app/cli/ctl/text/go_text.hpp: text as Go's standard library writes and reads it, which is what
// etcdctl's outputs are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

/// Appends `text` in double quotes with Go's escapes (%q): binary stays readable and unambiguous.
void append_quoted(std::string& out, std::string_view text);
std::string go_quoted(std::string_view text);

/// Takes one Go string literal ("with \x41 escapes" or `raw`) off the front of `text`, after any
/// spaces. nullopt, and `text` as it was: there is none.
std::optional<std::string> take_quoted(std::string_view& text);

/// Appends `text` as encoding/json writes a string: <, > and & are escaped, invalid UTF-8 is
/// U+FFFD.
void append_go_json(std::string& out, std::string_view text);
/// Appends `bytes` in standard base64 with padding, in quotes: how encoding/json writes []byte.
void append_json_bytes(std::string& out, std::string_view bytes);

/// 20480 is "20 kB", as go-humanize rounds it: units of 1000, one digit below 10.
std::string humanized(std::uint64_t bytes);
/// "\x6b\x65\x79" for "key".
std::string hex_escaped(std::string_view bytes);
/// A duration as Go prints it: "1.420475ms".
std::string go_duration(std::int64_t nanoseconds);

/// strconv.ParseInt and strconv.ParseBool with Go's messages.
Result<std::int64_t> parse_go_int(std::string_view text, int base);
Result<bool> parse_go_bool(std::string_view text);

/// Length of the valid UTF-8 sequence at the front of `text`, or 0; `rune` is what it says.
std::size_t decode_rune(std::string_view text, char32_t& rune);
void append_rune(std::string& out, char32_t rune);

}  // namespace etcdmon::app::cli::ctl
