// `ctl watch`.
#include "etcd/watch.hpp"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/input/watch_language.hpp"
#include "app/cli/ctl/print/print.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "async/subprocess.hpp"
#include "async/task_scope.hpp"
#include "wire/watch.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : value;
}

WatchEnvironment watch_environment() {
  return {variable("ETCDCTL_WATCH_KEY"), variable("ETCDCTL_WATCH_RANGE_END")};
}

tl::expected<etcd::WatchOptions, Exit> options_of(const Request& request,
                                                  const WatchTarget& target) {
  const auto& flags = request.flags;
  etcd::WatchOptions options{.range = {target.key, target.range_end.value_or("")},
                             .start_revision = flags.number("rev"),
                             .previous = flags.on("prev-kv"),
                             .progress_notify = flags.on("progress-notify"),
                             .fragment = true};
  if (flags.on("prefix")) {
    if (target.range_end)
      return tl::unexpected(bad_arguments("`range_end` and `--prefix` are mutually exclusive"));
    options.range = etcd::KeyRange::prefix(target.key);
  }
  return options;
}

// Runs the command once for each event and waits for it.
Task<Exit> run_for_events(Session& session, const wire::WatchResponse& response,
                          const std::vector<std::string>& command) {
  for (const auto& event : response.events()) {
    async::Subprocess::Options options{.argv = command};
    options.in = async::Stdio::inherit();
    options.environment = {
        {"ETCD_WATCH_REVISION", std::to_string(response.header().revision())},
        {"ETCD_WATCH_EVENT_TYPE", event.type() == wire::Event::DELETE ? "\"DELETE\"" : "\"PUT\""},
        {"ETCD_WATCH_KEY", go_quoted(event.kv().key())},
        {"ETCD_WATCH_VALUE", go_quoted(event.kv().value())}};
    auto child = async::Subprocess::start(session.executor(), std::move(options));
    if (!child)
      co_return Exit{ExitCode::kError, fmt::format("command {}: {}", go_quoted(command.front()),
                                                   child.error().message)};
    const auto status = co_await child->wait();
    if (!status.ok())
      co_return Exit{ExitCode::kError,
                     fmt::format("command {} error ({})", go_quoted(command.front()),
                                 async::to_string(status))};
  }
  co_return Exit{};
}

// Without end, unless the server ends it or nobody takes the output.
Task<Exit> print_events(Session& session, etcd::WatchOptions options,
                        std::vector<std::string> command, Printer& printer) {
  etcd::Watch watch(session.cluster(), std::move(options));
  watch.on_break([&watch](const Error& error) {
    Terminal::note(fmt::format("watch interrupted ({}); going on at revision {}", error.message,
                               watch.next_revision()));
  });
  for (;;) {
    auto response = co_await watch.next();
    if (!response) {
      Terminal::note(fmt::format("watch was canceled ({})", response.error().message));
      if (watch.compact_revision() > 0)
        Terminal::note(
            fmt::format("the oldest revision that can be watched is {}", watch.compact_revision()));
      co_return Exit{ExitCode::kInterrupted, "watch is canceled by the server"};
    }
    if (response->created()) continue;
    if (response->events().empty())
      printer.line(fmt::format("progress notify: {}", response->header().revision()));
    printer.watch(*response);
    if (!printer.error().empty()) co_return Exit{ExitCode::kBadFeature, printer.error()};
    if (!printer.flush()) co_return Exit{ExitCode::kIo, "standard output does not take any more"};
    if (command.empty()) continue;
    if (!printer.shows_secrets()) redact(*response);
    auto ran = co_await run_for_events(session, *response, command);
    if (ran.code != ExitCode::kOk) co_return ran;
  }
}

// One of the watches of `watch -i`; how it ends is told and ends nothing else.
Task<> print_one_of_many(Session& session, etcd::WatchOptions options,
                         std::vector<std::string> command, Printer& printer) {
  const auto exit = co_await print_events(session, std::move(options), std::move(command), printer);
  if (!exit.message.empty()) Terminal::note(fmt::format("Error: {}", exit.message));
}

Task<Exit> watch_interactively(Session& session, async::TaskScope& watches, Printer& printer) {
  for (;;) {
    const auto line = co_await session.terminal().read_line();
    if (!line || !*line)
      co_return Exit{ExitCode::kInvalidInput, "error reading watch request line: EOF"};
    const auto parsed = parse_watch_line(**line, watch_environment());
    if (const auto* refused = std::get_if<RefusedLine>(&parsed)) {
      Terminal::note(refused->message);
    } else if (const auto* exit = std::get_if<Exit>(&parsed)) {
      co_return *exit;
    } else if (const auto* asked = std::get_if<WatchLine>(&parsed)) {
      auto options = options_of(asked->request, asked->target);
      if (!options) {
        Terminal::note(fmt::format("Invalid command {} ({})", **line, options.error().message));
        continue;
      }
      watches.spawn(
          "watch", print_one_of_many(session, *std::move(options), asked->target.command, printer));
    } else {
      Terminal::note("progress is told by watches with --progress-notify");
    }
  }
}

}  // namespace

Task<Exit> run_watch(Session& session, const Request& request, Printer& printer) {
  if (request.flags.on("interactive"))
    co_return co_await watch_interactively(session, session.side_tasks(), printer);
  const auto target = watch_target(request, watch_environment());
  if (!target) co_return target.error();
  auto options = options_of(request, *target);
  if (!options) co_return options.error();
  co_return co_await print_events(session, *std::move(options), target->command, printer);
}

}  // namespace etcdmon::app::cli::ctl
