// `ctl alarm`.
#include <cstdlib>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/cli/ctl/run/cluster_sight.hpp"
#include "app/cli/ctl/run/commands.hpp"
#include "app/cli/ctl/session.hpp"
#include "etcd/maintenance.hpp"
#include "net/http_get.hpp"
#include "wire/rpc.pb.h"

namespace etcdmon::app::cli::ctl {

namespace {

constexpr std::string_view kQuotaMetric = "\netcd_server_quota_backend_bytes ";

model::AlarmType to_type(wire::AlarmType type) {
  if (type == wire::NOSPACE) return model::AlarmType::kNospace;
  if (type == wire::CORRUPT) return model::AlarmType::kCorrupt;
  return model::AlarmType::kUnknown;
}

// Before 3.6 only the member's metrics know its quota. 0: not known.
Task<std::int64_t> quota_from_metrics(Session& session, std::string client_url) {
  auto url = net::parse_http_url(client_url + "/metrics");
  if (!url) co_return 0;
  net::HttpGetOptions options{.url = *std::move(url), .tls = session.channel_options().tls};
  net::HttpGet http(session.resolver(), std::move(options));
  const auto answer = co_await http.get(session.deadline());
  if (!answer || answer->status != 200) co_return 0;
  const auto found = answer->body.find(kQuotaMetric);
  if (found == std::string_view::npos) co_return 0;
  const std::string number(answer->body.substr(found + kQuotaMetric.size(), 32));
  co_return static_cast<std::int64_t>(std::strtod(number.c_str(), nullptr));
}

// Writes would be refused again at once.
Task<std::string> still_full(Session& session, const ClusterSight& sight) {
  for (const auto& member : sight.members) {
    if (!member.up || member.client_urls.empty()) continue;
    auto quota = member.db_size_quota;
    if (quota == 0) quota = co_await quota_from_metrics(session, member.client_urls.front());
    if (quota > 0 && member.db_size >= quota)
      co_return fmt::format(
          "the database of {} has {} bytes and may have {}: compact, then defrag, then disarm",
          member.title(), member.db_size, quota);
  }
  co_return std::string{};
}

Task<Plan> plan_to_disarm(Session& session, const wire::AlarmResponse& alarms) {
  Plan plan{.question = "Disarm?"};
  bool full = false;
  for (const auto& alarm : alarms.alarms()) {
    const bool corrupt = alarm.alarm() == wire::CORRUPT;
    full = full || alarm.alarm() == wire::NOSPACE;
    plan.lines.push_back(fmt::format("Takes back {} of member {}.",
                                     corrupt                          ? "CORRUPT"
                                     : alarm.alarm() == wire::NOSPACE ? "NOSPACE"
                                                                      : "an alarm",
                                     to_hex(alarm.member_id())));
    if (corrupt)
      plan.danger = fmt::format(
          "member {} was found to have other data than the others; disarming does not mend it: "
          "remove it, empty its folder and add it again",
          to_hex(alarm.member_id()));
  }
  if (!full) co_return plan;
  const auto sight = co_await look(session);
  if (!sight) co_return plan;
  auto why = co_await still_full(session, *sight);
  if (!why.empty()) plan.danger = std::move(why);
  co_return plan;
}

}  // namespace

Task<Exit> run_alarm_list(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("alarm list command accepts no arguments");
  etcd::Maintenance maintenance(session.cluster());
  const auto reply = co_await maintenance.alarms(session.deadline());
  if (!reply) co_return failed(reply.error());
  printer.alarm(*reply);
  co_return Exit{};
}

Task<Exit> run_alarm_disarm(Session& session, const Request& request, Printer& printer) {
  if (!request.arguments.empty())
    co_return bad_arguments("alarm disarm command accepts no arguments");
  etcd::Maintenance maintenance(session.cluster());
  const auto alarms = co_await maintenance.alarms(session.deadline());
  if (!alarms) co_return failed(alarms.error());
  if (!alarms->alarms().empty()) {
    auto plan = co_await plan_to_disarm(session, *alarms);
    // A corrupt member is not something to say y to in passing.
    if (!plan.danger.empty() && !request.flags.on("yes") && !request.flags.on("dry-run"))
      co_return Exit{ExitCode::kError,
                     fmt::format("refused: {}; say --yes if it is meant", plan.danger)};
    const auto stop = co_await consent(session, request.flags, std::move(plan));
    if (stop) co_return *stop;
  }
  wire::AlarmResponse disarmed;
  for (const auto& alarm : alarms->alarms()) {
    const model::AlarmEntry entry{MemberId{alarm.member_id()}, to_type(alarm.alarm())};
    const auto reply = co_await maintenance.disarm(entry, session.deadline());
    if (!reply) co_return failed(reply.error());
    disarmed.mutable_alarms()->MergeFrom(reply->alarms());
  }
  printer.alarm(disarmed);
  co_return Exit{};
}

}  // namespace etcdmon::app::cli::ctl
