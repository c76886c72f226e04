// model/notification.hpp: one message to one channel: which alerts it is about, and why it is sent
// now.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/verdict.hpp"

namespace etcdmon::model {

/// Why somebody is told now.
enum class Why : std::uint8_t {
  kNew,        ///< an alert of the group fires, and nobody was told of it
  kChanged,    ///< it became worse, or alerts joined or left the group
  kRepeat,     ///< nothing changed, but the repeat interval is over
  kResolved,   ///< none of the group's alerts fires any more
  kEscalated,  ///< nobody acknowledged it in time
  kTest,       ///< somebody wants to see whether the channel works
};
std::string_view name_of(Why why);  ///< "new"
std::optional<Why> parse_why(std::string_view name);

enum class NotificationStatus : std::uint8_t { kFiring, kAcknowledged, kResolved };
std::string_view name_of(NotificationStatus status);  ///< "firing"
std::optional<NotificationStatus> parse_notification_status(std::string_view name);

/// An alert as it was when the notification was made.
struct NotifiedAlert {
  std::string id;  ///< Alert::id: services that keep an incident an alert know it by this
  std::string cluster;
  std::string rule;
  std::string subject;  ///< empty: the cluster
  Severity severity = Severity::kWarning;
  bool resolved = false;
  std::string summary;  ///< one line
  std::string detail;
  std::optional<double> value;
  std::optional<double> threshold;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string runbook;  ///< URL or path; empty: none
  WallTime starts_at;
  std::optional<WallTime> ends_at;  ///< once resolved

  bool operator==(const NotifiedAlert&) const = default;
};

/// What the outbox keeps and a channel sends. It is complete: whoever sends it needs no look at the
/// present state, so it can be sent after a restart, or by another monitor.
struct Notification {
  std::string channel;    ///< who is told, by the channel's configured name: "slack"
  std::string group_key;  ///< the same for all messages of one group: mail threads by it
  std::map<std::string, std::string> group_labels;  ///< what the alerts have in common by design
  /// The same for all messages about one thing: the alert's id, or a hash of the group's key where
  /// several alerts go together. Never random, so that two monitors, or one that died between
  /// sending and noting it, say the same.
  std::string dedup_key;
  NotificationStatus status = NotificationStatus::kFiring;
  Why why = Why::kNew;
  std::string reason;  ///< a few words more than `why`: "warning -> critical"; may be empty
  std::vector<NotifiedAlert> alerts;  ///< never empty; the most severe first
  WallTime created_at;

  bool operator==(const Notification&) const = default;
};

/// Identity of one message: equal for each attempt to send it, different for the next message of
/// the same group. Receivers may use it as an idempotency key.
std::string message_id(const Notification& notification);

/// The worst among those that fire; of all of them where none does.
Severity severity_of(const Notification& notification);

}  // namespace etcdmon::model
