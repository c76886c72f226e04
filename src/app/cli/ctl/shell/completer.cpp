#include "app/cli/ctl/shell/completer.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "app/cli/ctl/line/command_table.hpp"
#include "app/cli/ctl/text/words.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

// Commands whose arguments are keys.
constexpr std::array<std::string_view, 5> kTakeKeys = {"del", "du", "get", "put", "watch"};

// The command or group that the words name so far.
std::string path_of(const std::vector<std::string>& words) {
  std::string path;
  for (const auto& word : words) {
    if (word.starts_with('-')) continue;
    const auto longer = path.empty() ? word : path + " " + word;
    const bool known = std::ranges::any_of(command_specs(), [&longer](const CommandSpec& command) {
      return command.path == longer || command.path.starts_with(longer + " ");
    });
    if (!known) break;
    path = longer;
  }
  return path;
}

void add_flags(std::set<std::string>& out, std::span<const Flag> flags) {
  for (const auto& flag : flags) {
    out.insert(fmt::format("--{}{}", flag.name, flag.type == Flag::Type::kSwitch ? "" : "="));
  }
}

void add_next_words(std::set<std::string>& out, const std::string& path) {
  const std::string before = path.empty() ? "" : path + " ";
  for (const auto& command : command_specs()) {
    if (!command.path.starts_with(before)) continue;
    const auto rest = command.path.substr(before.size());
    out.emplace(rest.substr(0, rest.find(' ')));
  }
}

}  // namespace

std::vector<std::string> without_program(std::vector<std::string> words) {
  for (const std::string_view program : {"etcd-monitor", "etcdctl", "ctl"}) {
    if (!words.empty() && words.front() == program) words.erase(words.begin());
  }
  return words;
}

std::vector<std::string> completions(std::string_view line, const std::string& word,
                                     const KeySource& keys) {
  if (line.ends_with(word)) line.remove_suffix(word.size());
  const auto before = without_program(words_of(line).value_or(std::vector<std::string>{}));
  const auto path = path_of(before);
  std::set<std::string> possible;
  const auto* const command = find_command_spec(path);
  if (word.starts_with('-')) {
    if (command != nullptr) add_flags(possible, command->flags);
    add_flags(possible, global_flags());
  } else if (command == nullptr) {
    add_next_words(possible, path);
    if (path.empty()) possible.insert("exit");
  } else if (std::ranges::find(kTakeKeys, path) != kTakeKeys.end()) {
    for (auto& key : keys(word)) possible.insert(std::move(key));
  }
  std::vector<std::string> out;
  for (const auto& one : possible) {
    if (one.starts_with(word)) out.push_back(one);
  }
  return out;
}

bool may_be_kept(std::string_view line) {
  constexpr std::array<std::string_view, 4> kSecret = {"password", "--user", "user add",
                                                       "--dest-user"};
  return std::ranges::none_of(
      kSecret, [line](std::string_view text) { return line.find(text) != std::string_view::npos; });
}

}  // namespace etcdmon::app::cli::ctl
