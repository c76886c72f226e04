#include "notify/text.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/units.hpp"

namespace etcdmon::notify {

namespace {

using model::Notification;
using model::NotifiedAlert;

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

// "prod-a/infra1", or the cluster alone.
std::string place(const NotifiedAlert& alert) {
  return alert.subject.empty() ? alert.cluster : fmt::format("{}/{}", alert.cluster, alert.subject);
}

// The cluster that all alerts are about, or "several clusters".
std::string common_cluster(const Notification& notification) {
  const auto& first = notification.alerts.front().cluster;
  const bool same = std::ranges::all_of(
      notification.alerts, [&](const NotifiedAlert& alert) { return alert.cluster == first; });
  return same ? first : "several clusters";
}

std::string rules_of(const Notification& notification) {
  constexpr std::size_t kNamed = 3;
  std::vector<std::string_view> rules;
  for (const auto& alert : notification.alerts) {
    if (std::ranges::find(rules, alert.rule) == rules.end()) rules.push_back(alert.rule);
  }
  const auto shown = std::min(rules.size(), kNamed);
  auto text =
      fmt::format("{}", fmt::join(rules.begin(), rules.begin() + static_cast<long>(shown), ", "));
  if (rules.size() > shown) text += fmt::format(" and {} more", rules.size() - shown);
  return text;
}

std::string lasted(const NotifiedAlert& alert) {
  if (!alert.ends_at || *alert.ends_at < alert.starts_at) return {};
  return format_duration(
      std::chrono::floor<std::chrono::seconds>(*alert.ends_at - alert.starts_at));
}

}  // namespace

std::string shout(const NotifiedAlert& alert) {
  return alert.resolved ? "RESOLVED" : upper(model::name_of(alert.severity));
}

std::string title(const Notification& notification) {
  const auto& alerts = notification.alerts;
  const std::string_view test = notification.why == model::Why::kTest ? "TEST " : "";
  if (alerts.empty()) return fmt::format("{}{}", test, model::name_of(notification.status));
  if (alerts.size() == 1) {
    return fmt::format("{}{} {} on {}", test, shout(alerts.front()), alerts.front().rule,
                       place(alerts.front()));
  }
  const bool over = notification.status == model::NotificationStatus::kResolved;
  return fmt::format(
      "{}{} alerts on {} ({}): {}", test, alerts.size(), common_cluster(notification),
      over ? "resolved" : model::name_of(severity_of(notification)), rules_of(notification));
}

std::string why_now(const Notification& notification) {
  const auto with_reason = [&](std::string_view word) {
    return notification.reason.empty() ? std::string(word)
                                       : fmt::format("{}: {}", word, notification.reason);
  };
  switch (notification.why) {
    case model::Why::kNew:
      return with_reason("new");
    case model::Why::kChanged:
      return with_reason("changed");
    case model::Why::kRepeat:
      return notification.reason.empty() ? "reminder: it still fires" : with_reason("reminder");
    case model::Why::kResolved:
      return with_reason("resolved");
    case model::Why::kEscalated:
      return notification.reason.empty() ? "escalated: nobody acknowledged it"
                                         : with_reason("escalated");
    case model::Why::kTest:
      return with_reason("a test: nothing is wrong");
  }
  return "new";
}

std::string number_text(double value) {
  // Six digits are more than anybody reads, and 0.1 + 0.2 is 0.3.
  return fmt::format("{:.6g}", value);
}

std::vector<std::pair<std::string, std::string>> facts(const NotifiedAlert& alert) {
  std::vector<std::pair<std::string, std::string>> found{{"Cluster", alert.cluster}};
  if (!alert.subject.empty()) found.emplace_back("Subject", alert.subject);
  found.emplace_back("Severity", model::name_of(alert.severity));
  if (alert.value) found.emplace_back("Value", number_text(*alert.value));
  if (alert.threshold) found.emplace_back("Threshold", number_text(*alert.threshold));
  found.emplace_back("Since",
                     to_rfc3339(std::chrono::floor<std::chrono::seconds>(alert.starts_at)));
  if (const auto time = lasted(alert); alert.resolved && !time.empty())
    found.emplace_back("Lasted", time);
  return found;
}

std::string runbook_link(const NotifiedAlert& alert, std::string_view external_url) {
  const auto& runbook = alert.runbook;
  if (runbook.empty() || runbook.find("://") != std::string::npos || external_url.empty())
    return runbook;
  const auto slash = external_url.ends_with('/') ? "" : "/";
  return fmt::format("{}{}{}", external_url, slash, runbook);
}

std::string plain_text(const Notification& notification, std::string_view external_url) {
  auto text = fmt::format("{}\nWhy now: {}\n", title(notification), why_now(notification));
  for (const auto& alert : notification.alerts) {
    text += fmt::format("\n{} {}: {}\n", shout(alert), alert.rule, alert.summary);
    if (!alert.detail.empty()) text += fmt::format("  {}\n", alert.detail);
    for (const auto& [name, value] : facts(alert)) text += fmt::format("  {}: {}\n", name, value);
    if (const auto link = runbook_link(alert, external_url); !link.empty())
      text += fmt::format("  What to do: {}\n", link);
  }
  return text;
}

std::string stable_hash(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

std::string shortened(std::string text, std::size_t limit) {
  constexpr std::string_view kMore = "…";
  if (text.size() <= limit) return text;
  auto keep = limit > kMore.size() ? limit - kMore.size() : 0;
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xC0U) == 0x80U) --keep;
  text.resize(keep);
  if (limit >= kMore.size()) text += kMore;
  return text;
}

}  // namespace etcdmon::notify
