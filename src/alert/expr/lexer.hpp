// alert/expr/lexer.hpp: an expression's text as words, numbers and signs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace etcdmon::alert::expr {

using Millis = std::int64_t;

struct Token {
  enum class Kind : std::uint8_t { kWord, kNumber, kDuration, kString, kSign, kEnd };
  Kind kind = Kind::kEnd;
  std::size_t at = 0;     ///< where it begins in the text
  std::string_view text;  ///< as written
  double number = 0;      ///< of a number
  Millis duration = 0;    ///< of a duration
  std::string value;      ///< of a string, without its quotes and escapes

  bool is(std::string_view sign) const { return kind == Kind::kSign && text == sign; }
};

/// All tokens, the last one being kEnd. Comments (#) are left out.
/// Errors: kInvalidArgument, saying where and what is expected.
Result<std::vector<Token>> split(std::string_view text);

/// Prometheus' form: "5m", "1h30m", "2d", "500ms"; units from large to small, each at most once.
std::optional<Millis> parse_millis(std::string_view text);

/// "column 7: <message>", with the line where the text has several.
Error wrong_at(std::string_view text, std::size_t at, std::string_view message);

}  // namespace etcdmon::alert::expr
