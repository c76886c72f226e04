#include "app/cli/ctl/line/flag.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <fmt/format.h>

#include "app/cli/ctl/text/go_text.hpp"
#include "base/assert.hpp"
#include "base/units.hpp"
#include "config/suggest.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

using std::chrono::nanoseconds;

Error bad(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

// Go's message for what is no duration.
Error not_a_duration(const std::string& text) {
  const bool number = !text.empty() && text.find_first_not_of("0123456789.+-") == std::string::npos;
  return bad(
      fmt::format("time: {} duration {}", number ? "missing unit in" : "invalid", go_quoted(text)));
}

Result<nanoseconds> parse_flag_duration(const std::string& text) {
  const bool negative = text.starts_with('-');
  const auto parsed = parse_duration(std::string_view(text).substr(negative ? 1 : 0));
  if (!parsed) return not_a_duration(text);
  return negative ? -*parsed : *parsed;
}

// What is wrong with the value, or nothing.
std::optional<Error> trouble(Flag::Type type, const std::string& value) {
  const auto error_of = [](const auto& result) {
    return result ? std::nullopt : std::optional(result.error());
  };
  switch (type) {
    case Flag::Type::kSwitch:
      return error_of(parse_go_bool(value));
    case Flag::Type::kNumber:
      return error_of(parse_go_int(value, 0));
    case Flag::Type::kCount:
      if (!value.starts_with('-')) return error_of(parse_go_int(value, 0));
      return bad(fmt::format("strconv.ParseUint: parsing {}: invalid syntax", go_quoted(value)));
    case Flag::Type::kDuration:
      return error_of(parse_flag_duration(value));
    case Flag::Type::kText:
    case Flag::Type::kList:
      break;
  }
  return std::nullopt;
}

std::string title(const Flag& flag) {
  return flag.shorthand == 0 ? fmt::format("--{}", flag.name)
                             : fmt::format("-{}, --{}", flag.shorthand, flag.name);
}

class Parser {
 public:
  Parser(FlagValues& values, std::span<const std::string> words) : values_(values), words_(words) {}

  Result<Arguments> parse() {
    while (next_ < words_.size() && !out_.wants_help) {
      const std::string& word = words_[next_++];
      if (word.size() < 2 || word.front() != '-') {
        out_.words.push_back(word);
      } else if (word == "--") {
        out_.dashes = out_.words.size();
        out_.words.insert(out_.words.end(), words_.begin() + static_cast<std::ptrdiff_t>(next_),
                          words_.end());
        break;
      } else {
        ETCDMON_TRY([[maybe_unused]] const bool done,
                    word[1] == '-' ? take_long(word) : take_short(word));
      }
    }
    return std::move(out_);
  }

 private:
  Result<bool> take_long(const std::string& word) {
    const auto equals = word.find('=');
    const auto name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (name.empty() || name.front() == '-') return bad("bad flag syntax: " + word);
    const Flag* flag = values_.find(name);
    if (flag == nullptr) {
      if (name == "help") return out_.wants_help = true;
      return unknown(name);
    }
    if (equals != std::string::npos) return set(*flag, word.substr(equals + 1));
    if (flag->type == Flag::Type::kSwitch) return set(*flag, "true");
    if (next_ == words_.size()) return bad("flag needs an argument: --" + name);
    return set(*flag, words_[next_++]);
  }

  // "-iw json": switches may share a dash; the last one may have a value.
  Result<bool> take_short(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string rest = word.substr(i + 1);
      const Flag* flag = values_.find(word[i]);
      if (flag == nullptr) {
        if (word[i] == 'h') return out_.wants_help = true;
        return bad(fmt::format("unknown shorthand flag: '{}' in -{}", word[i], word.substr(i)));
      }
      if (rest.size() > 1 && rest.front() == '=') return set(*flag, rest.substr(1));
      if (flag->type == Flag::Type::kSwitch) {
        ETCDMON_TRY([[maybe_unused]] const bool done, set(*flag, "true"));
        continue;
      }
      if (!rest.empty()) return set(*flag, rest);
      if (next_ == words_.size()) {
        return bad(fmt::format("flag needs an argument: '{}' in -{}", word[i], word.substr(i)));
      }
      return set(*flag, words_[next_++]);
    }
    return true;
  }

  Error unknown(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& flag : values_.flags()) names.emplace_back(flag.name);
    const auto near = config::closest(name, names);
    return bad(fmt::format("unknown flag: --{}{}", name,
                           near.empty() ? "" : fmt::format("; did you mean --{}?", near)));
  }

  Result<bool> set(const Flag& flag, const std::string& value) {
    if (const auto done = values_.set(flag, value); !done) {
      return bad(fmt::format("invalid argument {} for {} flag: {}", go_quoted(value),
                             go_quoted(title(flag)), done.error().message));
    }
    return true;
  }

  FlagValues& values_;
  std::span<const std::string> words_;
  Arguments out_;
  std::size_t next_ = 0;
};

std::string variable_of(const Flag& flag) {
  std::string name = "ETCDCTL_";
  for (const char c : flag.name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace

const Flag* FlagValues::find(std::string_view name) const {
  const auto it = std::ranges::find(flags_, name, &Flag::name);
  return it == flags_.end() ? nullptr : &*it;
}

const Flag* FlagValues::find(char shorthand) const {
  const auto it = std::ranges::find(flags_, shorthand, &Flag::shorthand);
  return shorthand == 0 || it == flags_.end() ? nullptr : &*it;
}

Result<void> FlagValues::set(const Flag& flag, std::string value) {
  if (auto error = trouble(flag.type, value)) return *std::move(error);
  const auto [it, fresh] = values_.try_emplace(std::string(flag.name));
  if (flag.type == Flag::Type::kList && !fresh) {
    (it->second += ',') += value;
  } else {
    it->second = std::move(value);
  }
  return {};
}

std::string FlagValues::text(std::string_view name) const {
  if (const auto it = values_.find(name); it != values_.end()) return it->second;
  const Flag* flag = find(name);
  ETCDMON_ASSERT(flag != nullptr);
  return std::string(flag->standard);
}

bool FlagValues::on(std::string_view name) const {
  return parse_go_bool(text(name)).value_or(false);
}

std::int64_t FlagValues::number(std::string_view name) const {
  return parse_go_int(text(name), 0).value_or(0);
}

nanoseconds FlagValues::duration(std::string_view name) const {
  return parse_flag_duration(text(name)).value_or(nanoseconds(0));
}

std::vector<std::string> FlagValues::list(std::string_view name) const {
  std::vector<std::string> items;
  const auto all = text(name);
  for (std::size_t at = 0; at <= all.size() && !all.empty();) {
    const auto comma = std::min(all.find(',', at), all.size());
    items.push_back(all.substr(at, comma - at));
    at = comma + 1;
  }
  return items;
}

Result<Arguments> parse_flags(FlagValues& values, std::span<const std::string> words) {
  return Parser(values, words).parse();
}

Result<std::vector<std::string>> read_environment(FlagValues& values, std::span<const Flag> names,
                                                  Environment environment) {
  // Read elsewhere.
  constexpr std::array<std::string_view, 3> kOthers = {"ETCDCTL_API", "ETCDCTL_WATCH_KEY",
                                                       "ETCDCTL_WATCH_RANGE_END"};
  std::vector<std::string> remarks;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("ETCDCTL_") || std::ranges::find(kOthers, name) != kOthers.end()) {
      continue;
    }
    const auto flag = std::ranges::find(names, name, &variable_of);
    if (flag == names.end()) {
      // Its value may be a password that met a mistyped name.
      remarks.push_back(fmt::format("unrecognized environment variable {}", name));
    } else if (values.is_set(flag->name)) {
      remarks.push_back(
          fmt::format("environment variable {} is not heard: --{} was given", name, flag->name));
    } else if (!value.empty()) {
      if (const auto done = values.set(*flag, value); !done) {
        return bad(fmt::format("invalid value {} for {}: {}", go_quoted(value), name,
                               done.error().message));
      }
    }
  }
  return remarks;
}

}  // namespace etcdmon::app::cli::ctl
