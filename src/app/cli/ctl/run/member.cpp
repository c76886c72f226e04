// `ctl member` and `ctl move-leader`.
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/arguments.hpp"
#include "app/cli/ctl/run/cluster_sight.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "etcd/maintenance.hpp"
#include "etcd/membership.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

Parsed<MemberId> member_argument(const Request& request) {
  if (request.arguments.size() != 1) return misuse("member ID is not provided");
  return parse_member(request.arguments[0]);
}

Parsed<etcd::MemberAddOptions> parse_add(const Request& request) {
  const auto& arguments = request.arguments;
  if (arguments.empty()) return misuse("member name not provided");
  if (arguments.size() > 1) {
    std::string message = "too many arguments";
    for (const auto& argument : arguments) {
      if (argument.starts_with("http"))
        message += fmt::format(", did you mean --peer-urls={}", argument);
    }
    return misuse(std::move(message));
  }
  const auto urls = request.flags.text("peer-urls");
  if (urls.empty()) return misuse("member peer urls not provided");
  return etcd::MemberAddOptions{split_list(urls), request.flags.on("learner")};
}

// What the new member is to be started with.
void print_environment(const wire::MemberAddResponse& reply, const std::string& name,
                       const std::string& urls, Printer& printer) {
  std::string cluster;
  for (const auto& member : reply.members()) {
    const auto& title = member.id() == reply.member().id() ? name : member.name();
    for (const auto& url : member.peer_urls())
      cluster += fmt::format("{}{}={}", cluster.empty() ? "" : ",", title, url);
  }
  printer.line("");
  printer.line(fmt::format("ETCD_NAME={}", go_quoted(name)));
  printer.line(fmt::format("ETCD_INITIAL_CLUSTER={}", go_quoted(cluster)));
  printer.line(fmt::format("ETCD_INITIAL_ADVERTISE_PEER_URLS={}", go_quoted(urls)));
  printer.line("ETCD_INITIAL_CLUSTER_STATE=\"existing\"");
}

// The answer of an old leader may not say who leads now.
struct Leader {
  MemberId id{};
  etcd::Channel* channel = nullptr;
};

Task<Result<Leader>> find_leader(Session& session) {
  auto endpoints = co_await session.each(false);
  if (!endpoints) co_return std::move(endpoints).error();
  std::optional<Error> last;
  std::string names;
  for (const auto& endpoint : *endpoints) {
    names += (names.empty() ? "" : " ") + endpoint.name;
    etcd::Maintenance maintenance(*endpoint.channel);
    const auto status = co_await maintenance.status(session.deadline());
    if (!status) {
      last = status.error();
      continue;
    }
    if (status->leader() != 0 && status->leader() == status->header().member_id())
      co_return Leader{MemberId{status->leader()}, endpoint.channel};
  }
  if (last) co_return *std::move(last);
  co_return Error{ErrorCode::kNotFound, fmt::format("no leader endpoint given at [{}]", names)};
}

}  // namespace

Task<Exit> run_member_list(Session& session, const Request& request, Printer& printer) {
  const auto consistency = parse_consistency(request.flags);
  if (!consistency) co_return consistency.error();
  etcd::Membership membership(session.cluster());
  const auto reply = co_await membership.list(*consistency, session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.member_list(*reply);
  co_return Exit{};
}

Task<Exit> run_member_add(Session& session, const Request& request, Printer& printer) {
  auto options = parse_add(request);
  if (!options) co_return std::move(options).error();
  const auto& name = request.arguments[0];
  const auto sight = co_await look(session);
  if (!sight) co_return failed(sight.error());
  auto plan = plan_to_add(*sight, name, options->learner);
  const auto stop = co_await consent(session, request.flags, std::move(plan));
  if (stop) co_return *stop;
  etcd::Membership membership(session.cluster());
  const auto reply = co_await membership.add(*std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.member_add(*reply);
  if (request.flags.text("write-out") == "simple")
    print_environment(*reply, name, request.flags.text("peer-urls"), printer);
  co_return Exit{};
}

Task<Exit> run_member_remove(Session& session, const Request& request, Printer& printer) {
  const auto id = member_argument(request);
  if (!id) co_return id.error();
  const auto sight = co_await look(session);
  if (!sight) co_return failed(sight.error());
  auto plan = plan_to_remove(*sight, *id);
  const auto stop = co_await consent(session, request.flags, std::move(plan));
  if (stop) co_return *stop;
  etcd::Membership membership(session.cluster());
  const auto reply = co_await membership.remove(*id, session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.member_remove(id->value, *reply);
  co_return Exit{};
}

Task<Exit> run_member_update(Session& session, const Request& request, Printer& printer) {
  const auto id = member_argument(request);
  if (!id) co_return id.error();
  const auto urls = request.flags.text("peer-urls");
  if (urls.empty()) co_return bad_arguments("member peer urls not provided");
  etcd::Membership membership(session.cluster());
  etcd::MemberUpdateOptions options{*id, split_list(urls)};
  const auto reply = co_await membership.update(std::move(options), session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.member_update(id->value, *reply);
  co_return Exit{};
}

Task<Exit> run_member_promote(Session& session, const Request& request, Printer& printer) {
  const auto id = member_argument(request);
  if (!id) co_return id.error();
  etcd::Membership membership(session.cluster());
  const auto reply = co_await membership.promote(*id, session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.member_promote(id->value, *reply);
  co_return Exit{};
}

Task<Exit> run_move_leader(Session& session, const Request& request, Printer& printer) {
  if (request.arguments.size() != 1)
    co_return bad_arguments("move-leader command needs 1 argument");
  const auto& text = request.arguments[0];
  const auto target = parse_id(text);
  if (!target) co_return target.error();
  const auto leader = co_await find_leader(session);
  if (!leader && leader.error().code == ErrorCode::kNotFound)
    co_return bad_arguments(leader.error().message);
  if (!leader) co_return failed(leader.error());
  etcd::Maintenance maintenance(*leader->channel);
  const auto reply = co_await maintenance.move_leader(*target, session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.move_leader(leader->id.value, target->value, *reply);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
