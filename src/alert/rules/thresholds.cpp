#include "alert/rules/thresholds.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace etcdmon::alert {

namespace {

struct SizeLimit {
  double bytes = 0;
  bool is_quota = false;
};

SizeLimit size_limit(const RuleInput& input, std::size_t member) {
  SizeLimit limit{static_cast<double>(input.thresholds.max_db_size.value), false};
  const auto quota = input.members[member].values.get(model::Metric::kDbQuota);
  if (quota && *quota > 0 && *quota < limit.bytes) limit = {*quota, true};
  return limit;
}

}  // namespace

void high_latency(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto median = input.members[i].read_probe_median_1m_ms;
    if (median) readings.push_back({.member = i, .value = *median / 1e3});
  }
}

void say_high_latency(const RuleInput& input, const Reading& reading, double limit, Finding& out) {
  out.summary =
      fmt::format("reads through {} take {:.0f} ms (median of one minute), more than {:.0f} ms",
                  subject_of(input.seen.members[reading.member]), reading.value * 1e3, limit * 1e3);
  out.detail = "measured by this monitor's own linearizable reads";
}

void database_size(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.seen.members.size(); ++i) {
    const auto& facts = input.seen.members[i];
    if (!facts.status || facts.entry.id.none()) continue;
    const auto size = static_cast<double>(facts.status->db_size);
    readings.push_back({.member = i, .value = 100 * size / size_limit(input, i).bytes});
  }
}

void say_database_size(const RuleInput& input, const Reading& reading, double /*limit*/,
                       Finding& out) {
  const auto& facts = input.seen.members[reading.member];
  const auto limit = size_limit(input, reading.member);
  const auto& status = *facts.status;
  out.summary = fmt::format("database of {} is {:.0f} % full: {} of {} ({})", subject_of(facts),
                            reading.value, human_bytes(status.db_size),
                            human_bytes(static_cast<std::uint64_t>(limit.bytes)),
                            limit.is_quota ? "its quota" : "--max-db-size-mb");
  const auto used = status.db_size_in_use;
  if (!used) return;
  out.detail = fmt::format("{} in use; defragmenting would free {}", human_bytes(*used),
                           human_bytes(status.db_size - std::min(*used, status.db_size)));
}

void available_nodes(const RuleInput& input, RuleMemory& /*memory*/,
                     std::vector<Reading>& readings) {
  const auto& quorum = input.assessment.quorum;
  if (quorum.voters == 0) return;
  const int wanted =
      std::min(quorum.voters, std::max(input.thresholds.min_available_nodes, quorum.quorum_size));
  readings.push_back(
      {.value = static_cast<double>(quorum.available), .limit = static_cast<double>(wanted)});
}

void say_available_nodes(const RuleInput& input, const Reading& /*reading*/, double limit,
                         Finding& out) {
  const auto& quorum = input.assessment.quorum;
  out.summary = fmt::format("{} of {} voting members available, at least {:.0f} wanted",
                            quorum.available, quorum.voters, limit);
  out.detail = fmt::format("quorum is {}", quorum.quorum_size);
}

void leader_changes(const RuleInput& input, RuleMemory& /*memory*/,
                    std::vector<Reading>& readings) {
  readings.push_back({.value = static_cast<double>(input.assessment.leader.changes_1h)});
}

void say_leader_changes(const RuleInput& input, const Reading& reading, double limit,
                        Finding& out) {
  const auto& history = input.assessment.leader.history;
  out.summary =
      fmt::format("{:.0f} leader changes within an hour, more than {:.0f}", reading.value, limit);
  if (!history.empty()) out.detail = history.back().reason;
}

}  // namespace etcdmon::alert
