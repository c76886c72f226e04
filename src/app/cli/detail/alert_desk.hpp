// app/cli/detail/alert_desk.hpp: what the `alerts` command asks of a monitor that runs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/cli/detail/monitor_client.hpp"
#include "config/flags.hpp"

namespace etcdmon::app::cli {

/// `alerts list --fail-on=…` found one.
inline constexpr int kFound = 3;

struct DeskCommand {
  std::string_view words;      ///< "silence add"
  std::string_view arguments;  ///< "MATCHER..."; a word in capitals is needed, "..." more than one
  std::string_view about;      ///< one line for the help
  int (*run)(const MonitorClient& monitor, const config::ParsedFlags& flags,
             std::span<const std::string> arguments);
};

std::span<const DeskCommand> desk_commands();
std::vector<config::FlagSpec> desk_flags();
std::vector<config::Issue> check_desk_flags(const config::ParsedFlags& flags);

/// Alerts as `alerts list` shows them: a line of columns and the summary below it, the worst first.
std::string alerts_text(const nlohmann::json& alerts);

/// Columns as wide as their widest cell, two blanks between them, nothing at a line's end.
std::string columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace etcdmon::app::cli
