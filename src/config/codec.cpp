#include "config/codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "config/suggest.hpp"

namespace etcdmon::config {

namespace {

bool is_scalar(const Node& node) {
  return node.kind == Node::Kind::kPlain || node.kind == Node::Kind::kText;
}

Error expected_value(const Node& node) {
  if (node.kind == Node::Kind::kNull) {
    return detail::bad_value("has no value; give one, or remove the line to keep the default");
  }
  return detail::bad_value(fmt::format("expected a single value, found {}", name_of(node.kind)));
}

bool is_bare_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

template <class T>
Result<T> parse_number(const Node& node, std::string_view expected) {
  const auto text = detail::bare_text(node, expected);
  if (!text) return text.error();
  T value{};
  const auto* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc::result_out_of_range)
    return detail::bad_value(fmt::format("{} is out of range", *text));
  if (error != std::errc{} || stop != end) {
    return detail::bad_value(fmt::format("\"{}\" is not {}", *text, expected));
  }
  return value;
}

}  // namespace

namespace detail {

Error bad_value(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), {}};
}

Result<std::string_view> any_text(const Node& node) {
  if (!is_scalar(node)) return expected_value(node);
  return std::string_view(node.text);
}

Result<std::string_view> bare_text(const Node& node, std::string_view expected) {
  if (node.kind == Node::Kind::kText) {
    return bad_value(fmt::format("\"{}\" is in quotes, which makes it text; write {} without them",
                                 node.text, expected));
  }
  return any_text(node);
}

Result<std::int64_t> parse_signed(const Node& node) {
  return parse_number<std::int64_t>(node, "a whole number");
}

Result<std::uint64_t> parse_unsigned(const Node& node) {
  return parse_number<std::uint64_t>(node, "a whole number, 0 or more");
}

Result<Duration> parse_span(const Node& node) {
  const auto text = any_text(node);
  if (!text) return text.error();
  if (*text != "0" && is_bare_number(*text)) {
    return bad_value(
        fmt::format("{0} has no unit; write {0}s for seconds, or {0}ms, {0}m, {0}h", *text));
  }
  return parse_duration(*text);
}

Error not_one_of(const Node& node, const std::vector<std::string>& choices) {
  const auto near = closest(node.text, choices);
  return bad_value(fmt::format("\"{}\" is not one of {}{}", node.text, fmt::join(choices, ", "),
                               near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

}  // namespace detail

Result<bool> Codec<bool>::parse(const Node& node) {
  const auto text = detail::bare_text(node, "true or false");
  if (!text) return text.error();
  constexpr std::array<std::string_view, 3> kTrue = {"true", "True", "TRUE"};
  constexpr std::array<std::string_view, 3> kFalse = {"false", "False", "FALSE"};
  if (std::ranges::find(kTrue, *text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, *text) != kFalse.end()) return false;
  return detail::bad_value(fmt::format("\"{}\" is not true or false", *text));
}

Result<double> Codec<double>::parse(const Node& node) {
  auto value = parse_number<double>(node, "a number");
  if (value && !std::isfinite(*value))
    return detail::bad_value(fmt::format("\"{}\" is not a number", node.text));
  return value;
}

Result<Bytes> Codec<Bytes>::parse(const Node& node) {
  const auto text = detail::any_text(node);
  if (!text) return text.error();
  if (*text != "0" && is_bare_number(*text)) {
    return detail::bad_value(
        fmt::format("{0} has no unit; write {0}B for bytes, or {0}KiB, {0}MiB, {0}GiB", *text));
  }
  return parse_bytes(*text);
}

Node Codec<Bytes>::show(Bytes value) {
  auto text = format_bytes(value);
  if (value.value != 0 && is_bare_number(text)) text += "B";
  return Node::plain(std::move(text));
}

Result<std::string> Codec<std::string>::parse(const Node& node) {
  const auto text = detail::any_text(node);
  if (!text) return text.error();
  return std::string(*text);
}

Result<Secret> Codec<Secret>::parse(const Node& node) {
  const auto text = detail::any_text(node);
  if (!text) return text.error();
  return Secret(std::string(*text));
}

Result<Texts> Codec<Texts>::parse(const Node& node) {
  Texts out;
  if (node.kind == Node::Kind::kNull) return out;
  if (node.kind != Node::Kind::kMap)
    return detail::bad_value(fmt::format(
        "expected names and texts, such as {{team: storage}}, found {}", name_of(node.kind)));
  for (const auto& child : node.children) {
    const auto text = detail::any_text(child);
    if (!text) {
      return detail::bad_value(fmt::format("{}: {}", child.key, text.error().message));
    }
    if (!out.emplace(child.key, *text).second)
      return detail::bad_value(fmt::format("{} is written twice", child.key));
  }
  return out;
}

Node Codec<Texts>::show(const Texts& value) {
  Node map = Node::map();
  for (const auto& [name, text] : value) map.set(name, Node::text_of(text));
  return map;
}

}  // namespace etcdmon::config
