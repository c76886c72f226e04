#include "app/cli/ctl/run/consent.hpp"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::app::cli::ctl {

Task<std::optional<Exit>> consent(Session& session, const FlagValues& flags, Plan plan) {
  if (flags.on("dry-run")) {
    for (const auto& line : plan.lines) fmt::print("{}\n", line);
    if (!plan.danger.empty()) fmt::print("DANGER: {}\n", plan.danger);
    fmt::print("Nothing was done (--dry-run).\n");
    co_return Exit{};
  }
  for (const auto& line : plan.lines) Terminal::note(line);
  if (!plan.danger.empty()) Terminal::note(fmt::format("DANGER: {}", plan.danger));
  if (flags.on("yes")) co_return std::nullopt;
  if (!session.terminal().somebody_is_there()) {
    if (plan.danger.empty()) co_return std::nullopt;
    co_return Exit{ExitCode::kError,
                   fmt::format("refused: {}; say --yes if it is meant", plan.danger)};
  }
  const bool agreed = co_await session.terminal().agrees(std::move(plan.question));
  if (agreed) co_return std::nullopt;
  co_return Exit{ExitCode::kError, "nothing was done"};
}

}  // namespace etcdmon::app::cli::ctl
