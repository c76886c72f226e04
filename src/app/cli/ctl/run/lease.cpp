// `ctl lease`.
#include "etcd/lease.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "wire/lease.pb.h"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

Exit bad_connection(const Error& error) {
  return {ExitCode::kBadConnection, error.message};
}

Parsed<std::int64_t> lease_argument(const Request& request, std::string_view usage) {
  if (request.arguments.size() != 1) return misuse(std::string(usage));
  const auto id = parse_go_int(request.arguments[0], 16);
  if (!id)
    return misuse(fmt::format("bad lease ID arg ({}), expecting ID in Hex", id.error().message));
  return *id;
}

// Until it is interrupted, or the lease is gone.
Task<Exit> keep(Session& session, std::int64_t id, bool simple, Printer& printer) {
  etcd::Leases leases(session.cluster());
  const auto now = co_await leases.time_to_live(id, false, session.deadline());
  if (!now) co_return bad_connection(now.error());
  etcd::KeepAlive& keep_alive = session.keep_alive();
  keep_alive.keep(id, std::chrono::seconds(std::max<std::int64_t>(1, now->granted_ttl())));
  for (;;) {
    const auto answer = co_await keep_alive.next();
    if (!answer) co_return bad_connection(answer.error());
    if (answer->ttl() <= 0) break;
    printer.keep_alive(*answer);
    if (!printer.flush()) co_return Exit{ExitCode::kIo, "standard output does not take any more"};
  }
  if (simple)
    printer.line(fmt::format("lease {:016x} expired or revoked.", static_cast<std::uint64_t>(id)));
  co_return Exit{};
}

}  // namespace

Task<Exit> run_lease_grant(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("lease grant command needs TTL argument");
  const auto ttl = parse_go_int(request.arguments[0], 10);
  if (!ttl) co_return bad_arguments(fmt::format("bad TTL ({})", ttl.error().message));
  etcd::Leases leases(session.cluster());
  const etcd::GrantOptions options{.ttl = std::chrono::seconds(*ttl)};
  const auto reply = co_await leases.grant(options, session.deadline());
  if (!reply)
    co_return Exit{ExitCode::kError,
                   fmt::format("failed to grant lease ({})", reply.error().message)};
  printer.grant(*reply);
  co_return Exit{};
}

Task<Exit> run_lease_revoke(Session& session, const Request& request, Printer& printer) {
  const auto id = lease_argument(request, "lease revoke command needs 1 argument");
  if (!id) co_return id.error();
  etcd::Leases leases(session.cluster());
  const auto reply = co_await leases.revoke(*id, session.deadline());
  if (!reply)
    co_return Exit{ExitCode::kError,
                   fmt::format("failed to revoke lease ({})", reply.error().message)};
  printer.revoke(*id, *reply);
  co_return Exit{};
}

Task<Exit> run_lease_timetolive(Session& session, const Request& request, Printer& printer) {
  const auto id = lease_argument(request, "lease timetolive command needs lease ID as argument");
  if (!id) co_return id.error();
  const bool keys = request.flags.on("keys");
  etcd::Leases leases(session.cluster());
  const auto reply = co_await leases.time_to_live(*id, keys, session.deadline());
  if (!reply) co_return bad_connection(reply.error());
  printer.time_to_live(*reply, keys);
  co_return Exit{};
}

Task<Exit> run_lease_list(Session& session, const Request& /*request*/, Printer& printer) {
  etcd::Leases leases(session.cluster());
  const auto reply = co_await leases.list(session.deadline());
  if (!reply) co_return bad_connection(reply.error());
  printer.leases(*reply);
  co_return Exit{};
}

Task<Exit> run_lease_keep_alive(Session& session, const Request& request, Printer& printer) {
  const auto id = lease_argument(request, "lease keep-alive command needs lease ID as argument");
  if (!id) co_return id.error();
  if (!request.flags.on("once")) {
    const bool simple = request.flags.text("write-out") == "simple";
    co_return co_await keep(session, *id, simple, printer);
  }
  etcd::Leases leases(session.cluster());
  const auto reply = co_await leases.keep_alive_once(*id, session.deadline());
  if (!reply) co_return bad_connection(reply.error());
  if (reply->ttl() <= 0)
    co_return Exit{ExitCode::kBadConnection, "etcdserver: requested lease not found"};
  printer.keep_alive(*reply);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
