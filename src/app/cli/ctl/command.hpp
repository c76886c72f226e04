// app/cli/ctl/command.hpp: what carries the ctl commands out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/ctl/line/flag.hpp"
#include "app/cli/ctl/printer.hpp"
#include "async/task.hpp"
#include "base/error.hpp"

namespace etcdmon::app::cli::ctl {

class Session;

/// etcdctl's exit codes.
enum class ExitCode : std::uint8_t {
  kOk = 0,
  kError = 1,
  kBadConnection = 2,
  kInvalidInput = 3,
  kBadFeature = 4,
  kInterrupted = 5,
  kIo = 6,
  kBadArguments = 128,
};

/// How a command ended. `message` goes to standard error behind "Error: ".
struct Exit {
  ExitCode code = ExitCode::kOk;
  std::string message{};
};
Exit failed(const Error& error);
Exit bad_arguments(std::string message);

/// What the user asked for, as the command line was understood.
struct Request {
  FlagValues flags;  ///< the command's and the global ones
  std::vector<std::string> arguments;
  std::optional<std::size_t> dashes;  ///< how many arguments stood before "--"
};

/// One command. `run` lives on the loop; cancelling it is Ctrl-C: it leaves nothing half done under
/// its final name, revokes the lease it holds, and ends.
struct Command {
  std::string_view path;  ///< "lease grant"
  Task<Exit> (*run)(Session& session, const Request& request, Printer& printer);
  bool ends_by_signal = false;  ///< Ctrl-C is how it is meant to end
};

/// Every command that asks a cluster, sorted by path.
std::span<const Command> commands();

/// Runs one on a loop of its own and returns the exit code for the shell.
int execute(const Command& command, Request request, Printer& printer);

}  // namespace etcdmon::app::cli::ctl
