#include "app/cli/ctl/input/txn_language.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/line/command_line.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "app/cli/ctl/text/words.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

tl::unexpected<Exit> invalid(std::string message) {
  return tl::unexpected(Exit{ExitCode::kInvalidInput, std::move(message)});
}

// The four parts of `target("key") operator "value"`.
struct Comparison {
  std::string target{};
  std::string key{};
  std::string sign{};
  std::string value{};
};

// At least one space, as Go's scanning wants it.
bool take_space(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

// Fills in what can be read; false: there is not all of it.
bool scan(std::string_view rest, Comparison& out) {
  const auto key = take_quoted(rest);
  if (!key) return false;
  out.key = *key;
  if (!rest.starts_with(')')) return false;
  rest.remove_prefix(1);
  if (!take_space(rest) || rest.empty()) return false;
  const auto end = std::min(rest.find_first_of(" \t"), rest.size());
  out.sign = rest.substr(0, end);
  rest.remove_prefix(end);
  if (!take_space(rest)) return false;
  const auto value = take_quoted(rest);
  if (value) out.value = *value;
  return value.has_value();
}

std::optional<wire::Compare::Result> result_of(std::string_view sign) {
  if (sign == "=") return wire::Compare::EQUAL;
  if (sign == "!=") return wire::Compare::NOT_EQUAL;
  if (sign == ">") return wire::Compare::GREATER;
  if (sign == "<") return wire::Compare::LESS;
  return std::nullopt;
}

std::optional<wire::Compare::Target> target_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, wire::Compare::Target>, 9> kTargets = {{
      {"ver", wire::Compare::VERSION},
      {"version", wire::Compare::VERSION},
      {"c", wire::Compare::CREATE},
      {"create", wire::Compare::CREATE},
      {"m", wire::Compare::MOD},
      {"mod", wire::Compare::MOD},
      {"val", wire::Compare::VALUE},
      {"value", wire::Compare::VALUE},
      {"lease", wire::Compare::LEASE},
  }};
  const auto* const it = std::ranges::find(kTargets, name, [](const auto& t) { return t.first; });
  if (it == kTargets.end()) return std::nullopt;
  return it->second;
}

bool set_value(wire::Compare& compare, const std::string& value) {
  if (compare.target() == wire::Compare::VALUE) {
    compare.set_value(value);
    return true;
  }
  const auto number = parse_go_int(value, compare.target() == wire::Compare::LEASE ? 16 : 10);
  if (!number) return false;
  switch (compare.target()) {
    case wire::Compare::VERSION:
      compare.set_version(*number);
      break;
    case wire::Compare::CREATE:
      compare.set_create_revision(*number);
      break;
    case wire::Compare::MOD:
      compare.set_mod_revision(*number);
      break;
    default:
      compare.set_lease(*number);
  }
  return true;
}

}  // namespace

tl::expected<wire::Compare, Exit> parse_compare(std::string_view line) {
  const auto parenthesis = line.find('(');
  if (parenthesis == std::string_view::npos) {
    return invalid(fmt::format("malformed comparison: {}", line));
  }
  Comparison parts{.target = std::string(line.substr(0, parenthesis))};
  if (!scan(line.substr(parenthesis + 1), parts)) {
    return invalid(fmt::format("malformed comparison: {}; got {}({}) {} {}", line, parts.target,
                               go_quoted(parts.key), parts.sign, go_quoted(parts.value)));
  }
  const auto target = target_of(parts.target);
  if (!target) {
    return invalid(fmt::format("malformed comparison: {} (unknown target {})", line, parts.target));
  }
  const auto result = result_of(parts.sign);
  if (!result) {
    return invalid(fmt::format("malformed comparison: {} (unknown operator {})", line, parts.sign));
  }
  wire::Compare compare;
  compare.set_key(parts.key);
  compare.set_target(*target);
  compare.set_result(*result);
  if (!set_value(compare, parts.value)) {
    return invalid(fmt::format("invalid txn compare request: {}", line));
  }
  return compare;
}

tl::expected<TxnOperation, Exit> parse_operation(std::string_view line) {
  auto words = words_of(line);
  if (!words) return invalid(words.error().message);
  if (words->size() < 2) return invalid(fmt::format("invalid txn compare request: {}", line));
  const std::string name = words->front();
  TxnOperation operation;
  for (const std::string_view possible : {"get", "put", "del"}) {
    if (possible.starts_with(name)) operation.command = possible;
  }
  const auto* const command = find_command_spec(operation.command);
  if (name.empty() || command == nullptr) {
    return invalid(fmt::format("invalid txn request: {}", line));
  }
  auto& request = operation.request;
  request.flags = FlagValues({command->flags.begin(), command->flags.end()});
  auto arguments = parse_flags(request.flags, std::span(*words).subspan(1));
  if (!arguments || arguments->wants_help) {
    return invalid(fmt::format("invalid txn request: {}{}", line,
                               arguments ? "" : fmt::format(" ({})", arguments.error().message)));
  }
  request.arguments = std::move(arguments->words);
  request.dashes = arguments->dashes;
  return operation;
}

std::optional<Exit> TxnReader::take(std::string_view line) {
  line = trimmed(line);
  if (line.empty()) {
    if (part_ != Part::kDone) part_ = static_cast<Part>(static_cast<int>(part_) + 1);
    return std::nullopt;
  }
  if (part_ == Part::kDone) return std::nullopt;
  if (part_ == Part::kCompares) {
    auto compare = parse_compare(line);
    if (!compare) return std::move(compare).error();
    compares_.push_back(*std::move(compare));
    return std::nullopt;
  }
  auto operation = parse_operation(line);
  if (!operation) return std::move(operation).error();
  (part_ == Part::kSuccess ? success_ : failure_).push_back(*std::move(operation));
  return std::nullopt;
}

std::string_view TxnReader::prompt() const {
  switch (part_) {
    case Part::kCompares:
      return "compares:";
    case Part::kSuccess:
      return "success requests (get, put, del):";
    case Part::kFailure:
      return "failure requests (get, put, del):";
    case Part::kDone:
      break;
  }
  return "";
}

}  // namespace etcdmon::app::cli::ctl
