#include "app/cli/command.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include "config/suggest.hpp"

namespace etcdmon::app::cli {

namespace {

constexpr std::array kCommands = {
    Command{"", "watch clusters and serve the API (the default)", &run_daemon},
    Command{"alerts", "alerts and silences of a running monitor; try out a channel", &run_alerts},
    Command{"bench", "measure the cluster's performance; compare two measurements", &run_bench},
    Command{
        "check",
        "look once, print the verdict, exit 0 (healthy), 1 (unhealthy) or 2 (could not find out)",
        &run_check},
    Command{"config", "check, show or document the configuration", &run_config},
    Command{"ctl", "what etcdctl does: its commands, flags, outputs and exit codes", &run_ctl},
    Command{"demo", "start a local three-member etcd and the monitor on it", &run_demo},
    Command{"rules", "rules of a running monitor; try out rules of your own", &run_rules},
    Command{"version", "print the version", &run_version},
    Command{"help", "print this help", &run_help},
};

int unknown_command(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& command : kCommands) names.emplace_back(command.name);
  const auto meant = config::closest(name, names);
  fmt::print(stderr, "etcd-monitor: unknown command \"{}\"{}; see etcd-monitor --help\n", name,
             meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant));
  return kUsage;
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

int run(int argc, char** argv) {
  // A peer that goes away must not take the monitor along.
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string name;
  if (!arguments.empty() && !arguments.front().starts_with('-')) {
    name = arguments.front();
    arguments.erase(arguments.begin());
  }
  const auto* const command = std::ranges::find(kCommands, name, &Command::name);
  if (command == kCommands.end()) return unknown_command(name);
  try {
    return command->run(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "etcd-monitor: {}. This is a bug; please report it.\n", error.what());
    return kUnhealthy;
  }
}

}  // namespace etcdmon::app::cli
