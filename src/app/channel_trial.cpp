#include "app/channel_trial.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "alert/engine.hpp"
#include "config/suggest.hpp"

namespace etcdmon::app {

Result<const notify::ChannelRow*> find_channel(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& row : notify::registry()) {
    if (row.name == name) return &row;
    names.emplace_back(row.name);
  }
  const auto meant = config::closest(std::string(name), names);
  return Error{ErrorCode::kNotFound,
               fmt::format("there is no channel \"{}\"{}; there are: {}", name,
                           meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant),
                           fmt::join(names, ", ")),
               Cause::kLocal};
}

model::Notification trial_notification(std::string_view channel, std::string_view cluster,
                                       WallTime now) {
  model::Notification notification;
  notification.channel = channel;
  notification.why = model::Why::kTest;
  notification.created_at = now;
  auto& alert = notification.alerts.emplace_back();
  alert.id = alert::fingerprint("", "TestAlert", channel);
  alert.cluster = cluster;
  alert.rule = "TestAlert";
  alert.severity = model::Severity::kWarning;
  alert.summary = fmt::format("This tries out the channel {}: nothing is wrong.", channel);
  alert.detail = "Sent by etcd-monitor, because somebody asked for it.";
  alert.labels = {{"alertname", "TestAlert"}, {"cluster", alert.cluster}, {"severity", "warning"}};
  alert.starts_at = now;
  notification.group_key = alert.id;
  notification.dedup_key = alert.id;
  return notification;
}

Task<Result<api::ChannelTrial>> try_channel(const notify::ChannelRow& row,
                                            const AlertSettings& alerts,
                                            const notify::Services& services,
                                            model::Notification notification) {
  std::vector<std::string> complaints;
  for (const auto& complaint : row.complaints(alerts))
    complaints.push_back(
        fmt::format("alerts.{}.{}: {}", row.name, complaint.key, complaint.message));
  if (!complaints.empty()) {
    co_return Error{ErrorCode::kInvalidArgument, fmt::format("{}", fmt::join(complaints, "; ")),
                    Cause::kLocal};
  }
  const auto& common = row.common(alerts);
  api::ChannelTrial trial{.channel = std::string(row.name),
                          .message_id = message_id(notification),
                          .enabled = common.enabled};
  const auto channel = row.make(alerts, services);
  const auto began = services.clock.now().steady;
  trial.outcome = co_await channel->send(std::move(notification), began + common.timeout);
  trial.took = std::chrono::ceil<std::chrono::milliseconds>(services.clock.now().steady - began);
  co_return trial;
}

}  // namespace etcdmon::app
