// `ctl user`.
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "etcd/auth.hpp"
#include "wire/auth.pb.h"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

// Typed twice on a terminal, or the first line of standard input.
Task<Parsed<Secret>> new_password(Session& session, std::string user, bool interactive) {
  if (!interactive) {
    auto line = co_await session.terminal().read_line();
    if (!line) co_return misuse(line.error().message);
    co_return Secret(line->value_or(""));
  }
  auto first = co_await session.terminal().read_password(fmt::format("Password of {}: ", user));
  if (!first) co_return misuse(fmt::format("failed to ask password: {}", first.error().message));
  if (first->empty()) co_return misuse("empty password");
  auto second = co_await session.terminal().read_password(
      fmt::format("Type password of {} again for confirmation: ", user));
  if (!second) co_return misuse(fmt::format("failed to ask password: {}", second.error().message));
  if (*first != *second) co_return misuse("given passwords are different");
  co_return *std::move(first);
}

Task<Parsed<etcd::UserAddOptions>> user_to_add(Session& session, const Request& request) {
  const auto& flags = request.flags;
  etcd::UserAddOptions options{.name = request.arguments[0],
                               .no_password = flags.on("no-password")};
  if (options.no_password) co_return options;
  options.password = Secret(flags.text("new-user-password"));
  if (!options.password.empty()) co_return options;
  const auto colon = options.name.find(':');
  if (colon != std::string::npos) {
    options.password = Secret(options.name.substr(colon + 1));
    options.name.resize(colon);
    if (options.name.empty()) co_return misuse("empty user name is not allowed");
    co_return options;
  }
  auto password = co_await new_password(session, options.name, flags.on("interactive"));
  if (!password) co_return tl::unexpected(std::move(password).error());
  options.password = *std::move(password);
  co_return options;
}

// With everything that its roles allow.
Task<Exit> print_detail(Session& session, std::string user, const wire::AuthUserGetResponse& reply,
                        Printer& printer) {
  etcd::Auth auth(session.cluster());
  printer.line(fmt::format("User: {}", user));
  for (const auto& role : reply.roles()) {
    printer.line("");
    const auto found = co_await auth.role_get(role, session.deadline());
    if (!found) co_return failed(found.error());
    printer.role_get(role, *found);
  }
  co_return Exit{};
}

}  // namespace

Task<Exit> run_user_add(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("user add command requires user name as its argument");
  auto options = co_await user_to_add(session, request);
  if (!options) co_return std::move(options).error();
  const auto name = options->name;
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.user_add(*std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.user_add(name, *reply);
  co_return Exit{};
}

Task<Exit> run_user_delete(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("user delete command requires user name as its argument");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.user_delete(request.arguments[0], session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.user_delete(request.arguments[0], *reply);
  co_return Exit{};
}

Task<Exit> run_user_get(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("user get command requires user name as its argument");
  const auto& name = request.arguments[0];
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.user_get(name, session.deadline());
  if (!reply) co_return failed(reply.error());
  if (request.flags.on("detail")) co_return co_await print_detail(session, name, *reply, printer);
  printer.user_get(name, *reply);
  co_return Exit{};
}

Task<Exit> run_user_list(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("user list command requires no arguments");
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.user_list(session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.user_list(*reply);
  co_return Exit{};
}

Task<Exit> run_user_passwd(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("user passwd command requires user name as its argument");
  const auto& name = request.arguments[0];
  auto password = co_await new_password(session, name, request.flags.on("interactive"));
  if (!password) co_return std::move(password).error();
  etcd::Auth auth(session.cluster());
  const auto reply = co_await auth.change_password(name, *std::move(password), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.user_change_password(*reply);
  co_return Exit{};
}

Task<Exit> run_user_grant_role(Session& session, const Request& request, Printer& printer) {
  const auto& arguments = request.arguments;
  if (arguments.size() != 2)
    co_return bad_arguments("user grant command requires user name and role name as its argument");
  etcd::Auth auth(session.cluster());
  etcd::UserRole options{arguments[0], arguments[1]};
  const auto reply = co_await auth.grant_role(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.user_grant_role(arguments[0], arguments[1], *reply);
  co_return Exit{};
}

Task<Exit> run_user_revoke_role(Session& session, const Request& request, Printer& printer) {
  const auto& arguments = request.arguments;
  if (arguments.size() != 2)
    co_return bad_arguments("user revoke-role requires user name and role name as its argument");
  etcd::Auth auth(session.cluster());
  etcd::UserRole options{arguments[0], arguments[1]};
  const auto reply = co_await auth.revoke_role(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.user_revoke_role(arguments[0], arguments[1], *reply);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
