// `alerts`: what the desk of a running monitor is asked, and a channel tried out.
#include <cstdio>
#include <span>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/channel_trial.hpp"
#include "app/cli/command.hpp"
#include "app/cli/detail/alert_desk.hpp"
#include "app/cli/detail/monitor_client.hpp"
#include "app/cli/start_up.hpp"
#include "base/units.hpp"
#include "config/suggest.hpp"
#include "net/http_client.hpp"
#include "net/mailer.hpp"
#include "notify/registry.hpp"
#include "notify/text.hpp"

namespace etcdmon::app::cli {

namespace {

// The desk's commands as a list, under which the one that needs no monitor stands.
std::string about() {
  std::string out =
      "Asks a running monitor about alerts, and tells it what people do about them:\n\n";
  const auto line = [&out](std::string_view words, std::string_view arguments,
                           std::string_view what) {
    out += fmt::format("  {:<24}{}\n", fmt::format("{} {}", words, arguments), what);
  };
  for (const auto& command : desk_commands()) line(command.words, command.arguments, command.about);
  line("test", "CHANNEL", "send a real test message through a channel, and say what came back");
  out +=
      "\nack, silence add, silence expire, dead retry and dead drop are for the monitor's own "
      "machine. test reads the "
      "configuration itself:\nnothing is queued or repeated, and no monitor need run.\n\n"
      "Exit code 0: done; 1: it did not work; 2: bad flags or arguments; 3: list --fail-on found "
      "an "
      "alert.";
  return out;
}

const Usage& usage() {
  static const Usage kUsage{
      .line = "etcd-monitor alerts COMMAND [flags]",
      .about = about(),
      .examples =
          "  etcd-monitor alerts list --severity=warning\n"
          "  etcd-monitor alerts list --fail-on=critical -w json\n"
          "  etcd-monitor alerts ack 9f3b7a12c04d5e66 --for=1h --comment='new disk is on its way'\n"
          "  etcd-monitor alerts silence add cluster=prod rule=FsyncSlow --for=2h\n"
          "  etcd-monitor alerts history --cluster=prod --from=2026-03-02T03:00:00Z\n"
          "  etcd-monitor alerts dead retry all\n"
          "  etcd-monitor alerts test slack --config=/etc/etcd-monitor/config.yaml\n"};
  return kUsage;
}

Task<> send(const notify::ChannelRow& row, const AlertSettings& alerts,
            const notify::Services& services, model::Notification notification,
            Result<api::ChannelTrial>& trial) {
  trial = co_await try_channel(row, alerts, services, std::move(notification));
}

int report(const api::ChannelTrial& trial) {
  const auto& outcome = trial.outcome;
  fmt::print("answer    {} after {}\n",
             outcome.status != 0 ? fmt::format("code {}", outcome.status) : "none",
             format_duration(trial.took));
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

int test_channel(const notify::ChannelRow& row, const Settings& settings) {
  Loop loop(1);
  const SystemClock clock;
  net::Outbound outbound(loop.get_executor());
  net::HttpClient http(outbound);
  net::Mailer mail(outbound);
  const notify::Services services{http, mail, loop.get_executor(), clock,
                                  settings.alerts.external_url};
  const auto& common = row.common(settings.alerts);
  const auto notification =
      trial_notification(row.name, settings.clusters.front().name, clock.now().wall);
  fmt::print("channel   {} (at most {} for an attempt)\n", row.name,
             format_duration(common.timeout));
  fmt::print("message   {}\n          id {}\n", notify::title(notification),
             message_id(notification));
  if (!common.enabled)
    fmt::print("note      alerts.{}.enabled is false: the monitor does not use it\n", row.name);
  std::fflush(stdout);

  Result<api::ChannelTrial> trial;
  std::exception_ptr failure;
  asio::co_spawn(loop, send(row, settings.alerts, services, notification, trial),
                 [&](std::exception_ptr exception) { failure = exception; });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if (trial) return report(*trial);
  fmt::print(stderr, "etcd-monitor: {}\n", trial.error().message);
  return kUsage;
}

int run_test(const std::vector<std::string>& words, const Settings& settings) {
  const auto row = find_channel(words.size() == 2 ? words[1] : "");
  if (row) return test_channel(**row, settings);
  fmt::print(stderr, "etcd-monitor alerts test: {}\n",
             words.size() == 2 ? row.error().message : "say which channel");
  return kUsage;
}

// "silence add" of {"silence", "add", "cluster=prod"}: the command, and how many words name it.
std::pair<const DeskCommand*, std::size_t> find_desk_command(
    const std::vector<std::string>& words) {
  for (const auto& command : desk_commands()) {
    const std::size_t count = command.words.find(' ') == std::string_view::npos ? 1 : 2;
    if (words.size() < count) continue;
    const auto said = count == 1 ? words[0] : fmt::format("{} {}", words[0], words[1]);
    if (said == command.words) return {&command, count};
  }
  return {nullptr, 0};
}

int unknown_desk_command(const std::vector<std::string>& words) {
  std::vector<std::string> known = {"test"};
  for (const auto& command : desk_commands()) known.emplace_back(command.words);
  const auto said = fmt::format("{}", fmt::join(words, " "));
  const auto meant = config::closest(said, known);
  fmt::print(stderr, "etcd-monitor alerts: {}{}; see etcd-monitor alerts --help\n",
             words.empty() ? "say what to do" : fmt::format("there is no \"{}\"", said),
             meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant));
  return kUsage;
}

int run_desk(const std::vector<std::string>& words, const StartUp& start) {
  const auto [command, count] = find_desk_command(words);
  if (command == nullptr) return unknown_desk_command(words);
  const auto rest = std::span(words).subspan(count);
  if (command->arguments.empty() != rest.empty()) {
    fmt::print(stderr, "etcd-monitor alerts {}: {}\n", command->words,
               rest.empty() ? fmt::format("needs {}", command->arguments)
                            : fmt::format("takes no \"{}\"", rest.front()));
    return kUsage;
  }
  const auto monitor = MonitorClient::from(start.loaded, start.request.environment);
  if (!monitor) {
    fmt::print(stderr, "etcd-monitor: {}\n", monitor.error().message);
    return kUsage;
  }
  return command->run(*monitor, start.loaded.flags, rest);
}

}  // namespace

int run_alerts(const std::vector<std::string>& arguments) {
  auto flags = desk_flags();
  for (auto& flag : monitor_client_flags()) flags.push_back(std::move(flag));
  auto [start, exit] = start_up(arguments, usage(), std::move(flags), true, check_desk_flags);
  if (!start) return exit;
  const auto& words = start->loaded.flags.arguments;
  if (!words.empty() && words[0] == "test") return run_test(words, start->loaded.settings);
  return run_desk(words, *start);
}

}  // namespace etcdmon::app::cli
