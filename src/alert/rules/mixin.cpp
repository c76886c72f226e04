#include "alert/rules/mixin.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace etcdmon::alert {

namespace {

using model::Metric;
using std::chrono::minutes;

std::string who(const RuleInput& input, const Reading& reading) {
  return subject_of(input.seen.members[reading.member]);
}

std::string ms(double seconds) {
  return fmt::format("{:.3g} ms", seconds * 1e3);
}

std::string size_of(const RuleInput& input, const Reading& reading, Metric metric) {
  const auto value = input.members[reading.member].values.get(metric);
  return value ? human_bytes(static_cast<std::uint64_t>(std::max(0.0, *value))) : "?";
}

// Its peers have lost it although it may answer us.
bool is_cut_off(const RuleInput& input, MemberId id) {
  const auto& matrix = input.assessment.peers;
  const auto at = std::ranges::find(matrix.members, id);
  if (at == matrix.members.end() || matrix.members.size() < 2) return false;
  const auto column = static_cast<std::size_t>(at - matrix.members.begin());
  for (std::size_t row = 0; row < matrix.members.size(); ++row) {
    if (row != column && matrix.at(row, column) != model::LinkState::kCut) return false;
  }
  return true;
}

bool is_down(const RuleInput& input, std::size_t i) {
  const auto& member = input.assessment.members[i];
  if (member.id.none() || member.reach == model::Reach::kUnknown) return false;
  return !model::is_alive(member.reach) || is_cut_off(input, member.id);
}

std::optional<double> larger(std::optional<double> a, std::optional<double> b) {
  if (!a) return b;
  return b ? std::max(*a, *b) : a;
}

}  // namespace

void members_down(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  if (input.assessment.members.empty()) return;
  double down = 0;
  for (std::size_t i = 0; i < input.assessment.members.size(); ++i) down += is_down(input, i);
  readings.push_back({.value = down});
}

void say_members_down(const RuleInput& input, const Reading& reading, double /*limit*/,
                      Finding& out) {
  std::string names;
  for (std::size_t i = 0; i < input.assessment.members.size(); ++i) {
    if (!is_down(input, i)) continue;
    const auto& member = input.assessment.members[i];
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ",
                         member.name.empty() ? to_hex(member.id) : member.name,
                         model::name_of(member.reach));
  }
  out.summary = fmt::format("{:.0f} member{} down", reading.value, reading.value > 1 ? "s" : "");
  out.detail = std::move(names);
}

void insufficient_members(const RuleInput& input, RuleMemory& /*memory*/,
                          std::vector<Reading>& readings) {
  const auto& quorum = input.assessment.quorum;
  if (quorum.voters == 0) return;
  readings.push_back({.value = static_cast<double>(quorum.available),
                      .limit = static_cast<double>(quorum.quorum_size)});
}

void say_insufficient_members(const RuleInput& input, const Reading& reading, double limit,
                              Finding& out) {
  out.summary = fmt::format("{:.0f} of {} voters alive, {:.0f} needed for quorum", reading.value,
                            input.assessment.quorum.voters, limit);
  out.detail = "voters of the member list; learners do not count";
}

void has_leader(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto value = input.members[i].values.get(Metric::kHasLeader);
    if (value && model::is_alive(input.assessment.members[i].reach))
      readings.push_back({.member = i, .value = *value});
  }
}

void say_no_leader(const RuleInput& input, const Reading& reading, double /*limit*/, Finding& out) {
  out.summary = fmt::format("member {} knows no leader", who(input, reading));
  out.detail = "it takes no writes, and its linearizable reads fail";
}

void leader_changes_15m(const RuleInput& input, RuleMemory& /*memory*/,
                        std::vector<Reading>& readings) {
  const auto since = input.seen.at.steady - minutes(15);
  const auto& history = input.assessment.leader.history;
  const auto recent = std::ranges::count_if(
      history, [&](const model::LeaderChange& change) { return change.at_steady > since; });
  readings.push_back({.value = static_cast<double>(recent)});
}

void say_leader_changes_15m(const RuleInput& input, const Reading& reading, double /*limit*/,
                            Finding& out) {
  const auto& history = input.assessment.leader.history;
  out.summary = fmt::format("{:.0f} leader changes within 15 minutes", reading.value);
  if (!history.empty()) out.detail = history.back().reason;
}

void failed_requests(const RuleInput& input, RuleMemory& /*memory*/,
                     std::vector<Reading>& readings) {
  constexpr double kLeastRate = 2;
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto ratio = input.members[i].values.get(Metric::kErrorRatio);
    const auto rate = input.members[i].values.get(Metric::kRequestRate);
    if (!ratio) continue;
    readings.push_back({.member = i, .value = rate && *rate >= kLeastRate ? 100 * *ratio : 0});
  }
}

void say_failed_requests(const RuleInput& input, const Reading& reading, double /*limit*/,
                         Finding& out) {
  out.summary =
      fmt::format("{:.1f} % of the requests to {} fail", reading.value, who(input, reading));
  out.detail = fmt::format(
      "{:.1f} requests per second over five minutes; failures that blame the server: Unknown, "
      "FailedPrecondition, ResourceExhausted, Internal, Unavailable, DataLoss, DeadlineExceeded",
      input.members[reading.member].values.get(Metric::kRequestRate).value_or(0));
}

void slow_requests(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto& values = input.members[i].values;
    auto slowest = larger(values.get(Metric::kServerReadP99), values.get(Metric::kServerWriteP99));
    if (!slowest) {
      auto read = values.get(Metric::kProbeReadP99);
      if (!read) read = values.get(Metric::kProbeReadP95);
      slowest = larger(read, values.get(Metric::kProbeStatusP99));
    }
    if (slowest) readings.push_back({.member = i, .value = *slowest});
  }
}

void say_slow_requests(const RuleInput& input, const Reading& reading, double /*limit*/,
                       Finding& out) {
  const auto& member = input.members[reading.member];
  const auto& family =
      member.read_latency_source.empty() ? member.write_latency_source : member.read_latency_source;
  out.summary = fmt::format("requests to {} take {} (99th percentile)", who(input, reading),
                            ms(reading.value));
  out.detail = family.empty() ? "as this monitor's own reads and Status calls measure it: this "
                                "etcd tells no times of whole requests"
                              : fmt::format("as the server measures it: {}", family);
}

void say_slow_peers(const RuleInput& input, const Reading& reading, double /*limit*/,
                    Finding& out) {
  out.summary = fmt::format("{} needs {} to its slowest peer and back (99th percentile)",
                            who(input, reading), ms(reading.value));
}

void say_failed_proposals(const RuleInput& input, const Reading& reading, double /*limit*/,
                          Finding& out) {
  out.summary =
      fmt::format("{:.1f} proposals per second fail on {}", reading.value, who(input, reading));
  out.detail = "over five minutes; proposals fail while there is no leader or no quorum";
}

void say_slow_fsync(const RuleInput& input, const Reading& reading, double /*limit*/,
                    Finding& out) {
  out.summary = fmt::format("the write-ahead log of {} takes {} to sync (99th percentile)",
                            who(input, reading), ms(reading.value));
  out.detail = "a good disk stays under 10 ms; late heartbeats and elections follow";
}

void say_slow_commit(const RuleInput& input, const Reading& reading, double /*limit*/,
                     Finding& out) {
  out.summary = fmt::format("the database of {} takes {} to commit (99th percentile)",
                            who(input, reading), ms(reading.value));
  out.detail = "a good disk stays under 25 ms";
}

void say_quota(const RuleInput& input, const Reading& reading, double /*limit*/, Finding& out) {
  const auto& values = input.members[reading.member].values;
  out.summary = fmt::format(
      "database of {} is {:.0f} % of its quota: {} of {}", who(input, reading), reading.value,
      size_of(input, reading, Metric::kDbSize), size_of(input, reading, Metric::kDbQuota));
  out.detail = fmt::format("{} in use", size_of(input, reading, Metric::kDbSizeInUse));
  const auto growth = values.get(Metric::kDbGrowthRate);
  const auto left =
      values.get(Metric::kDbQuota).value_or(0) - values.get(Metric::kDbSize).value_or(0);
  if (!growth || *growth <= 0 || left <= 0) return;
  const double hours = left / *growth / 3600;
  if (hours < 24 * 30) out.detail += fmt::format("; full in {:.1f} hours at this growth", hours);
}

void say_growth(const RuleInput& input, const Reading& reading, double /*limit*/, Finding& out) {
  out.summary = fmt::format("database of {} will reach {:.0f} % of its quota within four hours",
                            who(input, reading), reading.value);
  out.detail = fmt::format("now {} of {}; a line through the last four hours leads to {}",
                           size_of(input, reading, Metric::kDbSize),
                           size_of(input, reading, Metric::kDbQuota),
                           size_of(input, reading, Metric::kDbSizeIn4h));
}

void used_share(const RuleInput& input, RuleMemory& /*memory*/, std::vector<Reading>& readings) {
  constexpr double kWorthIt = 100.0 * (1U << 20U);
  for (std::size_t i = 0; i < input.members.size(); ++i) {
    const auto used = input.members[i].values.get(Metric::kDbSizeInUse);
    const auto size = input.members[i].values.get(Metric::kDbSize);
    if (!used || !size || *size <= 0) continue;
    readings.push_back({.member = i, .value = *used > kWorthIt ? 100 * *used / *size : 100});
  }
}

void say_fragmentation(const RuleInput& input, const Reading& reading, double /*limit*/,
                       Finding& out) {
  out.summary =
      fmt::format("only {:.0f} % of the database file of {} is in use: {} of {}", reading.value,
                  who(input, reading), size_of(input, reading, Metric::kDbSizeInUse),
                  size_of(input, reading, Metric::kDbSize));
  out.detail = "defragmenting gives the rest back to the disk";
}

}  // namespace etcdmon::alert
