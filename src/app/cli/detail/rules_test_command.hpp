// app/cli/detail/rules_test_command.hpp: `rules test`: promtool's unit tests of rules.
#pragma once

#include <span>
#include <string>

namespace etcdmon::app::cli {

/// Says what came out differently; kOk when nothing did, kUnhealthy when something did, kUsage when
/// a file cannot be used.
int test_rules(std::span<const std::string> files, bool as_json);

}  // namespace etcdmon::app::cli
