// notify/text.hpp: what a notification says to people, in the words that all channels share: pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/notification.hpp"

namespace etcdmon::notify {

/// "CRITICAL QuorumLost on prod-a", "RESOLVED HighLatency on prod-a/infra1", "2 alerts on prod-a
/// (critical): QuorumLost, NoLeader".
std::string title(const model::Notification& notification);

/// "new", "changed: warning -> critical", "reminder: nothing has changed", "escalated: …".
std::string why_now(const model::Notification& notification);

/// What an alert is about, named: cluster, subject, value, threshold, since.
std::vector<std::pair<std::string, std::string>> facts(const model::NotifiedAlert& alert);

/// Where an alert is explained, as a URL where it can be one: an absolute one as it is, a path
/// below `external_url`, else the path itself.
std::string runbook_link(const model::NotifiedAlert& alert, std::string_view external_url);

/// "CRITICAL", "RESOLVED".
std::string shout(const model::NotifiedAlert& alert);

/// Title, then each alert with its facts, one a line: mail, chats without markup, programs.
std::string plain_text(const model::Notification& notification, std::string_view external_url);

/// At most `limit` bytes, never cutting a UTF-8 character, with "…" where something is missing.
std::string shortened(std::string text, std::size_t limit);

/// FNV-1a of it in 16 hex digits: the same on every machine and in every version.
std::string stable_hash(std::string_view text);

/// A number as people read it: 0.25, 1200000, 3.
std::string number_text(double value);

}  // namespace etcdmon::notify
