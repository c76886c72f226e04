// app/cli/ctl/line/command_line.hpp: which ctl command is meant, its flags and arguments; its help.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/ctl/line/command_table.hpp"
#include "app/cli/ctl/line/flag.hpp"
#include "base/result.hpp"

namespace etcdmon::app::cli::ctl {

/// A command line understood.
struct CommandLine {
  const CommandSpec* command = nullptr;  ///< nullptr: only help is wanted
  FlagValues flags{};                    ///< the command's and the global ones
  std::vector<std::string> arguments{};
  std::optional<std::size_t> dashes{};  ///< how many arguments stood before "--"
  std::vector<std::string> remarks{};   ///< about the environment, for standard error
  std::string help{};                   ///< not empty: print it and be done
};

/// Commands may be shortened where only one begins so ("mem li"). Flags may stand anywhere.
/// Errors: what to print after "Error: "; the exit code is 1.
Result<CommandLine> parse_command_line(std::span<const std::string> words, Environment environment);

/// The words after `help`: of one command, of a group, or of everything.
Result<std::string> help_for(std::span<const std::string> words);

}  // namespace etcdmon::app::cli::ctl
