// `check`: one look at the cluster, one verdict, one exit code.
#include <cstdio>
#include <cstdlib>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/cli/check_permissions.hpp"
#include "app/cli/command.hpp"
#include "app/cli/start_up.hpp"
#include "app/cluster_options.hpp"
#include "async/when_all.hpp"

namespace etcdmon::app::cli {

namespace {

using nlohmann::json;
using std::chrono::steady_clock;

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor check [permissions] [flags]",
      .about =
          "Looks at each configured cluster once and prints the verdict. Exit code 0: healthy; 1: "
          "something is\n"
          "wrong; 2: could not find out. `check permissions` asks every RPC that the monitor uses "
          "and prints which\n"
          "ones its login, and the privileged one if there is one, may ask, and what would allow "
          "the others.",
      .examples =
          "  etcd-monitor check --endpoints=localhost:2379\n"
          "  etcd-monitor check --endpoints=localhost:2379 -w json\n"
          "  etcd-monitor check permissions --endpoints=localhost:2379 --user=monitor "
          "--password-file=/run/secret\n"};
  return kUsage;
}

std::vector<config::FlagSpec> check_flags() {
  return {{"w", "format", "Output: simple or json.", "simple", "", "Check"},
          {"write-out", "format", "The same as -w.", "simple", "", "Check"},
          {"timeout", "duration", "How long to look before giving up.", "15s", "", "Check"}};
}

struct CheckOptions {
  bool json_output = false;
  std::chrono::nanoseconds timeout = std::chrono::seconds(15);
};

json to_json(const model::Verdict& verdict) {
  return {{"check", model::name_of(verdict.check)},
          {"severity", model::name_of(verdict.severity)},
          {"subject", verdict.subject},
          {"summary", verdict.summary},
          {"detail", verdict.detail}};
}

json to_json(const model::ClusterView& view) {
  const auto& assessment = view.assessment;
  json verdicts = json::array();
  for (const auto& verdict : assessment.verdicts) verdicts.push_back(to_json(verdict));
  json members = json::array();
  for (const auto& member : assessment.members) {
    members.push_back({{"id", to_hex(member.id)},
                       {"name", member.name},
                       {"reach", model::name_of(member.reach)},
                       {"reason", member.reason},
                       {"leader", member.leader}});
  }
  json out = {
      {"cluster", view.cluster},
      {"voters", assessment.quorum.voters},
      {"available", assessment.quorum.available},
      {"failures_tolerated", assessment.quorum.failures_tolerated},
      {"leader", assessment.leader.leader ? json(to_hex(*assessment.leader.leader)) : json()},
      {"members", members},
      {"verdicts", verdicts}};
  out["healthy"] = assessment.healthy ? json(*assessment.healthy) : json();
  return out;
}

void print(const model::ClusterView& view) {
  const auto& assessment = view.assessment;
  const auto state = !assessment.healthy   ? "unknown"
                     : *assessment.healthy ? "healthy"
                                           : "UNHEALTHY";
  fmt::print("{}: {}", view.cluster, state);
  if (assessment.quorum.voters > 0) {
    fmt::print(", {} of {} voting members available, {} more may fail", assessment.quorum.available,
               assessment.quorum.voters, assessment.quorum.failures_tolerated);
  }
  if (assessment.leader.leader) fmt::print(", leader {}", assessment.leader.name);
  fmt::print("\n");
  for (const auto& verdict : assessment.verdicts) {
    fmt::print("  {:<8} {}: {}\n", model::name_of(verdict.severity), model::name_of(verdict.check),
               verdict.summary);
    if (!verdict.detail.empty()) fmt::print("           {}\n", verdict.detail);
  }
}

int exit_code_of(const model::ClusterView& view) {
  if (!view.assessment.healthy) return kUsage;
  return *view.assessment.healthy ? kOk : kUnhealthy;
}

// A verdict needs a whole health check: the first opinion may come before all members were heard.
Task<> look(ClusterContext& cluster, Deadline deadline) {
  cluster.start({});
  const bool decided = co_await cluster.first_verdict(deadline);
  if (decided) {
    const auto settled =
        std::min<Deadline>(deadline, steady_clock::now() + std::chrono::milliseconds(2'500));
    while (steady_clock::now() < settled && !cluster.view()->observation.last_health_check) {
      co_await async::sleep_for(std::chrono::milliseconds(50));
    }
    co_await async::sleep_until(
        std::min<Deadline>(deadline, steady_clock::now() + std::chrono::milliseconds(300)));
  }
}

struct Looks {
  std::vector<std::unique_ptr<ClusterContext>> clusters;
  net::Resolver resolver;
  collect::Schedule schedule;
  async::TaskScope scope;

  explicit Looks(Loop& loop, const Logger& logger)
      : resolver(loop.get_executor()),
        schedule(loop.get_executor()),
        scope(loop.get_executor(), logger) {}
};

Task<> look_at_all(Looks& looks, Loop& loop, std::chrono::nanoseconds timeout) {
  looks.scope.spawn("schedule", looks.schedule.run());
  std::vector<Task<>> running;
  for (const auto& cluster : looks.clusters)
    running.push_back(look(*cluster, steady_clock::now() + timeout));
  co_await async::when_all(std::move(running));
  loop.stop();
}

int check_clusters(const Settings& settings, const CheckOptions& options, const Logger& logger) {
  Loop loop(1);
  // Left to the end of the process: one look needs no orderly stop.
  auto& looks = *new Looks(loop, logger);
  for (const auto& cluster : settings.clusters) {
    std::vector<std::string> warnings;
    auto made = cluster_options(settings, cluster, warnings);
    if (!made) {
      fmt::print(stderr, "etcd-monitor: {}\n", made.error().message);
      return kUsage;
    }
    looks.clusters.push_back(std::make_unique<ClusterContext>(
        loop.get_executor(), looks.resolver, looks.schedule, std::move(*made), logger));
  }
  looks.scope.spawn("look", look_at_all(looks, loop, options.timeout));
  loop.run();
  int code = kOk;
  json all = json::array();
  for (const auto& cluster : looks.clusters) {
    const auto& view = *cluster->view();
    code = std::max(code, exit_code_of(view));
    if (options.json_output) {
      all.push_back(to_json(view));
    } else {
      print(view);
    }
  }
  if (options.json_output) fmt::print("{}\n", (all.size() == 1 ? all[0] : all).dump(2));
  return code;
}

}  // namespace

int run_check(const std::vector<std::string>& arguments) {
  auto [start, exit] = start_up(arguments, usage(), check_flags(), true);
  if (!start) return exit;
  const auto& flags = start->loaded.flags;
  CheckOptions options;
  const auto* format = flags.last("w") != nullptr ? flags.last("w") : flags.last("write-out");
  if (format != nullptr && *format != "simple" && *format != "json") {
    fmt::print(stderr, "etcd-monitor check: -w: \"{}\" is no format; write simple or json\n",
               *format);
    return kUsage;
  }
  options.json_output = format != nullptr && *format == "json";
  if (const auto* timeout = flags.last("timeout")) {
    const auto parsed = parse_duration(*timeout);
    if (!parsed || parsed->count() <= 0) {
      fmt::print(stderr, "etcd-monitor check: --timeout: {}\n",
                 parsed ? "must be more than 0" : parsed.error().message);
      return kUsage;
    }
    options.timeout = *parsed;
  }
  const auto& words = flags.arguments;
  if (words.size() > 1 || (words.size() == 1 && words[0] != "permissions")) {
    fmt::print(
        stderr,
        "etcd-monitor check: unknown argument \"{}\"; there is `check` and `check permissions`\n",
        words.back());
    return kUsage;
  }
  const auto logger =
      Logger(log::stderr_sink(log::Level::kError, start->loaded.settings.logging.format));
  const int code = words.empty() ? check_clusters(start->loaded.settings, options, logger)
                                 : check_permissions(start->loaded.settings, options.json_output);
  std::fflush(stdout);
  std::_Exit(code);
}

}  // namespace etcdmon::app::cli
