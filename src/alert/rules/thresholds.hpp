// alert/rules/thresholds.hpp: the rules behind the threshold flags.
#pragma once

#include <vector>

#include "alert/rule.hpp"

namespace etcdmon::alert {

/// `--max-latency-ms`: seconds, the median of the linearizable-read probe over one minute, per
/// member.
void high_latency(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_high_latency(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// `--max-db-size-mb`: the database's size in percent of min(limit, quota), per member.
void database_size(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_database_size(const RuleInput& input, const Reading& reading, double limit, Finding& out);

/// `--min-available-nodes`: live voters against min(voters, max(limit, quorum)).
void available_nodes(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_available_nodes(const RuleInput& input, const Reading& reading, double limit,
                         Finding& out);

/// `--max-leader-changes`: per hour.
void leader_changes(const RuleInput& input, RuleMemory& memory, std::vector<Reading>& readings);
void say_leader_changes(const RuleInput& input, const Reading& reading, double limit, Finding& out);

}  // namespace etcdmon::alert
