#include "alert/routing/group.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alert/engine.hpp"

namespace etcdmon::alert {

using model::NotificationStatus;
using model::Severity;
using model::Why;

namespace {

// Time of the day and the ends of silences: muted alerts are looked at again this often.
constexpr std::chrono::seconds kMutedAgain{15};

// The entries by what has to be said about them.
struct Sorted {
  std::vector<GroupEntry*> fresh;  ///< fire, and nobody knows
  std::vector<GroupEntry*> worse;  ///< more severe than was told
  std::vector<GroupEntry*> over;   ///< told as firing, but ended
  std::vector<GroupEntry*> acked;  ///< acknowledged since
  std::vector<GroupEntry*> known;  ///< fire, are not muted, and somebody was told
  bool muted = false;
  bool unacknowledged = false;  ///< some of the known
  std::optional<Severity> known_severity;
  std::optional<std::string> acknowledged_by;
  std::optional<SteadyTime> soonest;  ///< when a held one may be told

  bool news() const { return !fresh.empty() || !worse.empty() || !over.empty() || !acked.empty(); }
  // Nobody waits for the interval with what is worse than all they know.
  bool urgent() const {
    return !worse.empty() || !acked.empty() || std::ranges::any_of(fresh, [this](const auto* e) {
      return known_severity && e->alert.severity > *known_severity;
    });
  }
};

void sooner(std::optional<SteadyTime>& time, SteadyTime candidate) {
  if (!time || candidate < *time) time = candidate;
}

Sorted sort_out(Group& group, Duration dedup_window, Now now,
                const std::map<std::string, Circumstances>& around) {
  Sorted sorted;
  for (auto& [id, entry] : group.entries) {
    const auto& at_it = around.at(id);
    auto& told = entry.told;
    if (entry.alert.resolved) {
      if (told && !told->resolved) sorted.over.push_back(&entry);
      continue;
    }
    if (at_it.muted) {
      sorted.muted = true;
      continue;
    }
    if (told && !told->resolved) {
      sorted.known.push_back(&entry);
      sorted.known_severity =
          std::max(sorted.known_severity.value_or(told->severity), told->severity);
      if (!at_it.acknowledged_by) sorted.unacknowledged = true;
      if (at_it.acknowledged_by) sorted.acknowledged_by = at_it.acknowledged_by;
      if (entry.acknowledged_news) sorted.acked.push_back(&entry);
      if (entry.alert.severity > told->severity) sorted.worse.push_back(&entry);
      continue;
    }
    if (told && now.steady - told->at.steady < dedup_window) {
      sooner(sorted.soonest, told->at.steady + dedup_window);
      continue;
    }
    sorted.fresh.push_back(&entry);
  }
  return sorted;
}

std::string names_of(const std::vector<GroupEntry*>& entries) {
  std::string text;
  for (const auto* entry : entries) {
    const auto& alert = entry->alert;
    if (!text.empty()) text += ", ";
    text += alert.subject.empty() ? alert.rule : alert.rule + " " + alert.subject;
  }
  return text;
}

std::string reason_of(const Sorted& sorted) {
  std::vector<std::string> parts;
  for (auto* entry : sorted.worse) {
    parts.push_back(fmt::format("{}: {} -> {}", names_of({entry}),
                                model::name_of(entry->told->severity),
                                model::name_of(entry->alert.severity)));
  }
  if (!sorted.fresh.empty()) parts.push_back("joined: " + names_of(sorted.fresh));
  if (!sorted.over.empty()) parts.push_back("resolved: " + names_of(sorted.over));
  if (!sorted.acked.empty() && sorted.acknowledged_by)
    parts.push_back("acknowledged by " + *sorted.acknowledged_by);
  return fmt::format("{}", fmt::join(parts, "; "));
}

// Which message, if any, is due; without it, when it would be.
struct Due {
  std::optional<Why> why;
  std::string reason;
  std::optional<SteadyTime> later;
};

std::optional<SteadyTime> escalation_due(const Group& group, const Route& route,
                                         const Sorted& sorted,
                                         const std::map<std::string, Circumstances>& around) {
  if (!route.escalate_after || group.escalated) return std::nullopt;
  std::optional<SteadyTime> due;
  for (const auto* entry : sorted.known) {
    const bool waits = entry->told->severity == Severity::kCritical && entry->told->firing &&
                       !around.at(entry->alert.id).acknowledged_by;
    if (waits) sooner(due, entry->told->firing->steady + *route.escalate_after);
  }
  return due;
}

Due news_due(const Group& group, const Route& route, const Sorted& sorted, Now now) {
  Due due;
  const auto allowed = group.last_sent ? group.last_sent->steady + route.group_interval
                                       : group.first_seen.steady + route.group_wait;
  if (!sorted.urgent() && now.steady < allowed) {
    due.later = allowed;
    return due;
  }
  const bool all_over = sorted.known.empty() && sorted.fresh.empty();
  const bool first = sorted.known.empty() && sorted.over.empty();
  due.why = first ? Why::kNew : all_over ? Why::kResolved : Why::kChanged;
  if (*due.why == Why::kChanged) due.reason = reason_of(sorted);
  return due;
}

Due find_due(const Group& group, const Route& route, const Sorted& sorted, Now now,
             const std::map<std::string, Circumstances>& around) {
  Due due;
  if (sorted.news()) {
    due = news_due(group, route, sorted, now);
    if (due.why) return due;
  }
  if (const auto escalate = escalation_due(group, route, sorted, around)) {
    if (now.steady >= *escalate) {
      due.why = Why::kEscalated;
      due.reason = "nobody acknowledged it within " + format_duration(*route.escalate_after);
      return due;
    }
    sooner(due.later, *escalate);
  }
  if (sorted.unacknowledged && group.last_sent) {
    const auto repeat = group.last_sent->steady + route.repeat_interval;
    if (now.steady >= repeat) {
      due.why = Why::kRepeat;
      return due;
    }
    sooner(due.later, repeat);
  }
  return due;
}

model::Notification message_of(const Group& group, const Sorted& sorted, Due due, Now now) {
  model::Notification message;
  message.group_key = group.key;
  message.group_labels = group.labels;
  message.why = *due.why;
  message.reason = std::move(due.reason);
  message.created_at = now.wall;
  for (const auto* entry : sorted.known) message.alerts.push_back(entry->alert);
  for (const auto* entry : sorted.fresh) message.alerts.push_back(entry->alert);
  const bool firing = !message.alerts.empty();
  std::ranges::stable_sort(message.alerts, std::ranges::greater(), &model::NotifiedAlert::severity);
  for (const auto* entry : sorted.over) message.alerts.push_back(entry->alert);
  const bool acknowledged = sorted.fresh.empty() && !sorted.unacknowledged;
  message.status = !firing        ? NotificationStatus::kResolved
                   : acknowledged ? NotificationStatus::kAcknowledged
                                  : NotificationStatus::kFiring;
  message.dedup_key = dedup_key_of(group);
  return message;
}

void note_told(Group& group, const Sorted& sorted, Why why, Now now) {
  if (why == Why::kResolved) {
    // The far side closes the whole matter: what is muted meanwhile will be news again.
    for (auto& [id, entry] : group.entries) {
      if (entry.told && !entry.told->resolved && !entry.alert.resolved) {
        entry.told->resolved = true;
        entry.told->at = now;
      }
    }
  }
  for (auto* entry : sorted.fresh) {
    entry->told = Told{entry->alert.severity, false, now, now};
    entry->acknowledged_news = false;
  }
  for (auto* entry : sorted.worse) {
    entry->told->severity = entry->alert.severity;
    entry->told->at = now;
  }
  for (auto* entry : sorted.over) {
    entry->told->resolved = true;
    entry->told->at = now;
    entry->told->firing.reset();
  }
  for (auto* entry : sorted.acked) entry->acknowledged_news = false;
  if (why == Why::kEscalated) group.escalated = true;
  group.last_sent = now;
  ++group.messages;
}

// What ended and was told, or ended before anybody was told. Flapping is known for as long as the
// window.
void forget_ended(Group& group, Duration dedup_window, Now now, std::optional<SteadyTime>& again) {
  for (auto entry = group.entries.begin(); entry != group.entries.end();) {
    const auto& [alert, told, acknowledged] = entry->second;
    const bool telling = told && !told->resolved;
    const bool recent = told && told->resolved && now.steady - told->at.steady < dedup_window;
    if (!alert.resolved || telling || recent) {
      if (alert.resolved && recent) sooner(again, told->at.steady + dedup_window);
      ++entry;
      continue;
    }
    entry = group.entries.erase(entry);
  }
}

}  // namespace

std::string dedup_key_of(const Group& group) {
  if (group.each_alone && !group.entries.empty()) return group.entries.begin()->first;
  return fingerprint("group", group.key, "");
}

GroupVerdict settle_group(Group& group, const Route& route, Duration dedup_window, Now now,
                          const std::map<std::string, Circumstances>& around) {
  GroupVerdict verdict;
  auto sorted = sort_out(group, dedup_window, now, around);
  auto due = find_due(group, route, sorted, now, around);
  verdict.look_again = due.later;
  if (due.why) {
    const auto why = *due.why;
    verdict.channels = why == Why::kEscalated ? std::vector<std::string>() : route.channels;
    if (why == Why::kEscalated || group.escalated) {
      for (const auto& channel : route.escalate_to) {
        if (std::ranges::find(verdict.channels, channel) == verdict.channels.end())
          verdict.channels.push_back(channel);
      }
    }
    verdict.message = message_of(group, sorted, std::move(due), now);
    note_told(group, sorted, why, now);
    // What is due next follows from what was told just now.
    sorted = sort_out(group, dedup_window, now, around);
    verdict.look_again = find_due(group, route, sorted, now, around).later;
    if (sorted.known.empty()) group.escalated = false;
  }
  if (sorted.soonest) sooner(verdict.look_again, *sorted.soonest);
  if (sorted.muted) sooner(verdict.look_again, now.steady + kMutedAgain);
  forget_ended(group, dedup_window, now, verdict.look_again);
  verdict.over = group.entries.empty();
  return verdict;
}

}  // namespace etcdmon::alert
