// `ctl lock` and `ctl elect`.
#include <csignal>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "async/subprocess.hpp"
#include "etcd/concurrency.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using namespace asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)

constexpr std::chrono::seconds kElectionTtl{60};
constexpr std::chrono::seconds kGrace{5};

// The claim's key, as get prints it.
Task<Exit> print_claim(Session& session, const etcd::Claim& claim, Printer& printer) {
  etcd::Kv kv(session.cluster());
  etcd::GetOptions options{.range = etcd::KeyRange::one(claim.key)};
  const auto reply = co_await kv.get(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  if (reply->kvs().empty()) co_return Exit{ExitCode::kError, "lock lost on init"};
  printer.get(*reply, RangePart{});
  if (!printer.error().empty()) co_return Exit{ExitCode::kBadFeature, printer.error()};
  printer.flush();
  co_return Exit{};
}

// The command runs for as long as the lock is ours; its exit code is ours.
Task<Exit> run_locked(Session& session, const etcd::Claim& claim,
                      std::vector<std::string> command) {
  async::Subprocess::Options options{.argv = std::move(command)};
  options.in = async::Stdio::inherit();
  options.environment = {{"ETCD_LOCK_KEY", claim.key},
                         {"ETCD_LOCK_REV", std::to_string(claim.revision)}};
  auto child = async::Subprocess::start(session.executor(), std::move(options));
  if (!child) co_return Exit{ExitCode::kError, child.error().message};
  auto first = child->wait() || session.lease().lost();
  const auto ended = co_await std::move(first);
  if (ended.index() == 1) {
    const auto stopped = co_await child->stop(kGrace, SIGTERM);
    co_return Exit{ExitCode::kError,
                   fmt::format("the lock was lost while the command ran; it was stopped ({})",
                               async::to_string(stopped))};
  }
  const auto status = std::get<0>(ended);
  if (status.ok()) co_return Exit{};
  co_return Exit{
      static_cast<ExitCode>(status.code),
      status.signal == 0 ? fmt::format("exit status {}", status.code) : async::to_string(status)};
}

// Holds the name until it is interrupted or lost. The session gives it up.
Task<Exit> hold(Session& session, etcd::ClaimOptions options, std::chrono::seconds ttl,
                std::vector<std::string> command, Printer& printer) {
  auto& lease = session.lease();
  const auto opened = co_await lease.open(ttl, session.deadline());
  if (!opened) co_return failed(opened.error());
  options.lease = lease.id();
  const auto claim = co_await etcd::claim(session.cluster(), std::move(options), Deadline::max());
  if (!claim) co_return failed(claim.error());
  if (!command.empty()) {
    const auto exit = co_await run_locked(session, *claim, std::move(command));
    const auto released = co_await etcd::release(session.cluster(), *claim, session.deadline());
    if (exit.code == ExitCode::kOk && !released) co_return failed(released.error());
    co_return exit;
  }
  const auto printed = co_await print_claim(session, *claim, printer);
  if (printed.code != ExitCode::kOk) co_return printed;
  co_await lease.lost();
  co_return Exit{ExitCode::kError, "session expired"};
}

Task<Exit> observe(Session& session, std::string name, Printer& printer) {
  etcd::Holders holders(session.cluster(), std::move(name));
  for (;;) {
    const auto holder = co_await holders.next();
    if (!holder) co_return failed(holder.error());
    printer.get(*holder, RangePart{});
    if (!printer.error().empty()) co_return Exit{ExitCode::kBadFeature, printer.error()};
    if (!printer.flush()) co_return Exit{ExitCode::kIo, "standard output does not take any more"};
  }
}

}  // namespace

Task<Exit> run_lock(Session& session, const Request& request, Printer& printer) {
  const auto& arguments = request.arguments;
  if (arguments.empty())
    co_return bad_arguments("lock takes a lock name argument and an optional command to execute");
  etcd::ClaimOptions options{.name = arguments[0]};
  std::vector<std::string> command(arguments.begin() + 1, arguments.end());
  const std::chrono::seconds ttl(request.flags.number("ttl"));
  co_return co_await hold(session, std::move(options), ttl, std::move(command), printer);
}

Task<Exit> run_elect(Session& session, const Request& request, Printer& printer) {
  const auto& arguments = request.arguments;
  const bool listen = request.flags.on("listen");
  if (arguments.empty() || arguments.size() > 2)
    co_return bad_arguments(
        "elect takes one election name argument and an optional proposal argument");
  if (arguments.size() == 1 && !listen)
    co_return bad_arguments("no proposal argument but -l not set");
  if (arguments.size() == 2 && listen) co_return bad_arguments("proposal given but -l is set");
  if (listen) co_return co_await observe(session, arguments[0], printer);
  etcd::ClaimOptions options{.name = arguments[0], .value = arguments[1]};
  auto exit = co_await hold(session, std::move(options), kElectionTtl, {}, printer);
  if (exit.message == "session expired") exit.message = "elect: session expired";
  co_return exit;
}

}  // namespace etcdmon::app::cli::ctl
