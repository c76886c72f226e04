// config/codec.hpp: how the values of each C++ type are written in a configuration.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"
#include "config/node.hpp"

namespace etcdmon::config {

/// What people and JSON Schema are told about a type.
struct TypeDoc {
  std::string name;     ///< "duration"
  std::string json;     ///< "string", "integer", "number" or "boolean"
  std::string pattern;  ///< of a string; may be empty
  std::vector<std::string> choices;
};

/// Specialise for each enum that is an option:
///   static constexpr std::array kNames{std::pair<std::string_view, E>{"debug", E::kDebug}, …};
template <class E>
struct EnumNames;

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires { EnumNames<E>::kNames; };

/// parse: errors are kInvalidArgument, their message is for the one who wrote the value.
/// show:  the exact text which parse() would take; of a Secret too, so callers redact.
template <class T>
struct Codec;

namespace detail {
Result<std::int64_t> parse_signed(const Node& node);
Result<std::uint64_t> parse_unsigned(const Node& node);
Result<Duration> parse_span(const Node& node);
Error not_one_of(const Node& node, const std::vector<std::string>& choices);
Error bad_value(std::string message);
/// Refuses quotes, lists, sections and nothing: for types that are written bare.
Result<std::string_view> bare_text(const Node& node, std::string_view expected);
/// Like bare_text, but quotes are fine.
Result<std::string_view> any_text(const Node& node);
}  // namespace detail

template <>
struct Codec<bool> {
  static TypeDoc type() { return {"true or false", "boolean", {}, {}}; }
  static Result<bool> parse(const Node& node);
  static Node show(bool value) { return Node::boolean(value); }
};

template <std::integral T>
struct Codec<T> {
  static TypeDoc type() { return {"whole number", "integer", {}, {}}; }
  static Result<T> parse(const Node& node) {
    if constexpr (std::is_signed_v<T>) {
      return narrow(detail::parse_signed(node), node);
    } else {
      return narrow(detail::parse_unsigned(node), node);
    }
  }
  static Node show(T value) { return Node::number(fmt::format("{}", value)); }

 private:
  template <class Wide>
  static Result<T> narrow(Result<Wide> wide, const Node& node) {
    if (!wide) return std::move(wide).error();
    if (!std::in_range<T>(*wide))
      return detail::bad_value(fmt::format("{} is out of range", node.text));
    return static_cast<T>(*wide);
  }
};

template <>
struct Codec<double> {
  static TypeDoc type() { return {"number", "number", {}, {}}; }
  static Result<double> parse(const Node& node);
  static Node show(double value) { return Node::number(fmt::format("{}", value)); }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Unit = std::chrono::duration<Rep, Period>;
  static TypeDoc type() {
    return {"duration", "string", R"(^(0|([0-9.]+(ns|us|µs|ms|s|m|h|d))+)$)", {}};
  }
  static Result<Unit> parse(const Node& node) {
    const auto exact = detail::parse_span(node);
    if (!exact) return exact.error();
    const auto value = std::chrono::duration_cast<Unit>(*exact);
    if (Duration(value) != *exact) {
      return detail::bad_value(
          fmt::format("{} is too fine; the least step is {}", node.text, format_duration(Unit{1})));
    }
    return value;
  }
  static Node show(Unit value) { return Node::plain(format_duration(value)); }
};

template <>
struct Codec<Bytes> {
  static TypeDoc type() { return {"size", "string", R"(^[0-9.]+ ?([KMGT](i?B)?|B)$)", {}}; }
  static Result<Bytes> parse(const Node& node);
  static Node show(Bytes value);
};

template <>
struct Codec<std::string> {
  static TypeDoc type() { return {"text", "string", {}, {}}; }
  static Result<std::string> parse(const Node& node);
  static Node show(const std::string& value) { return Node::text_of(value); }
};

/// A section whose keys are the writer's own: labels, annotations.
using Texts = std::map<std::string, std::string>;

template <>
struct Codec<Texts> {
  static TypeDoc type() { return {"names and texts", "object", {}, {}}; }
  static Result<Texts> parse(const Node& node);
  static Node show(const Texts& value);
};

template <>
struct Codec<Secret> {
  static TypeDoc type() { return {"secret", "string", {}, {}}; }
  static Result<Secret> parse(const Node& node);
  static Node show(const Secret& value) { return Node::text_of(value.reveal()); }
};

template <NamedEnum E>
struct Codec<E> {
  static TypeDoc type() {
    TypeDoc doc{"one of", "string", {}, {}};
    for (const auto& [name, value] : EnumNames<E>::kNames) doc.choices.emplace_back(name);
    return doc;
  }
  static Result<E> parse(const Node& node) {
    const auto text = detail::any_text(node);
    if (!text) return text.error();
    for (const auto& [name, value] : EnumNames<E>::kNames) {
      if (name == *text) return value;
    }
    return detail::not_one_of(node, type().choices);
  }
  static Node show(E wanted) {
    for (const auto& [name, value] : EnumNames<E>::kNames) {
      if (value == wanted) return Node::text_of(std::string(name));
    }
    return Node::null();
  }
};

}  // namespace etcdmon::config
