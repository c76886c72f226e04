// `ctl endpoint health`, `status` and `hashkv`.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "async/when_all.hpp"
#include "etcd/kv.hpp"
#include "etcd/maintenance.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

using std::chrono::steady_clock;

std::string names_of(const wire::AlarmResponse& alarms) {
  std::string out = "Active Alarm(s): ";
  for (const auto& alarm : alarms.alarms()) {
    out += alarm.alarm() == wire::NOSPACE   ? "NOSPACE "
           : alarm.alarm() == wire::CORRUPT ? "CORRUPT "
                                            : "UNKNOWN ";
  }
  return out;
}

// A member that reads through quorum is healthy, unless the cluster has raised an alarm.
Task<HealthRow> health_of(OneEndpoint endpoint, Deadline deadline) {
  HealthRow row{.endpoint = std::move(endpoint.name)};
  const auto begun = steady_clock::now();
  etcd::Kv kv(*endpoint.channel);
  etcd::GetOptions options{.range = etcd::KeyRange::one("health")};
  const auto read = co_await kv.get(std::move(options), deadline);
  row.took = steady_clock::now() - begun;
  // "Permission denied" went through quorum too.
  if (!read && read.error().code != ErrorCode::kPermissionDenied) {
    row.error = read.error().message;
    co_return row;
  }
  etcd::Maintenance maintenance(*endpoint.channel);
  const auto alarms = co_await maintenance.alarms(deadline);
  if (!alarms) {
    row.error = "Unable to fetch the alarm list";
  } else if (!alarms->alarms().empty()) {
    row.error = names_of(*alarms);
  }
  row.healthy = row.error.empty();
  co_return row;
}

// The answers of members that were asked all at once. The first error decides how it ends.
template <class Reply>
struct Answers {
  std::vector<OneEndpoint> endpoints;
  std::vector<Result<Reply>> replies;

  // Tells on standard error who did not answer.
  Exit note_failures(std::string_view what) const {
    Exit exit;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (replies[i]) continue;
      Terminal::note(fmt::format("Failed to get the {} of endpoint {} ({})", what,
                                 endpoints[i].name, replies[i].error().message));
      exit.code = ExitCode::kError;
    }
    return exit;
  }
};

}  // namespace

Task<Exit> run_endpoint_health(Session& session, const Request& request, Printer& printer) {
  auto endpoints = co_await session.each(request.flags.on("cluster"));
  if (!endpoints) co_return failed(endpoints.error());
  std::vector<Task<HealthRow>> asking;
  for (auto& endpoint : *endpoints)
    asking.push_back(health_of(std::move(endpoint), session.deadline()));
  const auto rows = co_await async::when_all(std::move(asking));
  printer.endpoint_health(rows);
  const bool sick = std::ranges::any_of(rows, [](const auto& row) { return !row.healthy; });
  co_return sick ? Exit{ExitCode::kError, "unhealthy cluster"} : Exit{};
}

Task<Exit> run_endpoint_status(Session& session, const Request& request, Printer& printer) {
  auto endpoints = co_await session.each(request.flags.on("cluster"));
  if (!endpoints) co_return failed(endpoints.error());
  std::vector<Task<Result<wire::StatusResponse>>> asking;
  for (const auto& endpoint : *endpoints)
    asking.push_back(etcd::Maintenance(*endpoint.channel).status(session.deadline()));
  auto replies = co_await async::when_all(std::move(asking));
  const Answers<wire::StatusResponse> answers{*std::move(endpoints), std::move(replies)};
  const auto exit = answers.note_failures("status");
  std::vector<StatusRow> rows;
  for (std::size_t i = 0; i < answers.replies.size(); ++i) {
    if (answers.replies[i]) rows.push_back({answers.endpoints[i].name, &*answers.replies[i]});
  }
  printer.endpoint_status(rows);
  co_return exit;
}

Task<Exit> run_endpoint_hashkv(Session& session, const Request& request, Printer& printer) {
  auto endpoints = co_await session.each(request.flags.on("cluster"));
  if (!endpoints) co_return failed(endpoints.error());
  Answers<wire::HashKVResponse> answers{*std::move(endpoints), {}};
  // One after the other: each one scans its database.
  for (const auto& endpoint : answers.endpoints) {
    etcd::Maintenance maintenance(*endpoint.channel);
    auto reply = co_await maintenance.hash_kv(request.flags.number("rev"), session.deadline());
    answers.replies.push_back(std::move(reply));
  }
  auto exit = answers.note_failures("hash");
  std::vector<HashRow> rows;
  for (std::size_t i = 0; i < answers.replies.size(); ++i) {
    if (answers.replies[i]) rows.push_back({answers.endpoints[i].name, &*answers.replies[i]});
    if (!answers.replies[i]) exit.message = answers.replies[i].error().message;
  }
  printer.endpoint_hashkv(rows);
  co_return exit;
}

}  // namespace etcdmon::app::cli::ctl
