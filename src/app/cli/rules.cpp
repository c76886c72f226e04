// `rules`: rules of a running monitor, and rules tried out.
#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "app/cli/detail/rules_test_command.hpp"
#include "app/cli/start_up.hpp"

namespace etcdmon::app::cli {

namespace {

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor rules test FILE... [flags]",
      .about =
          "test: runs unit tests of rules as `promtool test rules` does, in the same files: series "
          "that are written down,\n"
          "and which alerts they bring when. Needs no monitor, no etcd and no configuration.\n\n"
          "Exit code 0: all is as expected; 1: it is not; 2: bad flags, arguments or files.",
      .examples =
          "  etcd-monitor rules test tests/*.yml\n"
          "  etcd-monitor rules test own_rules.yml -w json\n"};
  return kUsage;
}

std::vector<config::FlagSpec> rules_flags() {
  return {{"w", "format", "Output: simple or json.", "simple", "", "Rules"},
          {"write-out", "format", "The same as -w.", "simple", "", "Rules"}};
}

std::vector<config::Issue> check_rules_flags(const config::ParsedFlags& flags) {
  std::vector<config::Issue> issues;
  for (const auto* name : {"w", "write-out"}) {
    const auto* value = flags.last(name);
    if (value == nullptr || *value == "json" || *value == "simple") continue;
    issues.push_back({{fmt::format("--{}", name), 0},
                      {},
                      fmt::format("\"{}\" is neither simple nor json", *value)});
  }
  return issues;
}

bool wants_json(const config::ParsedFlags& flags) {
  for (const auto* name : {"w", "write-out"}) {
    const auto* value = flags.last(name);
    if (value != nullptr && *value == "json") return true;
  }
  return false;
}

// Without settings: a test must not hang on a configuration that lies about.
int run_test(std::span<const std::string> arguments) {
  const auto flags = config::parse_flags(rules_flags(), arguments);
  auto issues = flags.issues;
  for (auto& issue : check_rules_flags(flags)) issues.push_back(std::move(issue));
  if (issues.empty() && flags.arguments.empty())
    issues.push_back({{"etcd-monitor rules test", 0}, {}, "say which files"});
  if (issues.empty()) return test_rules(flags.arguments, wants_json(flags));
  fmt::print(stderr, "{}", config::to_string(issues));
  return kUsage;
}

}  // namespace

int run_rules(const std::vector<std::string>& arguments) {
  const auto asks = [](const std::string& word) { return word == "--help" || word == "-help"; };
  const bool helps = std::ranges::any_of(arguments, asks);
  if (!helps && !arguments.empty() && arguments[0] == "test")
    return run_test(std::span(arguments).subspan(1));
  auto [start, exit] = start_up(arguments, usage(), rules_flags(), true, check_rules_flags);
  if (!start) return exit;
  fmt::print(stderr, "etcd-monitor rules: say test; see etcd-monitor rules --help\n");
  return kUsage;
}

}  // namespace etcdmon::app::cli
