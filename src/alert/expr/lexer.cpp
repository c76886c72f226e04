#include "alert/expr/lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::alert::expr {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_in_word(char c) {
  return begins_word(c) || is_digit(c);
}

struct DurationUnit {
  std::string_view text;
  Millis millis;
};
// From large to small, as they may be written.
constexpr std::array kUnits = std::to_array<DurationUnit>({{"y", 31'536'000'000},
                                                           {"w", 604'800'000},
                                                           {"d", 86'400'000},
                                                           {"h", 3'600'000},
                                                           {"m", 60'000},
                                                           {"s", 1'000},
                                                           {"ms", 1}});

// Longer ones first, so that `==` is not taken for `=` twice.
constexpr std::array<std::string_view, 24> kSigns{"==", "!=", ">=", "<=", "=~", "!~", "(", ")",
                                                  "{",  "}",  "[",  "]",  ",",  "+",  "-", "*",
                                                  "/",  "%",  "^",  ">",  "<",  "=",  ":", "@"};

void append_utf8(std::uint32_t code, std::string& out) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (true) {
      skip_blanks();
      Token token{.at = at_, .text = {}, .value = {}};
      if (at_ == text_.size()) {
        tokens_.push_back(std::move(token));
        return std::move(tokens_);
      }
      if (auto fault = next(token)) return *std::move(fault);
      token.text = text_.substr(token.at, at_ - token.at);
      tokens_.push_back(std::move(token));
    }
  }

 private:
  using Fault = std::optional<Error>;

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' ||
                 text_[at_] == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }

  Fault next(Token& token) {
    const char c = text_[at_];
    const bool fraction = c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
    if (is_digit(c) || fraction) return number(token);
    // In `[15m:1m]` a colon is a sign; elsewhere it belongs to a name.
    if (begins_word(c) && (c != ':' || !in_brackets_)) return word(token);
    if (c == '"' || c == '\'' || c == '`') return string(token);
    for (const auto sign : kSigns) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      token.kind = Token::Kind::kSign;
      at_ += sign.size();
      if (sign == "[") in_brackets_ = true;
      if (sign == "]") in_brackets_ = false;
      return std::nullopt;
    }
    return wrong_at(text_, at_, fmt::format("\"{}\" means nothing here", c < ' ' ? '?' : c));
  }

  Fault word(Token& token) {
    token.kind = Token::Kind::kWord;
    while (at_ < text_.size() && is_in_word(text_[at_])) ++at_;
    return std::nullopt;
  }

  Fault number(Token& token) {
    auto end = at_;
    while (end < text_.size() &&
           (is_in_word(text_[end]) || text_[end] == '.' || is_exponent_sign(end)) &&
           !(text_[end] == ':' && in_brackets_))
      ++end;
    const auto written = text_.substr(at_, end - at_);
    at_ = end;
    if (const auto millis = parse_millis(written)) {
      token.kind = Token::Kind::kDuration;
      token.duration = *millis;
      return std::nullopt;
    }
    token.kind = Token::Kind::kNumber;
    const bool hex = written.starts_with("0x") || written.starts_with("0X");
    const char* const stop = written.data() + written.size();
    const char* last = nullptr;
    auto error = std::errc{};
    if (hex) {
      std::uint64_t whole = 0;
      const auto read = std::from_chars(written.data() + 2, stop, whole, 16);
      last = read.ptr;
      error = read.ec;
      token.number = static_cast<double>(whole);
    } else {
      const auto read = std::from_chars(written.data(), stop, token.number);
      last = read.ptr;
      error = read.ec;
    }
    if (error == std::errc{} && last == stop) return std::nullopt;
    return wrong_at(text_, token.at,
                    fmt::format("\"{}\" is neither a number nor a duration such as 5m", written));
  }

  bool is_exponent_sign(std::size_t at) const {
    return (text_[at] == '+' || text_[at] == '-') && at > at_ &&
           (text_[at - 1] == 'e' || text_[at - 1] == 'E') && !text_.substr(at_).starts_with("0x");
  }

  Fault string(Token& token) {
    token.kind = Token::Kind::kString;
    const char quote = text_[at_++];
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == quote) return std::nullopt;
      if (c == '\n' && quote != '`') break;
      if (c != '\\' || quote == '`') {
        token.value += c;
      } else if (auto fault = escape(token)) {
        return fault;
      }
    }
    return wrong_at(text_, token.at, "the closing quote is missing");
  }

  // As Go has them.
  Fault escape(Token& token) {
    const auto start = at_ - 1;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    static constexpr std::string_view kNames = "abfnrtv\\'\"";
    static constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\'\"";
    if (const auto named = kNames.find(c); c != '\0' && named != std::string_view::npos) {
      token.value += kMeant[named];
      return std::nullopt;
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    std::uint32_t code = 0;
    const auto written = text_.substr(at_, digits);
    const auto read = std::from_chars(written.data(), written.data() + written.size(), code, 16);
    constexpr std::uint32_t kLastCode = 0x10FFFF;
    if (digits == 0 || written.size() != digits || read.ptr != written.data() + digits ||
        code > kLastCode) {
      return wrong_at(text_, start, "unknown escape; in a pattern, write \\\\ for one backslash");
    }
    at_ += digits;
    if (c == 'x')
      token.value += static_cast<char>(code);
    else
      append_utf8(code, token.value);
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_brackets_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> split(std::string_view text) {
  return Lexer(text).run();
}

std::optional<Millis> parse_millis(std::string_view text) {
  Millis total = 0;
  std::size_t unit = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    Millis count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    if (read.ec != std::errc{} || !is_digit(text.front())) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    auto length = std::size_t{0};
    while (length < text.size() && !is_digit(text[length])) ++length;
    const auto name = text.substr(0, length);
    while (unit < kUnits.size() && kUnits.at(unit).text != name) ++unit;
    if (unit == kUnits.size()) return std::nullopt;
    const Millis size = kUnits.at(unit).millis;
    if (count > (std::numeric_limits<Millis>::max() - total) / size) return std::nullopt;
    total += count * size;
    text.remove_prefix(length);
    ++unit;
  }
  return total;
}

Error wrong_at(std::string_view text, std::size_t at, std::string_view message) {
  at = std::min(at, text.size());
  const auto before = text.substr(0, at);
  const auto line_start = before.rfind('\n');
  const auto column = line_start == std::string_view::npos ? at + 1 : at - line_start;
  const bool several =
      text.substr(0, text.find_last_not_of(" \n\t") + 1).find('\n') != std::string_view::npos;
  const auto line = std::ranges::count(before, '\n') + 1;
  return {ErrorCode::kInvalidArgument,
          several ? fmt::format("line {}, column {}: {}", line, column, message)
                  : fmt::format("column {}: {}", column, message)};
}

}  // namespace etcdmon::alert::expr
