#include "alert/template.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/printf.h>
#include <re2/re2.h>

#include "alert/expr/lexer.hpp"

namespace etcdmon::alert {

namespace {

using Item = std::variant<double, std::string>;
using Items = std::vector<Item>;

Error wrong(std::string_view message) {
  return {ErrorCode::kInvalidArgument, std::string(message)};
}

std::string text_of(const Item& item) {
  if (const auto* number = std::get_if<double>(&item)) return go_number(*number);
  return std::get<std::string>(item);
}

double number_of(const Item& item) {
  if (const auto* number = std::get_if<double>(&item)) return *number;
  const auto& text = std::get<std::string>(item);
  double value = std::nan("");
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// --- the functions ---

std::string four_digits(double value, std::string_view behind) {
  if (!std::isfinite(value)) return go_number(value) + std::string(behind);
  return fmt::sprintf("%.4g", value) + std::string(behind);
}

std::string with_small_prefix(double value, std::string_view behind) {
  static constexpr std::array<std::string_view, 8> kPrefixes{"m", "u", "n", "p",
                                                             "f", "a", "z", "y"};
  std::string_view prefix;
  for (const auto next : kPrefixes) {
    if (std::abs(value) >= 1) break;
    prefix = next;
    value *= 1e3;
  }
  return four_digits(value, std::string(prefix) + std::string(behind));
}

std::string with_large_prefix(double value, double base,
                              std::span<const std::string_view> prefixes) {
  std::string_view prefix;
  for (const auto next : prefixes) {
    if (std::abs(value) < base) break;
    prefix = next;
    value /= base;
  }
  return four_digits(value, prefix);
}

Item humanize(const Items& items) {
  static constexpr std::array<std::string_view, 8> kPrefixes{"k", "M", "G", "T",
                                                             "P", "E", "Z", "Y"};
  const double value = number_of(items.back());
  if (value == 0 || !std::isfinite(value)) return four_digits(value, "");
  if (std::abs(value) < 1) return with_small_prefix(value, "");
  return with_large_prefix(value, 1e3, kPrefixes);
}

Item humanize1024(const Items& items) {
  static constexpr std::array<std::string_view, 8> kPrefixes{"ki", "Mi", "Gi", "Ti",
                                                             "Pi", "Ei", "Zi", "Yi"};
  const double value = number_of(items.back());
  if (std::abs(value) <= 1 || !std::isfinite(value)) return four_digits(value, "");
  constexpr double kBase = 1024;
  return with_large_prefix(value, kBase, kPrefixes);
}

Item humanize_duration(const Items& items) {
  double value = number_of(items.back());
  if (!std::isfinite(value)) return four_digits(value, "");
  if (value == 0) return std::string("0s");
  if (std::abs(value) < 1) return with_small_prefix(value, "s");
  const std::string sign = value < 0 ? "-" : "";
  value = std::abs(value);
  constexpr double kMost = 9e18;
  const auto whole = static_cast<std::int64_t>(std::min(value, kMost));
  const auto seconds = whole % 60;
  const auto minutes = whole / 60 % 60;
  const auto hours = whole / 3600 % 24;
  const auto days = whole / 86'400;
  if (days != 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
  if (hours != 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
  if (minutes != 0) return fmt::format("{}{}m {}s", sign, minutes, seconds);
  return sign + four_digits(value, "s");
}

Item humanize_percentage(const Items& items) {
  constexpr double kHundred = 100;
  return four_digits(number_of(items.back()) * kHundred, "%");
}

Item humanize_timestamp(const Items& items) {
  const double value = number_of(items.back());
  constexpr double kMost = 2e11;  // beyond the year 8000
  if (!std::isfinite(value) || std::abs(value) > kMost) return four_digits(value, "");
  const auto millis = static_cast<std::int64_t>(std::floor(value * 1e3));
  const auto seconds = millis >= 0 ? millis / 1'000 : (millis - 999) / 1'000;
  auto text = fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
  if (const auto rest = millis - seconds * 1'000; rest != 0) {
    auto fraction = fmt::format(".{:03}", rest);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text + " +0000 UTC";
}

// Where the verb of the directive at `at` stands: %, flags, width, precision, verb. npos: it is
// none that can be followed.
std::size_t verb_of(std::string_view format, std::size_t at) {
  constexpr std::size_t kWidest = 3;
  constexpr std::size_t kMostPrecise = 2;
  const auto skip = [format](std::size_t from, std::string_view any, std::size_t most) {
    std::size_t count = 0;
    while (count < most && from + count < format.size() &&
           any.find(format[from + count]) != std::string_view::npos)
      ++count;
    return from + count;
  };
  constexpr std::string_view kDigits = "0123456789";
  at = skip(skip(at + 1, "+-# 0", format.size()), kDigits, kWidest);
  if (at < format.size() && format[at] == '.') at = skip(at + 1, kDigits, kMostPrecise);
  return at < format.size() && std::string_view("fFeEgGsvq%").find(format[at]) != std::string::npos
             ? at
             : std::string::npos;
}

Item print_formatted(const Items& items) {
  const auto format = text_of(items[0]);
  std::string out;
  std::size_t next = 1;
  for (std::size_t at = 0; at < format.size(); ++at) {
    const auto verb = format[at] == '%' ? verb_of(format, at) : std::string::npos;
    if (verb == std::string::npos) {
      out += format[at];
      continue;
    }
    const auto flags = format.substr(at, verb - at);
    const char letter = format[verb];
    at = verb;
    if (letter == '%') {
      out += '%';
    } else if (next >= items.size()) {
      out += fmt::format("%!{}(MISSING)", letter);
    } else if (letter == 's' || letter == 'v') {
      out += fmt::sprintf(flags + "s", text_of(items[next++]));
    } else if (letter == 'q') {
      out += '"' + text_of(items[next++]) + '"';
    } else {
      out += fmt::sprintf(flags + letter, number_of(items[next++]));
    }
  }
  return out;
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Item to_upper(const Items& items) {
  auto text = text_of(items.back());
  std::ranges::transform(text, text.begin(), upper);
  return text;
}
Item to_lower(const Items& items) {
  auto text = text_of(items.back());
  std::ranges::transform(text, text.begin(), lower);
  return text;
}
Item title(const Items& items) {
  auto text = text_of(items.back());
  bool starts = true;
  for (char& c : text) {
    if (starts) c = upper(c);
    starts = c == ' ';
  }
  return text;
}

// reReplaceAll pattern replacement text
Item replace_all(const Items& items) {
  const re2::RE2 pattern(text_of(items[0]), re2::RE2::Quiet);
  auto text = text_of(items[2]);
  std::string rewrite;
  for (const char c : text_of(items[1])) rewrite += c == '$' ? '\\' : c;
  if (pattern.ok()) re2::RE2::GlobalReplace(&text, pattern, rewrite);
  return text;
}

struct TemplateFunction {
  std::string_view name;
  Item (*call)(const Items& items);
  std::size_t arguments = 1;
  bool more = false;  ///< or any number more
};
constexpr std::array kFunctions = std::to_array<TemplateFunction>({
    {"humanize", &humanize},
    {"humanize1024", &humanize1024},
    {"humanizeDuration", &humanize_duration},
    {"humanizePercentage", &humanize_percentage},
    {"humanizeTimestamp", &humanize_timestamp},
    {"printf", &print_formatted, 1, true},
    {"toUpper", &to_upper},
    {"toLower", &to_lower},
    {"title", &title},
    {"reReplaceAll", &replace_all, 3},
});

// --- reading ---

struct Operand {
  enum class Kind : std::uint8_t { kLabel, kValue, kConstant };
  Kind kind = Kind::kConstant;
  std::string label;
  Item constant;
};

struct Command {
  const TemplateFunction* function = nullptr;  ///< null: the operand by itself
  std::vector<Operand> operands;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const auto start = text.find_first_not_of(" \t\n\r");
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    std::size_t end = 0;
    if (const char quote = text.front(); quote == '"' || quote == '`') {
      end = 1;
      while (end < text.size() && text[end] != quote) end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (text.front() == '|') {
      end = 1;
    } else {
      end = std::min(text.find_first_of(" \t\n\r|\"`"), text.size());
    }
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<Operand> operand_of(const std::string& word) {
  for (const std::string_view prefix : {"$labels.", ".Labels."}) {
    if (word.starts_with(prefix))
      return Operand{Operand::Kind::kLabel, word.substr(prefix.size()), {}};
  }
  if (word == "$value" || word == ".Value") return Operand{Operand::Kind::kValue, {}, {}};
  // Of another Prometheus: there is none here.
  if (word == "$externalURL" || word == ".ExternalURL" || word.starts_with("$externalLabels."))
    return Operand{Operand::Kind::kConstant, {}, std::string()};
  const auto tokens = expr::split(word);
  if (!tokens || tokens->size() != 2) return std::nullopt;
  const auto& token = tokens->front();
  if (token.kind == expr::Token::Kind::kString)
    return Operand{Operand::Kind::kConstant, {}, token.value};
  if (token.kind == expr::Token::Kind::kNumber)
    return Operand{Operand::Kind::kConstant, {}, token.number};
  return std::nullopt;
}

Result<void> check_format(const Operand& operand) {
  const auto format = text_of(operand.constant);
  for (auto at = format.find('%'); at != std::string::npos; at = format.find('%', at + 1)) {
    const auto verb = verb_of(format, at);
    if (verb == std::string::npos)
      return wrong(fmt::format(
          "printf \"{}\": write %.2f, %g, %s or %v; a value is no whole number", format));
    at = verb;
  }
  return {};
}

Result<Command> command_of(const std::vector<std::string>& words, bool piped) {
  if (words.empty()) return wrong("something is missing around |");
  Command command;
  std::size_t first = 0;
  const auto* const function = std::ranges::find(kFunctions, words[0], &TemplateFunction::name);
  if (function != kFunctions.end()) {
    command.function = function;
    first = 1;
  }
  for (std::size_t i = first; i < words.size(); ++i) {
    auto operand = operand_of(words[i]);
    if (!operand)
      return wrong(
          fmt::format("{{{{ {} }}}} is not known here: there are $labels.NAME, $value, "
                      "printf and the humanize functions; no conditions, loops or queries",
                      words[i]));
    command.operands.push_back(*std::move(operand));
  }
  const auto given = command.operands.size() + (piped ? 1 : 0);
  if (command.function == nullptr) {
    if (given != 1) return wrong(fmt::format("{} is no function", words[0]));
  } else if (given < function->arguments || (given > function->arguments && !function->more)) {
    return wrong(fmt::format("{} takes {} arguments", function->name, function->arguments));
  } else if (function->more) {
    if (command.operands.empty()) return wrong("printf begins with a format: printf \"%.2f\"");
    if (auto fine = check_format(command.operands[0]); !fine) return std::move(fine).error();
  }
  return command;
}

}  // namespace

struct Template::Part {
  std::string text;               ///< without commands: itself
  std::vector<Command> commands;  ///< one piped into the next
};

Result<Template> Template::parse(std::string_view text) {
  Template made;
  const auto add_text = [&made](std::string_view plain) {
    if (!plain.empty())
      made.parts_.push_back(std::make_shared<const Part>(Part{std::string(plain), {}}));
  };
  constexpr std::string_view kBlanks = " \t\n\r";
  while (true) {
    const auto open = text.find("{{");
    auto plain = text.substr(0, open);
    if (open == std::string_view::npos) {
      add_text(plain);
      return made;
    }
    text.remove_prefix(open + 2);
    const auto close = text.find("}}");
    if (close == std::string_view::npos) return wrong("{{ is not closed by }}");
    auto inner = text.substr(0, close);
    text.remove_prefix(close + 2);
    // {{- and -}} take the blanks around them away.
    if (inner.starts_with("- ")) {
      plain = plain.substr(0, plain.find_last_not_of(kBlanks) + 1);
      inner.remove_prefix(1);
    }
    if (inner.ends_with(" -")) {
      text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
      inner.remove_suffix(1);
    }
    add_text(plain);
    Part part;
    std::vector<std::string> words;
    for (auto& word : words_of(inner)) {
      if (word != "|") {
        words.push_back(std::move(word));
        continue;
      }
      ETCDMON_TRY(auto command, command_of(words, !part.commands.empty()));
      part.commands.push_back(std::move(command));
      words.clear();
    }
    ETCDMON_TRY(auto command, command_of(words, !part.commands.empty()));
    part.commands.push_back(std::move(command));
    made.parts_.push_back(std::make_shared<const Part>(std::move(part)));
  }
}

std::string Template::render(const Labels& labels, double value) const {
  std::string out;
  for (const auto& part : parts_) {
    out += part->text;
    std::optional<Item> piped;
    for (const auto& command : part->commands) {
      Items items;
      for (const auto& operand : command.operands) {
        if (operand.kind == Operand::Kind::kValue) {
          items.emplace_back(value);
        } else if (operand.kind == Operand::Kind::kLabel) {
          const auto found = labels.find(operand.label);
          items.emplace_back(found == labels.end() ? std::string() : found->second);
        } else {
          items.push_back(operand.constant);
        }
      }
      if (piped) items.push_back(*std::move(piped));
      piped = command.function == nullptr ? items.front() : command.function->call(items);
    }
    if (piped) out += text_of(*piped);
  }
  return out;
}

std::string go_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  constexpr double kLargestPlain = 1e21;
  constexpr double kSmallestPlain = 1e-4;
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= kSmallestPlain && size < kLargestPlain);
  std::array<char, 64> text{};
  const auto written =
      std::to_chars(text.data(), text.data() + text.size(), value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {text.data(), written.ptr};
}

}  // namespace etcdmon::alert
