// Runs a ctl command on a loop of its own.
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <unistd.h>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "app/cli/ctl/command.hpp"
#include "app/cli/ctl/session.hpp"
#include "etcd/channel.hpp"
#include "etcd/client.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

// What a shell says of a process that Ctrl-C ended.
constexpr int kEndedBySignal = 128;

struct Run {
  Run(Loop& loop, const Command& c, Request r, Printer& p)
      : resolver(loop.get_executor()),
        command(c),
        request(std::move(r)),
        printer(p),
        session(loop.get_executor(), resolver, request.flags, terminal),
        signals(loop.get_executor(), SIGINT, SIGTERM) {}

  net::Resolver resolver;
  Terminal terminal;
  const Command& command;
  Request request;
  Printer& printer;
  Session session;
  asio::basic_signal_set<Executor> signals;
  asio::cancellation_signal cancel;
  int signal = 0;
  Exit exit{};
  std::exception_ptr failure;
};

Task<Exit> carry_out(Run& run) {
  auto opened = co_await run.session.open();
  if (!opened) {
    auto exit = failed(opened.error());
    if (opened.error().code == ErrorCode::kInvalidArgument) exit.code = ExitCode::kBadArguments;
    co_return exit;
  }
  co_return co_await run.command.run(run.session, run.request, run.printer);
}

// The first signal asks the command to end well, the second does not ask.
void wait_for_signal(Run& run) {
  run.signals.async_wait([&run](boost::system::error_code error, int number) {
    if (error) return;
    if (run.signal != 0) _exit(kEndedBySignal + number);
    run.signal = number;
    run.cancel.emit(asio::cancellation_type::terminal);
    wait_for_signal(run);
  });
}

void finish(Run& run, Loop& loop) {
  asio::co_spawn(loop, run.session.close(), [&run, &loop](const std::exception_ptr& failure) {
    if (failure && !run.failure) run.failure = failure;
    run.signals.cancel();
    loop.stop();
  });
}

int exit_code(Run& run) {
  if (run.signal != 0) return run.command.ends_by_signal ? 0 : kEndedBySignal + run.signal;
  if (run.failure && !async::is_cancelled(run.failure)) std::rethrow_exception(run.failure);
  // etcdctl ends where it prints, whatever would come after.
  if (!run.printer.error().empty()) run.exit = {ExitCode::kBadFeature, run.printer.error()};
  if (!run.printer.flush() && run.exit.code == ExitCode::kOk)
    run.exit = {ExitCode::kIo, "standard output does not take any more"};
  if (!run.exit.message.empty()) fmt::print(stderr, "Error: {}\n", run.exit.message);
  return static_cast<int>(run.exit.code);
}

}  // namespace

Exit failed(const Error& error) {
  // To etcdctl, a login that fails is a connection that cannot be made.
  if (const auto why = etcd::login_failure(error))
    return {ExitCode::kBadConnection, std::string(*why)};
  return {ExitCode::kError, error.message};
}

Exit bad_arguments(std::string message) {
  return {ExitCode::kBadArguments, std::move(message)};
}

int execute(const Command& command, Request request, Printer& printer) {
  Loop loop(1);
  Run run(loop, command, std::move(request), printer);
  wait_for_signal(run);
  auto done = [&run, &loop](std::exception_ptr failure, Exit exit) {
    run.failure = std::move(failure);
    run.exit = std::move(exit);
    finish(run, loop);
  };
  asio::co_spawn(loop, carry_out(run),
                 asio::bind_cancellation_slot(run.cancel.slot(), std::move(done)));
  loop.run();
  const int code = exit_code(run);
  // Nothing may hold up a user who pressed Ctrl-C: a thread may still wait for input.
  if (run.signal != 0) {
    printer.flush();
    std::fflush(nullptr);
    _exit(code);
  }
  return code;
}

}  // namespace etcdmon::app::cli::ctl
