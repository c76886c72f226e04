#include "alert/label_matcher.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

namespace etcdmon::alert {

namespace {

using Op = LabelMatcher::Op;

struct Spelling {
  std::string_view text;
  Op op;
};
// The longer ones first: "=~" begins with "=".
constexpr std::array kSpellings{Spelling{"=~", Op::kMatches}, Spelling{"!~", Op::kMatchesNot},
                                Spelling{"!=", Op::kNotEqual}, Spelling{"=", Op::kEqual}};

Error wrong(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool is_label_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

Result<std::string> unquote(std::string_view text) {
  if (text.empty() || text.front() != '"') return std::string(text);
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i + 1 != text.size()) return wrong("nothing may follow the closing quote");
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size()) {
      const char escaped = text[++i];
      // Only what quoting needs is taken away: the rest belongs to the pattern.
      if (escaped == 'n') {
        value += '\n';
        continue;
      }
      if (escaped != '"' && escaped != '\\') value += '\\';
      value += escaped;
      continue;
    }
    value += text[i];
  }
  return wrong("the closing quote is missing");
}

}  // namespace

Result<LabelMatcher> LabelMatcher::parse(std::string_view text) {
  const auto whole = trim(text);
  const auto at = whole.find_first_of("=!");
  if (at == std::string_view::npos) {
    return wrong(fmt::format("\"{}\" is no matcher: write label=value, !=, =~ or !~", whole));
  }
  const auto rest = whole.substr(at);
  const auto* const found = std::ranges::find_if(
      kSpellings, [rest](const Spelling& spelling) { return rest.starts_with(spelling.text); });
  if (found == kSpellings.end()) {
    return wrong(fmt::format("\"{}\": after the label comes =, !=, =~ or !~", whole));
  }
  auto value = unquote(trim(rest.substr(found->text.size())));
  if (!value) return wrong(fmt::format("\"{}\": {}", whole, value.error().message));
  const auto name = trim(whole.substr(0, at));
  return make(std::string(name == "rule" ? "alertname" : name), found->op, *std::move(value));
}

Result<LabelMatcher> LabelMatcher::make(std::string name, Op op, std::string value) {
  if (!is_label_name(name)) return wrong(fmt::format("\"{}\" is no name of a label", name));
  LabelMatcher matcher;
  matcher.name_ = std::move(name);
  matcher.op_ = op;
  matcher.value_ = std::move(value);
  if (op == Op::kMatches || op == Op::kMatchesNot) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto pattern = std::make_shared<const re2::RE2>(matcher.value_, options);
    if (!pattern->ok()) {
      return wrong(fmt::format("\"{}\" is no pattern: {}", matcher.value_, pattern->error()));
    }
    matcher.pattern_ = std::move(pattern);
  }
  return matcher;
}

bool LabelMatcher::matches(const Labels& labels) const {
  const auto found = labels.find(name_);
  const std::string_view value = found == labels.end() ? std::string_view() : found->second;
  switch (op_) {
    case Op::kEqual:
      return value == value_;
    case Op::kNotEqual:
      return value != value_;
    case Op::kMatches:
      return re2::RE2::FullMatch({value.data(), value.size()}, *pattern_);
    case Op::kMatchesNot:
      return !re2::RE2::FullMatch({value.data(), value.size()}, *pattern_);
  }
  return false;
}

std::string LabelMatcher::text() const {
  const auto* const spelling = std::ranges::find(kSpellings, op_, &Spelling::op);
  std::string quoted;
  for (const char c : value_) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("{}{}\"{}\"", name_, spelling->text, quoted);
}

bool all_match(const std::vector<LabelMatcher>& matchers, const Labels& labels) {
  return std::ranges::all_of(matchers,
                             [&](const LabelMatcher& matcher) { return matcher.matches(labels); });
}

Result<std::vector<LabelMatcher>> parse_matchers(const std::vector<std::string>& texts) {
  std::vector<LabelMatcher> matchers;
  for (const auto& text : texts) {
    ETCDMON_TRY(auto matcher, LabelMatcher::parse(text));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

}  // namespace etcdmon::alert
