// app/cli/ctl/run/consent.hpp: shows what is about to be done, and asks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/cli/ctl/session.hpp"

namespace etcdmon::app::cli::ctl {

/// What a command is about to do.
struct Plan {
  std::vector<std::string> lines{};  ///< shown before, on standard error
  std::string question{};            ///< "Remove member 8e9e05c52164694d?"
  /// Not empty: why it is only done when somebody says so, with --yes where nobody can be asked.
  std::string danger{};
};

/// nullopt: go on. With --dry-run the plan is printed and that is all; --yes answers the question.
/// On a terminal the question is asked; elsewhere the plan is carried out unless it is dangerous.
Task<std::optional<Exit>> consent(Session& session, const FlagValues& flags, Plan plan);

}  // namespace etcdmon::app::cli::ctl
