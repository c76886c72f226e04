// `alerts`: tries a channel out.
#include <cstdio>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include "alert/engine.hpp"
#include "app/cli/command.hpp"
#include "app/cli/start_up.hpp"
#include "base/units.hpp"
#include "config/suggest.hpp"
#include "net/http_client.hpp"
#include "net/mailer.hpp"
#include "notify/registry.hpp"
#include "notify/text.hpp"

namespace etcdmon::app::cli {

namespace {

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor alerts test CHANNEL [flags]",
      .about =
          "Sends a real test message through a channel, says what was done and what came back, and "
          "exits 0 if it\nwas delivered, else 1. Services that keep incidents get the end of it "
          "too. "
          "Nothing is queued or repeated,\nand the monitor need not run.",
      .examples =
          "  etcd-monitor alerts test slack --config=/etc/etcd-monitor/config.yaml\n"
          "  etcd-monitor alerts test email\n"};
  return kUsage;
}

std::vector<std::string> channel_names() {
  std::vector<std::string> names;
  for (const auto& row : notify::registry()) names.emplace_back(row.name);
  return names;
}

model::Notification test_notification(const Settings& settings, const std::string& channel,
                                      WallTime now) {
  model::Notification notification;
  notification.channel = channel;
  notification.why = model::Why::kTest;
  notification.created_at = now;
  auto& alert = notification.alerts.emplace_back();
  alert.id = alert::fingerprint("", "TestAlert", channel);
  alert.cluster = settings.clusters.front().name;
  alert.rule = "TestAlert";
  alert.severity = model::Severity::kWarning;
  alert.summary = fmt::format("This tries out the channel {}: nothing is wrong.", channel);
  alert.detail = "Sent by etcd-monitor alerts test.";
  alert.labels = {{"alertname", "TestAlert"}, {"cluster", alert.cluster}, {"severity", "warning"}};
  alert.starts_at = now;
  notification.group_key = alert.id;
  notification.dedup_key = alert.id;
  return notification;
}

Task<> send(notify::Channel& channel, model::Notification notification, Deadline deadline,
            notify::Outcome& outcome) {
  outcome = co_await channel.send(std::move(notification), deadline);
}

int test_channel(const notify::ChannelRow& row, const Settings& settings) {
  Loop loop(1);
  const SystemClock clock;
  net::Outbound outbound(loop.get_executor());
  net::HttpClient http(outbound);
  net::Mailer mail(outbound);
  const notify::Services services{http, mail, loop.get_executor(), clock,
                                  settings.alerts.external_url};
  const auto& common = row.common(settings.alerts);
  const auto channel = row.make(settings.alerts, services);
  const auto now = clock.now();
  const auto notification = test_notification(settings, std::string(row.name), now.wall);
  fmt::print("channel   {} (at most {} for an attempt)\n", row.name,
             format_duration(common.timeout));
  fmt::print("message   {}\n          id {}\n", notify::title(notification),
             message_id(notification));
  if (!common.enabled)
    fmt::print("note      alerts.{}.enabled is false: the monitor does not use it\n", row.name);
  std::fflush(stdout);

  notify::Outcome outcome;
  std::exception_ptr failure;
  asio::co_spawn(loop, send(*channel, notification, now.steady + common.timeout, outcome),
                 [&](std::exception_ptr exception) { failure = exception; });
  loop.run();
  if (failure) std::rethrow_exception(failure);

  const auto took = std::chrono::ceil<std::chrono::milliseconds>(clock.now().steady - now.steady);
  fmt::print("answer    {} after {}\n",
             outcome.status != 0 ? fmt::format("code {}", outcome.status) : "none",
             format_duration(took));
  if (outcome.delivered()) {
    fmt::print("result    delivered\n");
    return kOk;
  }
  fmt::print("result    not delivered: {}\n          {}\n", outcome.why,
             outcome.kind == notify::Outcome::Kind::kRetry
                 ? "the monitor would try again"
                 : "the monitor would not try again, but keep it among the dead letters");
  return kUnhealthy;
}

}  // namespace

int run_alerts(const std::vector<std::string>& arguments) {
  auto [start, exit] = start_up(arguments, usage(), {}, true);
  if (!start) return exit;
  const auto& words = start->loaded.flags.arguments;
  if (words.size() != 2 || words[0] != "test") {
    fmt::print(stderr, "etcd-monitor alerts: say test and a channel ({})\n",
               fmt::join(channel_names(), ", "));
    return kUsage;
  }
  for (const auto& row : notify::registry()) {
    if (row.name != words[1]) continue;
    const auto complaints = row.complaints(start->loaded.settings.alerts);
    for (const auto& complaint : complaints) {
      fmt::print(stderr, "etcd-monitor: alerts.{}.{}: {}\n", row.name, complaint.key,
                 complaint.message);
    }
    return complaints.empty() ? test_channel(row, start->loaded.settings) : kUsage;
  }
  const auto meant = config::closest(words[1], channel_names());
  fmt::print(stderr, "etcd-monitor alerts: there is no channel \"{}\"{}\n", words[1],
             meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant));
  return kUsage;
}

}  // namespace etcdmon::app::cli
