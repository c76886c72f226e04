// `config`: what is set, and what could be.
#include <cstdio>

#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "app/cli/start_up.hpp"
#include "config/describe.hpp"

namespace etcdmon::app::cli {

namespace {

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor config check|show|docs|schema [flags]",
      .about =
          "check: say all that is wrong with the configuration, exit 2 if anything is. show: print "
          "what is in force,\n"
          "from defaults, file, environment and flags, secrets hidden. docs: the reference in "
          "Markdown. schema: JSON\n"
          "Schema for editors.",
      .examples =
          "  etcd-monitor config check --config=/etc/etcd-monitor/config.yaml\n"
          "  etcd-monitor config show --endpoints=localhost:2379\n"};
  return kUsage;
}

}  // namespace

int run_config(const std::vector<std::string>& arguments) {
  auto [start, exit] = start_up(arguments, usage(), {}, true);
  if (!start) return exit;
  const auto& words = start->loaded.flags.arguments;
  const std::string what = words.size() == 1 ? words[0] : "";
  if (what == "check") {
    for (const auto& warning : start->loaded.warnings) fmt::print("warning: {}\n", warning);
    fmt::print("the configuration is good\n");
  } else if (what == "show") {
    fmt::print("{}", config::to_yaml(config::dump(start->loaded.settings)));
  } else if (what == "docs") {
    fmt::print("{}", config::markdown(Settings::schema()));
  } else if (what == "schema") {
    fmt::print("{}\n", config::json_schema(Settings::schema(), "etcd-monitor"));
  } else {
    fmt::print(stderr, "etcd-monitor config: say check, show, docs or schema\n");
    return kUsage;
  }
  return kOk;
}

}  // namespace etcdmon::app::cli
