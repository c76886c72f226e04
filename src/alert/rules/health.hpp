// alert/rules/health.hpp: what the mixin does not see: risk, alarms, lag, watchers, compaction,
// descriptors, backups.
#pragma once

#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

/// One more failure ends the service. Clusters of one or two voters are always so: an info.
void quorum_at_risk(const RuleInput& input, std::vector<Finding>& findings);
/// Any alarm, of kinds that are not known yet, too.
void alarm_active(const RuleInput& input, std::vector<Finding>& findings);
/// First signs of a cut link, before the matrix can name it.
void partition_suspected(const RuleInput& input, std::vector<Finding>& findings);

/// Entries that a follower is behind the leader.
void follower_lag(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_follower_lag(const RuleInput& input, const Reading& reading, double limit, Finding& out);

void say_apply_lag(const RuleInput& input, const Reading& reading, double limit, Finding& out);
void say_pending_proposals(const RuleInput& input, const Reading& reading, double limit,
                           Finding& out);
void say_heartbeat_failures(const RuleInput& input, const Reading& reading, double limit,
                            Finding& out);

/// Watchers that have fallen behind, while events wait for them.
void slow_watchers(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_slow_watchers(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// Revisions written since history was last compacted; 0 while that is less than two hours ago.
void revisions_kept(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_compaction_stalled(const RuleInput& input, const Reading& reading, double limit,
                            Finding& out);

void say_fds(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// How many times longer than it should a defragmentation has taken.
void defrag_overrun(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_defrag_overrun(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// Seconds since the newest verified backup.
void backup_age(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_backup_age(const RuleInput& input, const Reading& reading, double limit, Finding& out);

}  // namespace etcdmon::alert
