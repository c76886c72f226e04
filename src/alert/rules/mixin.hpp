// alert/rules/mixin.hpp: the alerts of etcd's own mixin, without their faults.
#pragma once

#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

/// Listed members that do not answer, or that their peers cannot reach.
void members_down(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_members_down(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// Voters that are alive, against the quorum of the member list: learners and removed members
/// count on neither side.
void insufficient_members(const RuleInput& input, RuleMemory& memory,
                          std::vector<Reading>& readings);
void say_insufficient_members(const RuleInput& input, const Reading& reading, double limit,
                              Finding& out);

/// 1 where a member knows a leader, by its Status or its page, whichever is fresher.
void has_leader(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_no_leader(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// Changes of leader within 15 minutes.
void leader_changes_15m(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_leader_changes_15m(const RuleInput& input, const Reading& reading, double limit,
                            Finding& out);

/// Percent of unary calls that ended with a code that blames the server; members with less than
/// two calls a second have no reading, as one failure among few is no rate.
void failed_requests(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_failed_requests(const RuleInput& input, const Reading& reading, double limit,
                         Finding& out);

/// The slowest of what is known of whole requests: the server's own histograms where this version
/// has them, else our probes (whose 95th percentile stands in while there are few).
void slow_requests(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_slow_requests(const RuleInput& input, const Reading& reading, double limit, Finding& out);

void say_slow_peers(const RuleInput& input, const Reading& reading, double limit, Finding& out);
void say_failed_proposals(const RuleInput& input, const Reading& reading, double limit,
                          Finding& out);
void say_slow_fsync(const RuleInput& input, const Reading& reading, double limit, Finding& out);
void say_slow_commit(const RuleInput& input, const Reading& reading, double limit, Finding& out);
void say_quota(const RuleInput& input, const Reading& reading, double limit, Finding& out);
void say_growth(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// In use in percent of the file, of databases that use more than 100 MiB.
void used_share(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_fragmentation(const RuleInput& input, const Reading& reading, double limit, Finding& out);

}  // namespace etcdmon::alert
