// app/cli/command.hpp: the program's commands and what they answer the shell.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etcdmon::app::cli {

/// Exit codes of all commands.
inline constexpr int kOk = 0;
inline constexpr int kUnhealthy =
    1;  ///< check: something is wrong with the cluster; others: it did not work
inline constexpr int kUsage = 2;  ///< bad flags or configuration; check: could not find out

struct Command {
  std::string_view name;     ///< empty: what runs without a command
  std::string_view summary;  ///< one line for the list
  int (*run)(const std::vector<std::string>& arguments);
};

std::span<const Command> commands();

/// Finds the command and runs it. Never throws.
int run(int argc, char** argv);

int run_daemon(const std::vector<std::string>& arguments);
int run_alerts(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);
int run_check(const std::vector<std::string>& arguments);
int run_config(const std::vector<std::string>& arguments);
int run_ctl(const std::vector<std::string>& arguments);
int run_demo(const std::vector<std::string>& arguments);
int run_rules(const std::vector<std::string>& arguments);
int run_version(const std::vector<std::string>& arguments);
int run_help(const std::vector<std::string>& arguments);

}  // namespace etcdmon::app::cli
