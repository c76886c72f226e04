// `ctl auth` and `ctl role`.
#include "etcd/auth.hpp"

#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/run/consent.hpp"
#include "app/cli/ctl/session.hpp"
#include "wire/auth.pb.h"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

bool says(const Error& error, std::string_view text) {
  return error.message.find(text) != std::string::npos;
}

// Authentication needs a user root with the role root: the role is made where it is missing.
Task<Result<void>> enable(Session& session) {
  etcd::Auth auth(session.cluster());
  auto enabled = co_await auth.enable(session.deadline());
  if (!enabled && says(enabled.error(), "root user does not have root role")) {
    const auto added = co_await auth.role_add("root", session.deadline());
    if (!added && !says(added.error(), "role name already exists")) co_return added.error();
    etcd::UserRole root{"root", "root"};
    const auto granted = co_await auth.grant_role(std::move(root), session.deadline());
    if (!granted) co_return granted.error();
    enabled = co_await auth.enable(session.deadline());
  }
  if (!enabled) co_return std::move(enabled).error();
  co_return Result<void>{};
}

Parsed<etcd::Access> parse_access(std::string_view text) {
  std::string name(text);
  for (auto& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name == "READ") return etcd::Access::kRead;
  if (name == "WRITE") return etcd::Access::kWrite;
  if (name == "READWRITE") return etcd::Access::kReadWrite;
  return misuse(fmt::format("invalid permission type: {}", text));
}

// A permission's range; "" with --prefix or --from-key is everything.
Parsed<etcd::KeyRange> parse_permission_range(const FlagValues& flags,
                                              std::span<const std::string> arguments) {
  const bool prefix = flags.on("prefix");
  const bool from_key = flags.on("from-key");
  if (prefix && from_key) return misuse("--from-key and --prefix flags are mutually exclusive");
  const auto& key = arguments[0];
  const std::string zero(1, '\0');
  if (key.empty()) return etcd::KeyRange{zero, prefix || from_key ? zero : ""};
  if (arguments.size() > 1) {
    if (prefix) return misuse("unexpected endkey argument with --prefix flag");
    if (from_key) return misuse("unexpected endkey argument with --from-key flag");
    return etcd::KeyRange{key, arguments[1]};
  }
  if (prefix) return etcd::KeyRange::prefix(key);
  if (from_key) return etcd::KeyRange::from(key);
  return etcd::KeyRange::one(key);
}

}  // namespace

Task<Exit> run_auth_status(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("auth status command does not accept any arguments");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.status(session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.auth_status(*reply);
  co_return Exit{};
}

Task<Exit> run_auth_enable(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("auth enable command does not accept any arguments");
  const auto enabled = co_await enable(session);
  if (!enabled) co_return failed(enabled.error());
  printer.line("Authentication Enabled");
  co_return Exit{};
}

Task<Exit> run_auth_disable(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("auth disable command does not accept any arguments");
  Plan plan{.lines = {"Without authentication everybody who reaches the cluster may read and "
                      "change everything in it. Users and roles are kept."},
            .question = "Turn authentication off?"};
  const auto stop = co_await consent(session, request.flags, std::move(plan));
  if (stop) co_return *stop;
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.disable(session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.line("Authentication Disabled");
  co_return Exit{};
}

Task<Exit> run_role_add(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("role add command requires role name as its argument");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.role_add(request.arguments[0], session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.role_add(request.arguments[0], *reply);
  co_return Exit{};
}

Task<Exit> run_role_delete(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("role delete command requires role name as its argument");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.role_delete(request.arguments[0], session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.role_delete(request.arguments[0], *reply);
  co_return Exit{};
}

Task<Exit> run_role_get(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("role get command requires role name as its argument");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.role_get(request.arguments[0], session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.role_get(request.arguments[0], *reply);
  co_return Exit{};
}

Task<Exit> run_role_list(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("role list command requires no arguments");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.role_list(session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.role_list(*reply);
  co_return Exit{};
}

Task<Exit> run_role_grant_permission(Session& session, const Request& request, Printer& printer) {
  const auto& arguments = request.arguments;
  if (arguments.size() < 3)
    co_return bad_arguments(
        "role grant command requires role name, permission type, and key [endkey] as its "
        "argument");
  const auto access = parse_access(arguments[1]);
  if (!access) co_return access.error();
  auto range = parse_permission_range(request.flags, std::span(arguments).subspan(2));
  if (!range) co_return std::move(range).error();
  etcd::Auth auth(session.cluster());
  etcd::PermissionOptions options{arguments[0], *std::move(range), *access};
  const auto reply = co_await auth.grant_permission(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.role_grant_permission(arguments[0], *reply);
  co_return Exit{};
}

Task<Exit> run_role_revoke_permission(Session& session, const Request& request, Printer& printer) {
  const auto& arguments = request.arguments;
  if (arguments.size() < 2)
    co_return bad_arguments(
        "role revoke-permission command requires role name and key [endkey] as its argument");
  auto range = parse_permission_range(request.flags, std::span(arguments).subspan(1));
  if (!range) co_return std::move(range).error();
  const auto end = range->end;
  etcd::Auth auth(session.cluster());
  etcd::PermissionOptions options{.role = arguments[0], .range = *std::move(range)};
  const auto reply = co_await auth.revoke_permission(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.role_revoke_permission(arguments[0], arguments[1], end, *reply);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
