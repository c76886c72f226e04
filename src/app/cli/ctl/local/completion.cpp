// `ctl completion`: scripts that complete commands, flags and their values, made from the table of
// commands.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/cli/ctl/line/command_table.hpp"
#include "app/cli/ctl/local/local.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

// What may follow the words so far: "" -> get, put, lease …; "lease" -> grant …
std::map<std::string, std::set<std::string>> words_after() {
  std::map<std::string, std::set<std::string>> after;
  for (const auto& command : command_specs()) {
    std::string before;
    for (std::string_view rest = command.path; !rest.empty();) {
      const auto word = std::string(rest.substr(0, rest.find(' ')));
      after[before].insert(word);
      before += before.empty() ? word : " " + word;
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
  }
  after["completion"] = {"bash", "zsh", "fish"};
  return after;
}

std::string flag_words(std::span<const Flag> flags) {
  std::string words;
  for (const auto& flag : flags) {
    words += fmt::format("{}--{}{}", words.empty() ? "" : " ", flag.name,
                         flag.type == Flag::Type::kSwitch ? "" : "=");
  }
  return words;
}

// zsh runs the same function through its own emulation of bash's completion.
constexpr std::string_view kFunction = R"(_etcd_monitor_ctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} path="" word words flags i seen=0
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $seen == 0 ]]; then [[ $word == ctl ]] && seen=1; continue; fi
    [[ $word == -* || $word == = ]] && continue
    case "$path $word" in
@PATHS@
    esac
  done
  [[ $seen == 1 ]] || return 0
  if [[ $cur == -* ]]; then
    flags="@GLOBAL@"
    case "$path" in
@FLAGS@
    esac
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
  fi
  case "$path" in
@WORDS@
  esac
  case "${COMP_WORDS[COMP_CWORD-1]}" in
    -w | --write-out) words="simple fields json protobuf table" ;;
    --compat) words="3.4 3.5 3.6 3.7" ;;
  esac
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
)";

void replace(std::string& text, std::string_view hole, const std::string& with) {
  text.replace(text.find(hole), hole.size(), with);
}

std::string join_lines(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string bash_function() {
  std::vector<std::string> paths;
  std::vector<std::string> words;
  std::vector<std::string> flags;
  for (const auto& [before, next] : words_after()) {
    words.push_back(fmt::format("    \"{}\") words=\"{}\" ;;", before, fmt::join(next, " ")));
    for (const auto& word : next) {
      const auto path = before.empty() ? word : fmt::format("{} {}", before, word);
      if (before != "completion") {
        paths.push_back(fmt::format("      \"{} {}\") path=\"{}\" ;;", before, word, path));
      }
    }
  }
  for (const auto& command : command_specs()) {
    if (command.flags.empty()) continue;
    flags.push_back(
        fmt::format("      \"{}\") flags+=\" {}\" ;;", command.path, flag_words(command.flags)));
  }
  std::string script(kFunction);
  replace(script, "@PATHS@", join_lines(paths));
  replace(script, "@GLOBAL@", flag_words(global_flags()));
  replace(script, "@FLAGS@", join_lines(flags));
  replace(script, "@WORDS@", join_lines(words));
  return script;
}

std::string fish_script() {
  std::string script =
      "function __etcd_monitor_ctl_path\n"
      "  set -l words (commandline -opc)\n"
      "  string join ' ' (string match -v -- '-*' $words[2..])\n"
      "end\n";
  const auto add = [&script](std::string_view path, std::string_view rest) {
    script += fmt::format(
        "complete -c etcd-monitor -n 'test (__etcd_monitor_ctl_path) = \"ctl{}{}\"' {}\n",
        path.empty() ? "" : " ", path, rest);
  };
  for (const auto& [before, next] : words_after()) {
    add(before, fmt::format("-f -a '{}'", fmt::join(next, " ")));
  }
  const auto add_flag = [](const Flag& flag) {
    return fmt::format("-l {}{} -d '{}'", flag.name, flag.type == Flag::Type::kSwitch ? "" : " -r",
                       flag.doc);
  };
  for (const auto& command : command_specs()) {
    for (const auto& flag : command.flags) {
      script += fmt::format(
          "complete -c etcd-monitor -n 'string match -q \"ctl {}*\" (__etcd_monitor_ctl_path)' "
          "{}\n",
          command.path, add_flag(flag));
    }
  }
  for (const auto& flag : global_flags()) {
    script += fmt::format(
        "complete -c etcd-monitor -n 'string match -q \"ctl*\" (__etcd_monitor_ctl_path)' {}\n",
        add_flag(flag));
  }
  return script;
}

}  // namespace

Exit run_completion(const Request& request, Printer& printer) {
  const auto& words = request.arguments;
  const std::string shell = words.size() == 1 ? words.front() : "";
  if (shell == "bash") {
    printer.line(bash_function() + "complete -F _etcd_monitor_ctl -o bashdefault etcd-monitor");
  } else if (shell == "zsh") {
    printer.line("#compdef etcd-monitor\nautoload -U +X bashcompinit && bashcompinit\n" +
                 bash_function() + "complete -F _etcd_monitor_ctl etcd-monitor");
  } else if (shell == "fish") {
    printer.line(fish_script());
  } else {
    return bad_arguments("completion command needs one argument: bash, zsh or fish");
  }
  return {};
}

}  // namespace etcdmon::app::cli::ctl
