// `ctl defrag`.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/cluster_sight.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "app/cli/ctl/text/go_text.hpp"
#include "etcd/kv.hpp"
#include "etcd/maintenance.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using std::chrono::steady_clock;

// A member rewrites some 100 MB a second; 8 GB on a bad disk take minutes.
constexpr std::chrono::minutes kStandardTimeout{30};
// Until a member that was away has caught up.
constexpr std::chrono::seconds kRecovery{60};
constexpr std::chrono::milliseconds kLookAgain{500};

struct Target {
  MemberId id{};
  OneEndpoint endpoint{};
};

// The member that answers at an endpoint.
Task<Result<MemberId>> member_at(Session& session, etcd::Channel& channel) {
  etcd::Maintenance maintenance(channel);
  const auto status = co_await maintenance.status(session.deadline());
  if (!status) co_return status.error();
  co_return MemberId{status->header().member_id()};
}

// Those of --endpoints, or of the whole cluster, in the order in which it does the least harm.
Task<Result<std::vector<Target>>> targets(Session& session, const ClusterSight& sight,
                                          bool whole_cluster) {
  std::vector<std::string> skipped;
  auto order = defragment_order(sight, skipped);
  std::vector<Target> out;
  if (whole_cluster) {
    for (const auto& line : skipped) Terminal::note(line);
    for (const auto id : order) {
      const auto* member = sight.find(id);
      if (member->client_urls.empty()) continue;
      auto endpoint = session.only(member->client_urls.front());
      if (!endpoint) co_return std::move(endpoint).error();
      out.push_back({id, *std::move(endpoint)});
    }
    co_return out;
  }
  auto endpoints = co_await session.each(false);
  if (!endpoints) co_return std::move(endpoints).error();
  for (auto& endpoint : *endpoints) {
    const auto id = co_await member_at(session, *endpoint.channel);
    if (!id) co_return id.error();
    out.push_back({*id, std::move(endpoint)});
  }
  std::ranges::stable_partition(out, [&sight](const Target& target) {
    const auto* member = sight.find(target.id);
    return member == nullptr || !member->leads;
  });
  co_return out;
}

// Everybody is up again, and this member reads through quorum and has caught up.
Task<bool> recovered(Session& session, const Target& target) {
  const auto until = steady_clock::now() + kRecovery;
  while (steady_clock::now() < until) {
    const auto sight = co_await look(session);
    const auto* member = sight ? sight->find(target.id) : nullptr;
    if (member != nullptr && sight->voters_up() == sight->voters() &&
        sight->newest_applied() - member->applied < 1'000) {
      etcd::Kv kv(*target.endpoint.channel);
      etcd::GetOptions read{.range = etcd::KeyRange::one("health"), .count_only = true};
      const auto answer = co_await kv.get(std::move(read), session.deadline());
      if (answer || answer.error().code == ErrorCode::kPermissionDenied) co_return true;
    }
    co_await async::sleep_for(kLookAgain);
  }
  co_return false;
}

std::string finished(const FlagValues& flags, const std::string& endpoint,
                     std::chrono::nanoseconds took) {
  const auto compat = flags.text("compat");
  if (compat == "3.4" || compat == "3.5")
    return fmt::format("Finished defragmenting etcd member[{}]", endpoint);
  return fmt::format("Finished defragmenting etcd member[{}]. took {}", endpoint,
                     go_duration(took.count()));
}

Task<Exit> defragment(Session& session, const FlagValues& flags, std::vector<Target> targets,
                      Printer& printer) {
  const auto timeout = session.timeout_was_given() ? session.command_timeout()
                                                   : std::chrono::nanoseconds(kStandardTimeout);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& target = targets[i];
    const auto begun = steady_clock::now();
    etcd::Maintenance maintenance(*target.endpoint.channel);
    const auto reply = co_await maintenance.defragment(begun + timeout);
    const auto took = steady_clock::now() - begun;
    if (!reply) {
      const bool unknown = etcd::is_outcome_unknown(reply.error());
      Terminal::note(fmt::format("Failed to defragment etcd member[{}]. took {}. ({})",
                                 target.endpoint.name, go_duration(took.count()),
                                 reply.error().message));
      if (unknown)
        Terminal::note(
            "The member may still be at it: look at `endpoint status` before doing "
            "anything else; it is not asked again.");
      if (i + 1 < targets.size())
        Terminal::note(fmt::format("{} more members were not touched.", targets.size() - i - 1));
      co_return Exit{ExitCode::kError};
    }
    printer.line(finished(flags, target.endpoint.name, took));
    printer.flush();
    if (i + 1 == targets.size()) break;
    const bool well = co_await recovered(session, target);
    if (!well)
      co_return Exit{ExitCode::kError,
                     fmt::format("the cluster is not healthy after defragmenting {}; {} more "
                                 "members were not touched",
                                 target.endpoint.name, targets.size() - i - 1)};
  }
  co_return Exit{};
}

// Without a look at the cluster it is not known what a stop of the member would do.
Plan blind_plan(const Error& error) {
  return {.lines = {fmt::format("The cluster cannot be looked at: {}.", error.message)},
          .question = "Defragment all the same?",
          .danger = "nobody knows whether the quorum survives it"};
}

}  // namespace

Task<Exit> run_defrag(Session& session, const Request& request, Printer& printer) {
  const auto& flags = request.flags;
  if (!flags.text("data-dir").empty())
    co_return Exit{ExitCode::kBadFeature,
                   "--data-dir is for a stopped member: etcdutl defrag --data-dir does it"};
  auto sight = co_await look(session);
  if (!sight && flags.on("cluster")) co_return failed(sight.error());
  const ClusterSight seen = sight ? *sight : ClusterSight{};
  auto chosen = co_await targets(session, seen, flags.on("cluster"));
  if (!chosen) co_return failed(chosen.error());
  std::vector<MemberId> order;
  for (const auto& target : *chosen) order.push_back(target.id);
  auto plan = sight ? plan_to_defragment(*sight, order) : blind_plan(sight.error());
  const auto stop = co_await consent(session, flags, std::move(plan));
  if (stop) co_return *stop;
  co_return co_await defragment(session, flags, *std::move(chosen), printer);
}

}  // namespace etcdmon::app::cli::ctl
