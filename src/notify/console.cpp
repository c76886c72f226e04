#include "notify/console.hpp"

#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::notify {

namespace {

using model::AlertEvent;
using model::Severity;

// Local time: who reads a terminal has a clock on the wall.
std::string clock_text(WallTime at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(at));
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
}

std::string_view shout(AlertEvent::What what) {
  switch (what) {
    case AlertEvent::What::kPending:
      return "PENDING";
    case AlertEvent::What::kFiring:
      return "FIRING";
    case AlertEvent::What::kChanged:
      return "WORSE";
    case AlertEvent::What::kResolved:
      return "RESOLVED";
  }
  return "FIRING";
}

log::Level level_of(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return log::Level::kInfo;
    case Severity::kWarning:
    case Severity::kCritical:
      return log::Level::kWarn;
  }
  return log::Level::kWarn;
}

std::string_view colour_of(Severity severity, bool good_news) {
  if (good_news) return "\x1b[32m";
  switch (severity) {
    case Severity::kInfo:
      return "";
    case Severity::kWarning:
      return "\x1b[33m";
    case Severity::kCritical:
      return "\x1b[31;1m";
  }
  return "";
}

bool is_good_news(model::EventKind kind) {
  using model::EventKind;
  return kind == EventKind::kMemberUp || kind == EventKind::kMemberReconnected ||
         kind == EventKind::kAlarmCleared || kind == EventKind::kVerdictCleared;
}

}  // namespace

std::string readable(const AlertEvent& event) {
  const auto& alert = event.alert;
  std::string text =
      fmt::format("{} {:<8} {}  {} {}: {}", clock_text(event.at), model::name_of(alert.severity),
                  alert.cluster, shout(event.what), alert.rule, alert.summary);
  if (event.what == AlertEvent::What::kFiring && !alert.runbook.empty())
    text += fmt::format(" (see {})", alert.runbook);
  return text;
}

std::string readable(const model::Event& event) {
  return fmt::format("{} {:<8} {}  {}", clock_text(event.at), model::name_of(event.severity),
                     event.cluster, event.text);
}

Console::Console(Options options, Logger logger) : options_(options), logger_(std::move(logger)) {}

void Console::line(const std::string& text, Severity severity, bool good_news) {
  const auto colour = options_.colours ? colour_of(severity, good_news) : std::string_view();
  fmt::print(options_.out, "{}{}{}\n", colour, text, colour.empty() ? "" : "\x1b[0m");
  std::fflush(options_.out);
}

void Console::tell(const AlertEvent& event) {
  const auto& alert = event.alert;
  line(readable(event), alert.severity, event.what == AlertEvent::What::kResolved);
  if (!options_.structured) return;
  const auto level =
      event.what == AlertEvent::What::kResolved || event.what == AlertEvent::What::kPending
          ? log::Level::kInfo
          : level_of(alert.severity);
  logger_.write(level, "alert",
                {{"what", model::name_of(event.what)},
                 {"alert_id", alert.id},
                 {"cluster", alert.cluster},
                 {"rule", alert.rule},
                 {"subject", alert.subject},
                 {"severity", model::name_of(alert.severity)},
                 {"summary", alert.summary},
                 {"runbook", alert.runbook}});
}

void Console::tell(const model::Event& event) {
  line(readable(event), event.severity, is_good_news(event.kind));
  if (!options_.structured) return;
  logger_.write(log::Level::kInfo, "event",
                {{"kind", model::name_of(event.kind)},
                 {"cluster", event.cluster},
                 {"subject", event.subject},
                 {"severity", model::name_of(event.severity)},
                 {"text", event.text}});
}

}  // namespace etcdmon::notify
