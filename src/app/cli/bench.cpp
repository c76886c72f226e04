// `bench`: how fast the cluster is, measured so that the number can be trusted.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "app/benchmark/session.hpp"
#include "app/cli/bench_output.hpp"
#include "app/cli/command.hpp"
#include "app/cli/interrupt.hpp"
#include "app/cli/start_up.hpp"
#include "bench/report/preset.hpp"
#include "config/suggest.hpp"

namespace etcdmon::app::cli {

namespace {

// Beside kOk, kUnhealthy (a target missed, worse than the baseline) and kUsage.
constexpr int kRefused = 3;
constexpr int kAborted = 4;
constexpr int kInterrupted = 130;

std::string workloads_text() {
  std::string text;
  for (const auto& workload : bench::workloads())
    text += fmt::format("  {:<16} {}\n", workload.name, workload.about);
  return text;
}

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor bench [workload] [flags] | etcd-monitor bench compare A.json B.json",
      .about = fmt::format(
          "Measures what the cluster can do. Looks at it first, and does not load one that is "
          "unhealthy, near its\n"
          "quota or busy (--force). All keys are under --prefix, and are deleted afterwards; "
          "Ctrl-C "
          "prints what there is.\n\n"
          "Workloads:\n{}\n"
          "Exit code 0: done; 1: a target that was set was missed, a preset failed, or worse than "
          "the baseline; 2: bad\n"
          "flags; 3: refused, or could not begin; 4: ended by an abort line; 130: interrupted.",
          workloads_text()),
      .examples =
          "  etcd-monitor bench --endpoints=localhost:2379\n"
          "  etcd-monitor bench write --clients=100 --duration=60s --warm-up=5s\n"
          "  etcd-monitor bench read --rate=20000 --duration=60s --slo-p99=20ms   (open loop; exit "
          "1 if missed)\n"
          "  etcd-monitor bench mixed --search --search-p99=50ms                  (the highest "
          "rate "
          "that holds)\n"
          "  etcd-monitor bench --preset=m                                        (the load of "
          "etcdctl check "
          "perf)\n"
          "  etcd-monitor bench write --duration=60s --save=before.json --html=before.html\n"
          "  etcd-monitor bench write --duration=60s --baseline=before.json       (exit 1 if "
          "worse)\n"};
  return kUsage;
}

std::vector<config::FlagSpec> bench_flags() {
  auto flags = output_flags();
  flags.push_back({"preset", "s|m|l|xl",
                   "The load of etcd's `check perf`, with its pass rule. Flags given with it win.",
                   "", "", "Load"});
  flags.push_back(
      {"cluster", "name", "Which of several configured clusters.", "", "", "Connection"});
  for (auto& flag : bench::option_flags()) flags.push_back(std::move(flag));
  return flags;
}

// The command's own part of the command line.
struct Request {
  std::string workload;  // empty: the settings say it
  bench::Options options;
  const bench::Preset* preset = nullptr;
  OutputOptions output;
};

config::Issue issue(std::string where, std::string message) {
  return config::Issue{{std::move(where), 0}, {}, std::move(message)};
}

void take_workload(const std::vector<std::string>& words, Request& request,
                   std::vector<config::Issue>& issues) {
  if (words.empty()) return;
  if (words.size() > 1)
    issues.push_back(issue(words[1], "unexpected argument; one workload is run at a time"));
  std::vector<std::string> names{"compare"};
  for (const auto& workload : bench::workloads()) names.emplace_back(workload.name);
  request.workload = words[0];
  if (std::ranges::find(names, words[0]) != names.end()) return;
  const auto near = config::closest(words[0], names);
  issues.push_back(issue(
      words[0], near.empty() ? fmt::format("no workload; there are {}", fmt::join(names, ", "))
                             : fmt::format("no workload; did you mean {}?", near)));
}

std::vector<config::Issue> take_flags(const config::ParsedFlags& flags, Request& request) {
  std::vector<config::Issue> issues;
  take_workload(flags.arguments, request, issues);
  if (const auto* name = flags.last("preset")) {
    request.preset = bench::find_preset(*name);
    if (request.preset == nullptr) {
      issues.push_back(issue("--preset", fmt::format("\"{}\" is not one of s, m, l, xl", *name)));
    } else {
      bench::apply_preset(request.options, *request.preset);
      if (!request.workload.empty() && request.workload != "write")
        issues.push_back(issue("--preset", "a preset is a load of writes; leave the workload out"));
      request.workload = "write";
    }
  }
  for (auto& found : bench::apply_flags(request.options, flags.values))
    issues.push_back(std::move(found));
  for (auto& found : take_output_flags(flags, request.output)) issues.push_back(std::move(found));
  return issues;
}

const ClusterSettings* cluster_of(const Settings& settings, const std::string* wanted) {
  std::vector<std::string> names;
  for (const auto& cluster : settings.clusters) {
    if (wanted != nullptr ? cluster.name == *wanted : settings.clusters.size() == 1)
      return &cluster;
    names.push_back(cluster.name);
  }
  fmt::print(stderr, "etcd-monitor bench: --cluster: {}; there are: {}\n",
             wanted != nullptr ? fmt::format("no cluster \"{}\"", *wanted) : "say which cluster",
             fmt::join(names, ", "));
  return nullptr;
}

// Complaints about what the schema cannot see: rules between options.
bool is_runnable(const BenchmarkPlan& plan) {
  auto spec = plan.spec;
  // Filled in when the members are known.
  auto endpoints = benchmark_endpoints(plan.cluster);
  if (endpoints && !endpoints->empty()) {
    spec.endpoints = *std::move(endpoints);
  } else {
    spec.endpoints = {net::Endpoint{.tls = false, .host = "localhost", .port = 1}};
  }
  spec.tls = plan.cluster.tls;
  spec.user = plan.cluster.user;
  spec.password = plan.cluster.password;
  const auto complaints = bench::complaints(spec);
  for (const auto& complaint : complaints)
    fmt::print(stderr, "etcd-monitor bench: {}\n", complaint);
  return complaints.empty();
}

int exit_code_of(const bench::report::Record& record, bool worse) {
  const auto& result = record.result;
  if (result.end == bench::RunResult::End::kStopped) return kInterrupted;
  if (result.end == bench::RunResult::End::kAborted) return kAborted;
  if (result.succeeded == 0) return kRefused;
  const bool failed =
      bench::report::failed(record.targets) || (record.preset && !record.preset->passed) || worse;
  return failed ? kUnhealthy : kOk;
}

void say(const BenchmarkNews& news) {
  for (const auto& warning : news.warnings)
    fmt::print(stderr, "etcd-monitor bench: warning: {}\n", warning);
  for (const auto& objection : news.objections)
    fmt::print(stderr, "etcd-monitor bench: {}\n", objection);
}

int measure(const Settings& settings, const Request& request, BenchmarkPlan plan) {
  Interrupt interrupt;
  ProgressWriter progress(request.output.progress, interrupt);
  const BenchmarkHooks hooks{
      .on_progress = [&progress](const bench::Progress& at) { progress.show(at); },
      .stop = interrupt.stop(),
      .hurry = interrupt.hurry()};
  const double offered = plan.spec.load.rate;
  const auto prefix = plan.spec.prefix;
  BenchmarkNews news;
  auto record = run_benchmark(settings, std::move(plan), hooks, news);
  progress.clear();
  say(news);
  if (!record) {
    fmt::print(stderr, "etcd-monitor bench: {}\n", record.error().message);
    return interrupt.stop() ? kInterrupted : kRefused;
  }
  if (interrupt.hurry()) {
    fmt::print(stderr,
               "etcd-monitor bench: keys were left under {0}; --clear-prefix deletes them before "
               "the next run\n",
               prefix);
  }
  record->targets = bench::report::judge(record->result, offered, settings.benchmark.targets);
  if (request.preset != nullptr)
    record->preset = bench::report::judge_preset(record->result, *request.preset);
  const auto written = write_reports(*record, request.output);
  if (!written) {
    fmt::print(stderr, "etcd-monitor bench: {}\n", written.error().message);
    return kRefused;
  }
  return exit_code_of(*record, *written == bench::report::Change::kWorse);
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "compare")
    return run_bench_compare({arguments.begin() + 1, arguments.end()});
  Request request;
  const auto check = [&request](const config::ParsedFlags& flags) {
    return take_flags(flags, request);
  };
  auto [start, exit] = start_up(arguments, usage(), bench_flags(), true, check);
  if (!start) return exit;
  const auto& settings = start->loaded.settings;
  const auto* cluster = cluster_of(settings, start->loaded.flags.last("cluster"));
  if (cluster == nullptr) return kUsage;
  const auto workload = request.workload.empty() ? settings.benchmark.type : request.workload;
  BenchmarkPlan plan{.cluster = *cluster,
                     .options = request.options,
                     .spec = bench::spec_of(request.options, workload, settings.benchmark.ops)};
  if (!is_runnable(plan)) return kUsage;
  const int code = measure(settings, request, std::move(plan));
  std::fflush(stdout);
  // What was looked at is left as it is: one run needs no orderly stop.
  std::_Exit(code);
}

}  // namespace etcdmon::app::cli
