#include "config/flags.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/suggest.hpp"

namespace etcdmon::config {

namespace {

std::string variable_name(std::string_view flag) {
  std::string out(kEnvironmentPrefix);
  for (const char c : flag) {
    out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

bool is_switch(const Field& field) {
  return field.shape == Field::Shape::kValue && field.type.json == "boolean";
}

std::string value_name(const Field& field) {
  if (!field.flag_unit.empty()) return "number";
  if (field.shape == Field::Shape::kValues) return "list";
  if (!field.type.choices.empty()) return fmt::format("{}", fmt::join(field.type.choices, "|"));
  return field.type.name == "whole number" ? "number" : field.type.name;
}

// "100ms" in "ms" is "100", "8GiB" in "MiB" is "8192".
std::string in_unit(const std::string& text, const std::string& unit) {
  if (const auto whole = parse_duration(text); whole) {
    if (const auto step = parse_duration("1" + unit); step)
      return fmt::format("{}", *whole / *step);
  }
  const auto whole = parse_bytes(text);
  const auto step = parse_bytes("1" + unit);
  return whole && step ? fmt::format("{}", whole->value / step->value) : text;
}

std::string default_of(const Field& field, const void* owner) {
  const Node node = field.show(owner);
  if (field.secret || node.kind == Node::Kind::kNull) return {};
  if (node.kind == Node::Kind::kList) {
    std::vector<std::string> items;
    for (const auto& item : node.children) items.push_back(item.text);
    return fmt::format("{}", fmt::join(items, ","));
  }
  if (is_switch(field)) return node.text == "true" ? "true" : "";
  return field.flag_unit.empty() ? node.text : in_unit(node.text, field.flag_unit);
}

void add_bindings(const Schema& schema, const std::vector<const Field*>& chain,
                  std::vector<Binding>& out) {
  const auto defaults = schema.make_default();
  for (const auto& field : schema.fields()) {
    auto here = chain;
    here.push_back(&field);
    if (field.nested != nullptr) {
      add_bindings(field.nested(), here, out);
      continue;
    }
    const std::string& name = field.flag.empty() ? field.env : field.flag;
    if (name.empty()) continue;
    FlagSpec spec{field.flag,          is_switch(field) ? "" : value_name(field),
                  field.doc,           default_of(field, defaults.get()),
                  variable_name(name), schema.title()};
    if (field.secret) {
      FlagSpec twin = spec;
      if (!twin.name.empty()) twin.name += "-file";
      twin.value = "file";
      twin.doc = fmt::format("File that holds what --{} would say.", name);
      twin.environment += "_FILE";
      out.push_back(Binding{here, std::move(spec), false});
      out.push_back(Binding{std::move(here), std::move(twin), true});
    } else {
      out.push_back(Binding{std::move(here), std::move(spec), false});
    }
  }
}

// What Go's flag package takes for a boolean.
std::optional<std::string> switch_value(std::string_view text) {
  constexpr std::array<std::string_view, 6> kOn = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kOff = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kOn, text) != kOn.end()) return "true";
  if (std::ranges::find(kOff, text) != kOff.end()) return "false";
  return std::nullopt;
}

class CommandLine {
 public:
  CommandLine(std::span<const FlagSpec> known, std::span<const std::string> words)
      : known_(known), words_(words) {}

  ParsedFlags parse() {
    while (next_ < words_.size()) {
      const std::string& word = words_[next_++];
      if (word == "--") {
        for (; next_ < words_.size(); ++next_) parsed_.arguments.push_back(words_[next_]);
      } else if (looks_like_flag(word)) {
        take_flag(word);
      } else {
        parsed_.arguments.push_back(word);
      }
    }
    return std::move(parsed_);
  }

 private:
  static bool looks_like_flag(std::string_view word) {
    return word.size() > 1 && word.front() == '-';
  }

  const FlagSpec* find(std::string_view name) const {
    const auto it = std::ranges::find(known_, name, &FlagSpec::name);
    return it == known_.end() ? nullptr : &*it;
  }

  void fail(const std::string& flag, std::string message) {
    parsed_.issues.push_back(Issue{{flag, 0}, {}, std::move(message)});
  }

  void take_flag(const std::string& word) {
    std::string_view rest = word;
    rest.remove_prefix(rest.starts_with("--") ? 2 : 1);
    const auto equals = rest.find('=');
    const std::string name(rest.substr(0, equals));
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = std::string(rest.substr(equals + 1));

    const FlagSpec* spec = name.empty() ? nullptr : find(name);
    if (spec == nullptr) {
      unknown(name, value.has_value());
    } else if (spec->value.empty()) {
      take_switch(name, value.value_or("true"));
    } else {
      take_value(name, std::move(value));
    }
  }

  void unknown(const std::string& name, bool has_value) {
    std::vector<std::string> names;
    for (const auto& spec : known_) names.push_back(spec.name);
    const auto near = closest(name, names);
    fail("--" + name,
         near.empty() ? "unknown flag" : fmt::format("unknown flag; did you mean --{}?", near));
    // The next word is most likely its value: complaining about that too would only confuse.
    if (!has_value && next_ < words_.size() && !looks_like_flag(words_[next_])) ++next_;
  }

  void take_switch(const std::string& name, const std::string& text) {
    if (auto value = switch_value(text)) {
      parsed_.values.push_back(FlagValue{name, *std::move(value)});
    } else {
      fail("--" + name, fmt::format("\"{}\" is not true or false", text));
    }
    const bool spaced =
        next_ < words_.size() && (words_[next_] == "true" || words_[next_] == "false");
    if (spaced && text == "true") {
      fail("--" + name, fmt::format("write --{}={}", name, words_[next_]));
      ++next_;
    }
  }

  void take_value(const std::string& name, std::optional<std::string> value) {
    if (!value) {
      if (next_ >= words_.size() || is_known_flag(words_[next_])) {
        fail("--" + name, fmt::format("needs a value; write --{}=…", name));
        return;
      }
      value = words_[next_++];
    }
    parsed_.values.push_back(FlagValue{name, *std::move(value)});
  }

  bool is_known_flag(std::string_view word) const {
    if (!word.starts_with("--")) return false;
    word.remove_prefix(2);
    return find(word.substr(0, word.find('='))) != nullptr;
  }

  std::span<const FlagSpec> known_;
  std::span<const std::string> words_;
  std::size_t next_ = 0;
  ParsedFlags parsed_;
};

constexpr std::size_t kDocIndent = 8;

void append_wrapped(std::string& out, std::string_view text, std::size_t width) {
  std::size_t column = 0;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (column == 0 || column + 1 + word.size() > width) {
      if (column != 0) out += '\n';
      out.append(kDocIndent, ' ');
      column = kDocIndent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  out += '\n';
}

}  // namespace

std::vector<Binding> bindings_of(const Schema& schema) {
  std::vector<Binding> out;
  add_bindings(schema, {}, out);
  return out;
}

std::vector<FlagSpec> flags_of(const Schema& schema) {
  std::vector<FlagSpec> out;
  for (auto& binding : bindings_of(schema)) {
    if (!binding.flag.name.empty()) out.push_back(std::move(binding.flag));
  }
  return out;
}

const std::string* ParsedFlags::last(std::string_view name) const {
  const auto it = std::find_if(values.rbegin(), values.rend(),
                               [name](const FlagValue& v) { return v.name == name; });
  return it == values.rend() ? nullptr : &it->value;
}

bool ParsedFlags::is_on(std::string_view name) const {
  const auto* value = last(name);
  return value != nullptr && *value == "true";
}

ParsedFlags parse_flags(std::span<const FlagSpec> known, std::span<const std::string> arguments) {
  return CommandLine(known, arguments).parse();
}

std::string flag_help(std::span<const FlagSpec> flags, std::size_t width) {
  std::vector<std::string> groups;
  for (const auto& flag : flags) {
    if (std::ranges::find(groups, flag.group) == groups.end()) groups.push_back(flag.group);
  }
  std::string out;
  for (const auto& group : groups) {
    if (!out.empty()) out += "\n";
    if (!group.empty()) out += group + ":\n";
    for (const auto& flag : flags) {
      if (flag.group != group) continue;
      out += flag.value.empty() ? fmt::format("  --{}\n", flag.name)
                                : fmt::format("  --{} <{}>\n", flag.name, flag.value);
      std::string doc = flag.doc;
      if (!flag.default_value.empty()) doc += fmt::format(" Default: {}.", flag.default_value);
      if (!flag.environment.empty()) doc += fmt::format(" [{}]", flag.environment);
      append_wrapped(out, doc, width);
    }
  }
  return out;
}

}  // namespace etcdmon::config
