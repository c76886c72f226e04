// `demo`: a real three-member etcd in a temporary folder, and the monitor on it.
#include <cstdio>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "app/cli/start_up.hpp"
#include "app/daemon/process.hpp"
#include "app/demo/local_etcd.hpp"

namespace etcdmon::app::cli {

namespace {

using std::chrono::steady_clock;

const Usage& usage() {
  static const Usage kUsage{.line = "etcd-monitor demo [flags]",
                            .about =
                                "Starts three etcd members in a temporary folder and the monitor "
                                "on them, prints what to open and try, and\n"
                                "removes everything when it is stopped (Ctrl-C). Needs etcd on "
                                "PATH, or ETCD_BIN set to it.",
                            .examples =
                                "  etcd-monitor demo\n"
                                "  etcd-monitor demo --members=5 --api-port=9090\n"};
  return kUsage;
}

std::vector<config::FlagSpec> demo_flags() {
  return {{"members", "number", "How many members to start: 1 to 7.", "3", "", "Demo"},
          {"keep", "", "Leave the members' data and logs behind.", "false", "", "Demo"}};
}

// The members must run before the monitor's settings can name them.
template <class T>
Result<T> run_first(Loop& loop, Task<Result<T>> task) {
  Result<T> result = Error{};
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, Result<T> r) {
    failure = e;
    result = std::move(r);
    loop.stop();
  });
  loop.run();
  loop.restart();
  if (failure) std::rethrow_exception(failure);
  return result;
}

void say_what_to_try(demo::LocalEtcd& etcd, const Daemon& daemon) {
  const auto api = fmt::format("http://localhost:{}",
                               daemon.api_address().substr(daemon.api_address().rfind(':') + 1));
  fmt::print("\n{} etcd members run:\n", etcd.size());
  for (std::size_t i = 0; i < etcd.size(); ++i) {
    fmt::print("  {:<10} {}  pid {}\n", etcd.member(i).name, etcd.member(i).client_url,
               etcd.pid(i));
  }
  const auto victim = etcd.pid(etcd.size() - 1);
  fmt::print(
      "\nOpen  {0}/\nTry   curl -s {0}/api/v1/cluster/status\n      curl -s "
      "{0}/api/v1/cluster/members\n"
      "      curl -s {0}/metrics\nBreak kill -9 {1}       (a member dies; watch the lines below)\n"
      "      kill -STOP {1}     (a member hangs; kill -CONT {1} wakes it)\nStop  Ctrl-C\n\n",
      api, victim);
  std::fflush(stdout);
}

Task<> remove(std::unique_ptr<demo::LocalEtcd>& etcd) {
  co_await etcd->stop_all(std::chrono::seconds(2));
  etcd.reset();  // and its folder
}

int usage_error(std::string_view text) {
  fmt::print(stderr, "etcd-monitor demo: {}\n", text);
  return kUsage;
}

}  // namespace

int run_demo(const std::vector<std::string>& arguments) {
  auto [start, exit] = start_up(arguments, usage(), demo_flags());
  if (!start) return exit;
  const auto& flags = start->loaded.flags;
  demo::LocalEtcd::Options options;
  if (const auto* members = flags.last("members")) {
    if (members->size() != 1 || (*members)[0] < '1' || (*members)[0] > '7')
      return usage_error("--members takes a number from 1 to 7");
    options.members = static_cast<std::size_t>((*members)[0] - '0');
  }
  options.keep = flags.is_on("keep");
  Loop loop(1);
  auto binary = run_first(loop, demo::find_etcd(steady_clock::now() + std::chrono::seconds(10)));
  if (!binary) return usage_error(binary.error().message);
  options.binary = std::move(*binary);
  options.progress = [](std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  };
  auto etcd = std::make_unique<demo::LocalEtcd>(loop.get_executor(), options);
  const auto started = run_first(loop, etcd->start(steady_clock::now() + std::chrono::seconds(30)));
  if (!started) {
    fmt::print(stderr, "etcd-monitor demo: cannot start etcd: {}\n", started.error().message);
    return kUnhealthy;
  }
  auto& settings = start->loaded.settings;
  settings.clusters.resize(1);
  settings.clusters[0].name = "demo";
  settings.clusters[0].endpoints = etcd->endpoints();
  const auto logger = make_logger(settings.logging);
  ProcessOptions process{
      .request = std::move(start->request),
      .loaded = std::move(start->loaded),
      .on_started = [&etcd](const Daemon& daemon) { say_what_to_try(*etcd, daemon); },
      .on_stopped = [&etcd] { return remove(etcd); }};
  return run_process(loop, std::move(process), logger);
}

}  // namespace etcdmon::app::cli
