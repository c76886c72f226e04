// `ctl shell`: commands at a prompt, with history and completion of commands, flags and keys.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <editline/readline.h>
#include <fmt/format.h>

#include "app/cli/ctl/command.hpp"
#include "app/cli/ctl/ctl.hpp"
#include "app/cli/ctl/local/local.hpp"
#include "app/cli/ctl/print/reply_printer.hpp"
#include "app/cli/ctl/shell/completer.hpp"
#include "app/cli/ctl/text/words.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using Words = std::vector<std::string>;
constexpr int kHistoryLines = 1000;

// The flags of `ctl shell` itself go along with each of its commands.
Words inherited(const FlagValues& flags) {
  Words words;
  for (const auto& flag : global_flags()) {
    if (flags.is_set(flag.name)) {
      words.push_back(fmt::format("--{}={}", flag.name, flags.text(flag.name)));
    }
  }
  return words;
}

// Keeps the keys of an answer.
class KeyCollector : public ReplyPrinter {
 public:
  KeyCollector()
      : ReplyPrinter(Output{}, {[](std::string_view) { return true; },
                                [](std::string_view) { return true; }}) {}

  void get(const wire::RangeResponse& page, RangePart /*part*/) override {
    for (const auto& kv : page.kvs()) keys_.push_back(kv.key());
  }
  Words take() { return std::move(keys_); }

 private:
  Words keys_;
};

Words keys_below(const Words& flags, const std::string& prefix) {
  Words words{"get", prefix, "--prefix", "--keys-only", "--limit=100", "--consistency=s"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.emplace_back("--command-timeout=1s");
  auto line = parse_command_line(words, {});
  const auto command = std::ranges::find(commands(), "get", &Command::path);
  if (!line || command == commands().end()) return {};
  KeyCollector keys;
  execute(*command, {std::move(line->flags), std::move(line->arguments), line->dashes}, keys);
  return keys.take();
}

// The line editor knows functions only: what they work on stands here while a shell runs.
struct Completing {
  const Words* flags = nullptr;
  Words found{};
  std::size_t next = 0;
};
Completing completing;

char* next_completion(const char* /*word*/, int /*state*/) {
  if (completing.next >= completing.found.size()) return nullptr;
  return ::strdup(completing.found[completing.next++].c_str());
}

char** complete(const char* word, int /*start*/, int end) {
  const std::string line(rl_line_buffer, static_cast<std::size_t>(end));
  completing.found = completions(
      line, word, [](const std::string& prefix) { return keys_below(*completing.flags, prefix); });
  completing.next = 0;
  rl_attempted_completion_over = 1;
  const bool open = completing.found.size() == 1 && completing.found.front().ends_with('=');
  constexpr int kSpace = 32;
  rl_completion_append_character = open ? 0 : kSpace;
  return rl_completion_matches(word, &next_completion);
}

std::string history_file() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  if (state == nullptr && home == nullptr) return {};
  const auto folder = (state != nullptr ? std::filesystem::path(state)
                                        : std::filesystem::path(home) / ".local" / "state") /
                      "etcd-monitor";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? "" : (folder / "ctl_history").string();
}

// In a process of its own: what Ctrl-C ends is the command and not the shell.
int run_apart(const Words& words) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) {
    fmt::print(stderr, "Error: cannot start a process: {}\n", std::strerror(errno));
    return 1;
  }
  if (child == 0) {
    std::signal(SIGINT, SIG_DFL);
    const int code = run_line(words, {});
    std::fflush(nullptr);
    _exit(code);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// What the line asks for is done; false: the shell ends.
bool obey(const std::string& text, const Words& flags, int& code) {
  if (trimmed(text).starts_with('#')) return true;
  auto words = words_of(text);
  if (!words) {
    fmt::print(stderr, "Error: {}\n", words.error().message);
    return true;
  }
  auto line = without_program(*std::move(words));
  if (line.empty()) return true;
  if (line.front() == "exit" || line.front() == "quit") return false;
  if (line.front() == "shell") {
    fmt::print(stderr, "Error: this is the shell\n");
    return true;
  }
  // Before "--", or they would be arguments.
  line.insert(line.begin(), flags.begin(), flags.end());
  code = run_apart(line);
  return true;
}

// Lines from a pipe or a file.
Exit run_script(const Words& flags) {
  int code = 0;
  for (std::string line; std::getline(std::cin, line);) {
    if (!obey(line, flags, code)) break;
  }
  return Exit{static_cast<ExitCode>(code)};
}

Exit run_prompt(const Words& flags) {
  completing.flags = &flags;
  rl_readline_name = const_cast<char*>("etcd-monitor");
  rl_initialize();
  rl_attempted_completion_function = &complete;
  rl_completer_word_break_characters = const_cast<char*>(" \t\n\"'");
  using_history();
  const auto file = history_file();
  umask(077);
  if (!file.empty()) read_history(file.c_str());
  std::signal(SIGINT, SIG_IGN);
  int code = 0;
  for (;;) {
    errno = 0;
    char* const typed = readline("etcd> ");
    if (typed == nullptr && errno == EINTR) {
      // Ctrl-C leaves the line, not the shell.
      fmt::print("\n");
      std::fflush(stdout);
      continue;
    }
    if (typed == nullptr) break;
    const std::string line(typed);
    std::free(typed);
    if (!trimmed(line).empty() && may_be_kept(line)) add_history(line.c_str());
    if (!obey(line, flags, code)) break;
  }
  if (!file.empty()) {
    stifle_history(kHistoryLines);
    write_history(file.c_str());
  }
  return {};
}

}  // namespace

Exit run_shell(const Request& request, Printer& /*printer*/) {
  if (!request.arguments.empty()) return bad_arguments("shell command takes no arguments");
  const auto flags = inherited(request.flags);
  return isatty(STDIN_FILENO) != 0 ? run_prompt(flags) : run_script(flags);
}

}  // namespace etcdmon::app::cli::ctl
