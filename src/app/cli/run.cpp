// The command without a name: the daemon.
#include <cstdio>

#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "app/cli/start_up.hpp"
#include "app/daemon/process.hpp"
#include "app/version.hpp"

namespace etcdmon::app::cli {

namespace {

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor [flags] | etcd-monitor COMMAND [flags]",
      .about =
          "Watches etcd clusters from outside: finds all members from any endpoint, says within\n"
          "seconds what is wrong and why, and serves it over HTTP. See etcd-monitor help for the "
          "commands.",
      .examples =
          "  etcd-monitor --endpoints=localhost:2379\n"
          "  etcd-monitor --endpoints=https://10.0.0.1:2379 --cacert=ca.pem --cert=client.pem "
          "--key=client-key.pem\n"
          "  etcd-monitor --config=/etc/etcd-monitor/config.yaml\n"
          "  curl -s localhost:8080/api/v1/cluster/status\n"};
  return kUsage;
}

void say_what_runs(const Daemon& daemon) {
  for (const auto& cluster : daemon.settings().clusters) {
    std::string endpoints;
    for (const auto& endpoint : cluster.endpoints)
      endpoints += (endpoints.empty() ? "" : ", ") + endpoint;
    if (!cluster.discovery_srv.empty())
      endpoints +=
          fmt::format("{}SRV records of {}", endpoints.empty() ? "" : ", ", cluster.discovery_srv);
    fmt::print("watching {} ({})\n", cluster.name, endpoints);
  }
  fmt::print("API on http://{}  (try: curl -s http://{}/api/v1/cluster/status)\n",
             daemon.api_address(), daemon.api_address());
  std::fflush(stdout);
}

}  // namespace

int run_daemon(const std::vector<std::string>& arguments) {
  if (config::parse_flags(settings_flags(), arguments).is_on("run-benchmark"))
    return run_bench(arguments);
  auto [start, exit] = start_up(arguments, usage());
  if (!start) return exit;
  const auto logger = make_logger(start->loaded.settings.logging);
  logger.info("etcd-monitor starts", {{"version", version()}});
  Loop loop(1);
  ProcessOptions options{.request = std::move(start->request),
                         .loaded = std::move(start->loaded),
                         .on_started = say_what_runs,
                         .on_stopped = {}};
  return run_process(loop, std::move(options), logger);
}

int run_version(const std::vector<std::string>& /*arguments*/) {
  fmt::print("etcd-monitor {}\n", version());
  fmt::print("compiler: {}\n", compiler());
  return kOk;
}

int run_help(const std::vector<std::string>& /*arguments*/) {
  fmt::print("Usage: {}\n\n{}\n\nCommands:\n", usage().line, usage().about);
  for (const auto& command : commands()) {
    if (!command.name.empty()) fmt::print("  {:<10} {}\n", command.name, command.summary);
  }
  fmt::print(
      "\nExamples:\n{}\nFlags of a command: etcd-monitor COMMAND --help; of the monitor itself: "
      "etcd-monitor --help\n",
      usage().examples);
  return kOk;
}

}  // namespace etcdmon::app::cli
