// alert/routing/group.hpp: alerts that share messages: what is to be told about them now, and when
// to look again.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alert/routing/route.hpp"
#include "model/notification.hpp"

namespace etcdmon::alert {

/// What the group's channels were last told about one alert.
struct Told {
  model::Severity severity = model::Severity::kWarning;
  bool resolved = false;
  Now at;                     ///< the last message that said something new about it
  std::optional<Now> firing;  ///< since when they know that it fires
};

struct GroupEntry {
  model::NotifiedAlert alert;  ///< as last seen; `resolved` once it ended
  std::optional<Told> told;
  bool acknowledged_news = false;  ///< acknowledged since the last message
};

/// Saved as it is, so that a restart repeats nothing and forgets nothing.
struct Group {
  std::string key;                            ///< unique over all routes
  std::string route;                          ///< the route's name
  std::map<std::string, std::string> labels;  ///< the values that its alerts share
  bool each_alone = false;                    ///< one alert only: its id is the dedup key
  std::map<std::string, GroupEntry> entries;  ///< by alert id
  Now first_seen;                             ///< since when it has something untold
  std::optional<Now> last_sent;
  std::uint32_t messages = 0;
  bool escalated = false;
};

/// What the world around a group says about one of its alerts.
struct Circumstances {
  bool muted = false;  ///< silenced, inhibited, or a bad time
  std::optional<std::string> acknowledged_by;
};

/// Of every message about this group.
std::string dedup_key_of(const Group& group);

struct GroupVerdict {
  /// One message for `channels`, without a channel's name; nullopt: nothing to say now.
  std::optional<model::Notification> message;
  std::vector<std::string> channels;
  /// When to look again if nothing happens; nullopt: never.
  std::optional<SteadyTime> look_again;
  bool over = false;  ///< nothing is left to tell: the group can be forgotten
};

/// Looks at a group and, where something has to be told, notes that it was told. Pure but for
/// `group`. `around` has a value for every entry.
GroupVerdict settle_group(Group& group, const Route& route, Duration dedup_window, Now now,
                          const std::map<std::string, Circumstances>& around);

}  // namespace etcdmon::alert
