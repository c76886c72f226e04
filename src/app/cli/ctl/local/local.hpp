// app/cli/ctl/local/local.hpp: the ctl commands that need no cluster.
#pragma once

#include <span>
#include <string_view>

#include "app/cli/ctl/command.hpp"

namespace etcdmon::app::cli::ctl {

struct LocalCommand {
  std::string_view path;
  Exit (*run)(const Request& request, Printer& printer);
};

std::span<const LocalCommand> local_commands();

Exit run_completion(const Request& request, Printer& printer);
Exit run_shell(const Request& request, Printer& printer);
Exit run_snapshot_restore(const Request& request, Printer& printer);
Exit run_snapshot_status(const Request& request, Printer& printer);
Exit run_version(const Request& request, Printer& printer);

}  // namespace etcdmon::app::cli::ctl
