#include "app/daemon/process.hpp"

#include <csignal>
#include <cstdlib>
#include <unistd.h>
#include <utility>

#include <boost/asio/signal_set.hpp>

namespace etcdmon::app {

namespace {

using SignalSet = asio::basic_signal_set<Executor>;
using std::chrono::milliseconds;

constexpr unsigned kStopWithinSeconds = 5;
constexpr milliseconds kStepBound{1'000};

// The loop itself may be what hangs, so the last word belongs to the kernel's timer.
extern "C" void leave_now(int /*signal*/) {
  constexpr char kText[] = "etcd-monitor: shutdown took too long; leaving\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
  ::_exit(EXIT_FAILURE);
}

// State of one run, on the loop.
struct Process {
  Loop& loop;
  ProcessOptions options;
  const Logger& logger;
  Daemon daemon;
  async::TaskScope scope;
  int exit_code = EXIT_SUCCESS;
  bool stopping = false;

  Process(Loop& l, ProcessOptions o, const Logger& log)
      : loop(l),
        options(std::move(o)),
        logger(log),
        daemon(l, options.loaded.settings, log),
        scope(l.get_executor(), log, [](std::string_view) { std::abort(); }) {}
};

Task<> stop(Process& process) {
  process.stopping = true;
  std::signal(SIGALRM, leave_now);
  ::alarm(kStopWithinSeconds);
  const bool clean = co_await process.daemon.stop(kStepBound);
  if (!clean) process.exit_code = EXIT_FAILURE;
  if (process.options.on_stopped) co_await process.options.on_stopped();
  process.loop.stop();
}

Task<> reload(Process& process) {
  const auto loaded = load_settings(process.options.request);
  if (!loaded.issues.empty()) {
    process.logger.error("reload refused: the configuration has errors; the old one stays in force",
                         {{"issues", config::to_string(loaded.issues)}});
    co_return;
  }
  const auto done = co_await process.daemon.reload(loaded.settings);
  if (!done) {
    process.logger.error("reload refused; the old configuration stays in force",
                         {{"why", done.error().message}});
    co_return;
  }
  for (const auto& line : *done) process.logger.info("reloaded", {{"change", line}});
  if (done->empty()) process.logger.info("reloaded: nothing has changed");
}

Task<> watch_signals(Process& process) {
  SignalSet signals(co_await async::this_executor(), SIGTERM, SIGINT, SIGHUP);
  while (true) {
    const int number = co_await signals.async_wait(use_task);
    if (number == SIGHUP) {
      if (!process.stopping) co_await reload(process);
      continue;
    }
    if (process.stopping) {
      process.logger.warn("second signal: leaving at once");
      ::_exit(EXIT_FAILURE);
    }
    process.logger.info("stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
    process.stopping = true;
    // A coroutine of its own, so that the second signal is heard while the first one is obeyed.
    process.scope.spawn("stop", stop(process));
  }
}

}  // namespace

int run_process(Loop& loop, ProcessOptions options, const Logger& logger) {
  // Never destroyed when the loop is stopped with coroutines inside: the process ends right after.
  auto* const process = new Process(loop, std::move(options), logger);
  const auto started = process->daemon.start();
  if (!started) {
    logger.error("cannot start", {{"why", started.error().message}});
    process->exit_code = EXIT_FAILURE;
    process->scope.spawn("stop", stop(*process));
  } else {
    for (const auto& warning : process->options.loaded.warnings) logger.warn(warning);
    if (process->options.on_started) process->options.on_started(process->daemon);
    process->scope.spawn("signals", watch_signals(*process));
  }
  loop.run();
  const int code = process->exit_code;
  if (const auto& sink = logger.sink()) sink->flush();
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace etcdmon::app
