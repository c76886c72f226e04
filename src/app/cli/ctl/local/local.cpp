#include "app/cli/ctl/local/local.hpp"

#include <array>

#include <fmt/format.h>

#include "app/version.hpp"

namespace etcdmon::app::cli::ctl {

std::span<const LocalCommand> local_commands() {
  static constexpr std::array kCommands = {
      LocalCommand{"completion", &run_completion},
      LocalCommand{"shell", &run_shell},
      LocalCommand{"snapshot restore", &run_snapshot_restore},
      LocalCommand{"snapshot status", &run_snapshot_status},
      LocalCommand{"version", &run_version},
  };
  return kCommands;
}

Exit run_version(const Request& request, Printer& printer) {
  // Scripts read the second line.
  printer.line(fmt::format("etcd-monitor ctl version: {}", version()));
  printer.line(fmt::format("API version: {}", request.flags.text("compat")));
  return {};
}

}  // namespace etcdmon::app::cli::ctl
