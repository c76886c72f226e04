#include <algorithm>

#include <gtest/gtest.h>

#include "app/cli/ctl/command.hpp"
#include "app/cli/ctl/line/command_table.hpp"
#include "app/cli/ctl/local/local.hpp"

namespace etcdmon::app::cli::ctl {
namespace {

TEST(CtlCommands, EveryOneInTheTableIsCarriedOut) {
  for (const auto& spec : command_specs()) {
    if (spec.path == "help" || spec.path == "options") continue;
    const bool remote =
        std::ranges::find(commands(), spec.path, &Command::path) != commands().end();
    const bool local = std::ranges::find(local_commands(), spec.path, &LocalCommand::path) !=
                       local_commands().end();
    EXPECT_NE(remote, local) << spec.path;
  }
  for (const auto& command : commands()) {
    EXPECT_NE(find_command_spec(command.path), nullptr) << command.path;
  }
}

}  // namespace
}  // namespace etcdmon::app::cli::ctl
