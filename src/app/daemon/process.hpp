// app/daemon/process.hpp: one monitor in one process: signals, reload, and an end within five
// seconds.
#pragma once

#include <functional>

#include "app/daemon/daemon.hpp"
#include "app/load_settings.hpp"

namespace etcdmon::app {

struct ProcessOptions {
  LoadRequest request;  ///< repeated on SIGHUP
  Loaded loaded;
  /// Runs once the daemon has started, for example to print where to look.
  std::function<void(const Daemon&)> on_started;
  /// Runs after the daemon has stopped, within the same five seconds.
  std::function<Task<>()> on_stopped;
};

/// Runs until SIGTERM or SIGINT; a second one exits at once. SIGHUP reloads. Stopping takes at most
/// five seconds, whatever hangs. Returns the exit code.
int run_process(Loop& loop, ProcessOptions options, const Logger& logger);

}  // namespace etcdmon::app
