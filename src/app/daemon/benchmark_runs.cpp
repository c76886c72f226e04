#include "app/daemon/benchmark_runs.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "async/event.hpp"
#include "async/when_all.hpp"
#include "config/describe.hpp"

namespace etcdmon::app {

namespace {

using namespace std::chrono_literals;
using Output = async::Subprocess::Output;
using State = api::BenchmarkRun::State;

constexpr std::size_t kKept = 10;
constexpr std::size_t kLargestResult = 32U << 20U;
constexpr std::size_t kLongestError = 4'096;
constexpr auto kGrace = 30s;
constexpr int kAborted = 4;
constexpr int kInterrupted = 130;

// The configuration of the one cluster, in clear: it goes through a pipe to ourselves.
std::string configuration(const Settings& settings, const ClusterSettings& cluster) {
  Settings own;
  own.clusters = {cluster};
  own.benchmark = settings.benchmark;
  return config::to_yaml(config::dump(own, config::Secrets::kShown));
}

std::vector<std::string> command_line(const std::string& program,
                                      const api::BenchmarkOrder& order) {
  std::vector<std::string> argv{program, "bench"};
  if (!order.workload.empty()) argv.push_back(order.workload);
  argv.insert(argv.end(), {"--config=/dev/stdin", "--progress=json", "-w=json"});
  for (const auto& [name, value] : order.flags) argv.push_back(fmt::format("--{}={}", name, value));
  return argv;
}

}  // namespace

struct BenchmarkRuns::Child {
  api::BenchmarkRun run;
  async::Subprocess process;
  async::Event ended;
  bool cancelled = false;
};

BenchmarkRuns::BenchmarkRuns(Executor executor, std::function<const Settings&()> settings,
                             std::string program, const Logger& logger)
    : executor_(executor),
      settings_(std::move(settings)),
      program_(std::move(program)),
      logger_(logger),
      scope_(executor, logger) {}

BenchmarkRuns::~BenchmarkRuns() = default;

Result<std::string> BenchmarkRuns::start(api::BenchmarkOrder order) {
  if (!children_.empty() && children_.back()->run.state == State::kRunning) {
    return Error{ErrorCode::kAlreadyExists,
                 fmt::format("benchmark {} is running; wait for its end, or cancel it",
                             children_.back()->run.id)};
  }
  const auto& settings = settings_();
  const auto cluster = std::ranges::find(settings.clusters, order.cluster, &ClusterSettings::name);
  if (cluster == settings.clusters.end())
    return Error{ErrorCode::kNotFound, fmt::format("no cluster \"{}\"", order.cluster)};
  if (order.workload.empty() && std::ranges::find(order.flags, "preset", [](const auto& f) {
                                  return f.first;
                                }) == order.flags.end())
    order.workload = settings.benchmark.type;

  async::Subprocess::Options options;
  options.argv = command_line(program_, order);
  options.unset = {"ETCD_MONITOR_*"};
  options.in = async::Stdio::pipe();
  options.out = async::Stdio::pipe();
  options.err = async::Stdio::pipe();
  // A Ctrl-C at our terminal is ours to pass on; and if we die, it notices and cleans up.
  options.own_group = true;
  options.die_with_us = false;
  ETCDMON_TRY(auto process, async::Subprocess::start(executor_, std::move(options)));
  auto input = configuration(settings, *cluster);
  auto child = std::make_shared<Child>(Child{.run = {.id = fmt::format("{}", ++last_id_),
                                                     .order = std::move(order),
                                                     .started = SystemClock{}.now().wall},
                                             .process = std::move(process),
                                             .ended = {}});
  children_.push_back(child);
  if (children_.size() > kKept) children_.pop_front();
  logger_.info("benchmark started", {{"id", child->run.id}, {"cluster", child->run.order.cluster}});
  scope_.spawn("benchmark", follow(child, std::move(input)));
  return child->run.id;
}

std::vector<const api::BenchmarkRun*> BenchmarkRuns::runs() const {
  std::vector<const api::BenchmarkRun*> all;
  for (const auto& child : children_) all.push_back(&child->run);
  return all;
}

void BenchmarkRuns::cancel(std::string_view id) {
  for (const auto& child : children_) {
    if (child->run.id != id || child->run.state != State::kRunning || child->cancelled) continue;
    child->cancelled = true;
    scope_.spawn("benchmark's end", end_in_time(child));
  }
}

Task<> BenchmarkRuns::stop() {
  const auto last = children_.empty() ? nullptr : children_.back();
  if (last && last->run.state == State::kRunning) {
    cancel(last->run.id);
    co_await last->ended.wait();
  }
  co_await scope_.close();
}

Task<> BenchmarkRuns::end_in_time(std::shared_ptr<Child> child) {
  // An error says that it has ended already.
  (void)child->process.signal(SIGTERM);
  const bool ended = co_await child->ended.wait_until(std::chrono::steady_clock::now() + kGrace);
  if (!ended) (void)child->process.signal(SIGKILL);
}

namespace {

Task<> read_progress(async::Subprocess& process, api::BenchmarkRun& run) {
  while (true) {
    auto line = co_await process.read_line(Output::kErr);
    if (!line || !*line) co_return;
    auto& text = **line;
    if (text.starts_with('{') && nlohmann::json::accept(text)) {
      run.progress = std::move(text);
    } else if (!text.empty() && run.error.size() < kLongestError) {
      run.error += (run.error.empty() ? "" : "\n") + text;
    }
  }
}

Task<> read_result(async::Subprocess& process, api::BenchmarkRun& run) {
  auto text = co_await process.read_to_end(Output::kOut, kLargestResult);
  if (text && nlohmann::json::accept(*text)) run.result = *std::move(text);
}

}  // namespace

Task<> BenchmarkRuns::follow(std::shared_ptr<Child> child, std::string input) {
  auto& process = child->process;
  // A child that does not listen says why by its exit code.
  (void)co_await process.write(std::move(input));
  process.close_input();
  std::vector<Task<>> readers;
  readers.push_back(read_progress(process, child->run));
  readers.push_back(read_result(process, child->run));
  co_await async::when_all(std::move(readers));
  const auto status = co_await process.wait();
  finish(*child, status);
}

void BenchmarkRuns::finish(Child& child, async::ExitStatus status) {
  auto& run = child.run;
  run.ended = SystemClock{}.now().wall;
  run.exit_code = status.code;
  if (child.cancelled || status.code == kInterrupted) {
    run.state = State::kCancelled;
  } else if (run.result.empty()) {
    run.state = State::kFailed;
    if (run.error.empty()) run.error = async::to_string(status);
  } else {
    run.state = status.code == kAborted ? State::kAborted : State::kFinished;
  }
  logger_.info("benchmark ended", {{"id", run.id}, {"state", api::name_of(run.state)}});
  child.ended.set();
}

}  // namespace etcdmon::app
