#include "alert/scenario/series_notation.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "alert/expr/parser.hpp"

namespace etcdmon::alert::scenario {

namespace {

constexpr std::size_t kMostSteps = 1'000'000;

Error wrong(std::string_view word, std::string_view message) {
  return {ErrorCode::kInvalidArgument, fmt::format("\"{}\": {}", word, message)};
}

// A number at the front of `text`, which moves behind it.
std::optional<double> take_number(std::string_view& text) {
  auto rest = text;
  const bool minus = rest.starts_with('-');
  if (minus || rest.starts_with('+')) rest.remove_prefix(1);
  double value = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (read.ec != std::errc{}) return std::nullopt;
  text = rest.substr(static_cast<std::size_t>(read.ptr - rest.data()));
  return minus ? -value : value;
}

std::optional<std::size_t> take_times(std::string_view text) {
  if (!text.starts_with('x')) return std::nullopt;
  text.remove_prefix(1);
  std::size_t times = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), times);
  const bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  return whole && times < kMostSteps ? std::optional(times) : std::nullopt;
}

Result<void> append(std::string_view word, std::vector<Step>& out) {
  if (word == "stale") {
    out.push_back({Step::What::kEnded, 0});
    return {};
  }
  if (word.starts_with('_')) {
    const auto times = word == "_" ? std::optional<std::size_t>(1) : take_times(word.substr(1));
    if (!times) return wrong(word, "expected _ or _x3");
    out.insert(out.end(), *times, Step{});
    return {};
  }
  auto rest = word;
  const auto first = take_number(rest);
  if (!first) return wrong(word, "expected a number, _, stale, or a run such as 0+10x5");
  double step = 0;
  if (!rest.empty() && rest.front() != 'x') {
    const auto by = take_number(rest);
    if (!by) return wrong(word, "expected a run such as 0+10x5");
    step = *by;
  }
  const auto times = rest.empty() ? std::optional<std::size_t>(0) : take_times(rest);
  if (!times || (rest.empty() && step != 0)) return wrong(word, "a run ends with x and a count");
  for (std::size_t i = 0; i <= *times; ++i)
    out.push_back({Step::What::kValue, *first + step * static_cast<double>(i)});
  return {};
}

}  // namespace

Result<std::vector<Step>> parse_steps(std::string_view text) {
  std::vector<Step> out;
  constexpr std::string_view kBlanks = " \t\n\r";
  while (true) {
    const auto start = text.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return out;
    text.remove_prefix(start);
    const auto word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    if (auto added = append(word, out); !added) return std::move(added).error();
    if (out.size() > kMostSteps) return wrong(word, "a series has at most a million values");
  }
}

Result<SeriesName> parse_series_name(std::string_view text) {
  // A series is written as the selector that has it alone.
  SeriesName out;
  std::string named(text);
  const bool only_labels = text.starts_with('{');
  if (only_labels) named = "nameless" + named;
  ETCDMON_TRY(auto node, expr::parse(named));
  if (node->kind != expr::Node::Kind::kSelector || node->type != expr::Type::kVector)
    return wrong(text, "expected a series: metric{label=\"value\"}");
  if (!only_labels) out.metric = node->selector.metric;
  for (const auto& matcher : node->selector.matchers) {
    if (matcher.op() != LabelMatcher::Op::kEqual)
      return wrong(text, "the labels of a series are written with =");
    if (!matcher.value().empty()) out.labels[matcher.name()] = matcher.value();
  }
  return out;
}

std::string text_of(std::string_view metric, const Labels& labels) {
  std::string out(metric);
  if (labels.empty() && !out.empty()) return out;
  out += '{';
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (!first) out += ", ";
    first = false;
    out += name + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n')
        out += "\\n";
      else
        out += c;
    }
    out += '"';
  }
  return out + '}';
}

}  // namespace etcdmon::alert::scenario
