#include "app/cli/ctl/line/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "config/suggest.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::string_view kProgram = "etcd-monitor ctl";

// "lease grant" is below "lease" and below "".
bool is_below(const CommandSpec& command, std::string_view group) {
  return group.empty() || (command.path.size() > group.size() && command.path.starts_with(group) &&
                           command.path[group.size()] == ' ');
}

std::string joined(std::string_view group, std::string_view word) {
  if (group.empty() || word.empty()) return std::string(group.empty() ? word : group);
  return fmt::format("{} {}", group, word);
}

// The next words that may follow a group.
std::vector<std::string> choices(std::string_view group) {
  std::set<std::string> names;
  for (const auto& command : command_specs()) {
    if (!is_below(command, group)) continue;
    const auto rest = command.path.substr(group.empty() ? 0 : group.size() + 1);
    names.emplace(rest.substr(0, rest.find(' ')));
  }
  return {names.begin(), names.end()};
}

Error unknown(std::string_view group, const std::string& word,
              const std::vector<std::string>& names) {
  std::string near;
  for (const auto& name : names) {
    if (name.starts_with(word) || config::edit_distance(word, name) <= 2) near += "\n\t" + name;
  }
  if (!near.empty()) near = "\n\nDid you mean this?" + near + "\n";
  return Error{ErrorCode::kInvalidArgument, fmt::format("unknown command \"{}\" for \"{}\"{}", word,
                                                        joined(kProgram, group), near)};
}

// The one that `word` names, in full or in part.
Result<std::string> choose(std::string_view group, const std::string& word) {
  const auto names = choices(group);
  if (std::ranges::find(names, word) != names.end()) return word;
  std::vector<std::string> possible;
  for (const auto& name : names) {
    if (name.starts_with(word)) possible.push_back(name);
  }
  if (possible.size() == 1) return possible.front();
  return unknown(group, word, names);
}

std::vector<Flag> flags_below(std::string_view group) {
  std::vector<Flag> flags(global_flags().begin(), global_flags().end());
  for (const auto& command : command_specs()) {
    if (command.path != group && !is_below(command, group)) continue;
    flags.insert(flags.end(), command.flags.begin(), command.flags.end());
  }
  return flags;
}

// Whether the flag at `words[at]` has its value in the word after it.
bool takes_next(const FlagValues& known, const std::string& word) {
  if (word.find('=') != std::string::npos) return false;
  if (word.starts_with("--")) {
    const Flag* flag = known.find(std::string_view(word).substr(2));
    return flag == nullptr ? word != "--help" : flag->type != Flag::Type::kSwitch;
  }
  const Flag* flag = known.find(word.back());
  return flag != nullptr && flag->type != Flag::Type::kSwitch;
}

// The first word that is neither a flag nor a flag's value.
std::optional<std::size_t> first_argument(std::string_view group,
                                          std::span<const std::string> words) {
  const FlagValues known(flags_below(group));
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") return std::nullopt;
    if (words[i].size() < 2 || words[i].front() != '-') return i;
    if (takes_next(known, words[i])) ++i;
  }
  return std::nullopt;
}

struct Found {
  std::string path;  ///< of a command or a group
  std::vector<std::string> rest;
};

Result<Found> find_command(std::span<const std::string> words) {
  Found found{"", {words.begin(), words.end()}};
  while (find_command_spec(found.path) == nullptr) {
    const auto at = first_argument(found.path, found.rest);
    if (!at) break;
    ETCDMON_TRY(const auto name, choose(found.path, found.rest[*at]));
    found.path = joined(found.path, name);
    found.rest.erase(found.rest.begin() + static_cast<std::ptrdiff_t>(*at));
  }
  return found;
}

void append_flags(std::string& out, std::span<const Flag> flags) {
  std::size_t widest = 0;
  std::vector<std::string> names;
  for (const auto& flag : flags) {
    constexpr std::string_view kValues[] = {"", " n", " n", " text", " time", " list"};
    names.push_back(fmt::format("{}--{}{}",
                                flag.shorthand == 0 ? "    " : fmt::format("-{}, ", flag.shorthand),
                                flag.name, kValues[static_cast<std::size_t>(flag.type)]));
    widest = std::max(widest, names.back().size());
  }
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const auto& flag = flags[i];
    const bool told = !flag.standard.empty() && flag.standard != "0" && flag.standard != "false";
    out += fmt::format("  {:<{}}  {}{}\n", names[i], widest, flag.doc,
                       told ? fmt::format(" ({})", flag.standard) : "");
  }
}

std::string command_help(const CommandSpec& command) {
  std::string out = fmt::format("{} {}: {}\n\nUsage: {} {}{}{} [flags]\n", kProgram, command.path,
                                command.summary, kProgram, command.path,
                                command.arguments.empty() ? "" : " ", command.arguments);
  if (!command.more.empty()) out += fmt::format("\n{}\n", command.more);
  if (!command.flags.empty()) {
    out += "\nFlags:\n";
    append_flags(out, command.flags);
  }
  out += fmt::format("\nFlags of all commands: {} options\n", kProgram);
  return out;
}

std::string group_help(std::string_view group) {
  std::string out =
      group.empty() ? fmt::format(
                          "{}: what etcdctl does, with its commands, flags and outputs.\n"
                          "\nUsage: {} command [flags]\n\nCommands:\n",
                          kProgram, kProgram)
                    : fmt::format("Usage: {} {} command [flags]\n\nCommands:\n", kProgram, group);
  std::size_t widest = 0;
  for (const auto& command : command_specs()) {
    if (is_below(command, group)) widest = std::max(widest, command.path.size());
  }
  for (const auto& command : command_specs()) {
    if (!is_below(command, group)) continue;
    out += fmt::format("  {:<{}}  {}\n", command.path, widest, command.summary);
  }
  out += fmt::format("\nHelp for one: {} help {}\nFlags of all commands: {} options\n", kProgram,
                     group.empty() ? "get" : joined(group, choices(group).front()), kProgram);
  return out;
}

std::string help_of(const CommandSpec& command) {
  if (command.path != "options") return command_help(command);
  std::string out =
      "Flags of all commands, also as ETCDCTL_ENDPOINTS and so on in the environment; a flag "
      "beats\n"
      "its variable.\n\n";
  append_flags(out, global_flags());
  return out;
}

}  // namespace

Result<std::string> help_for(std::span<const std::string> words) {
  ETCDMON_TRY(const auto found, find_command(words));
  const auto* command = find_command_spec(found.path);
  return command == nullptr ? group_help(found.path) : help_of(*command);
}

Result<CommandLine> parse_command_line(std::span<const std::string> words,
                                       Environment environment) {
  ETCDMON_TRY(auto found, find_command(words));
  CommandLine line;
  line.command = find_command_spec(found.path);
  line.flags = FlagValues(flags_below(found.path));
  ETCDMON_TRY(auto arguments, parse_flags(line.flags, found.rest));
  line.arguments = std::move(arguments.words);
  line.dashes = arguments.dashes;
  if (line.command == nullptr) {
    line.help = group_help(found.path);
  } else if (arguments.wants_help || line.command->path == "options") {
    line.help = help_of(*line.command);
  } else if (line.command->path == "help") {
    ETCDMON_TRY(line.help, help_for(line.arguments));
  } else {
    ETCDMON_TRY(line.remarks, read_environment(line.flags, global_flags(), environment));
  }
  return line;
}

}  // namespace etcdmon::app::cli::ctl
