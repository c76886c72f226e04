// app/cli/ctl/ctl.hpp: `etcd-monitor ctl`: from the words of the command line to an exit code.
#pragma once

#include <string>
#include <vector>

#include "app/cli/ctl/line/command_line.hpp"
#include "app/cli/ctl/line/flag.hpp"

namespace etcdmon::app::cli::ctl {

/// Runs one command line. Used by `ctl`, and by its shell for every line.
int run_line(const std::vector<std::string>& words, Environment environment);

}  // namespace etcdmon::app::cli::ctl
