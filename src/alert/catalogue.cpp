// The registry of built-in rules: one row each.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "alert/rule.hpp"
#include "alert/rules/dead_rule.hpp"
#include "alert/rules/health.hpp"
#include "alert/rules/known_versions.hpp"
#include "alert/rules/mixin.hpp"
#include "alert/rules/readings.hpp"
#include "alert/rules/thresholds.hpp"
#include "alert/rules/verdicts.hpp"

namespace etcdmon::alert {

namespace {

using namespace std::chrono_literals;
using model::Check;
using model::Metric;
using std::chrono::seconds;
using enum Rule::Beyond;

constexpr std::nullopt_t kOff = std::nullopt;

using Names = std::span<const std::string_view>;
constexpr std::array<std::string_view, 1> kQuorumLost{"QuorumLost"};
constexpr std::array<std::string_view, 2> kAlarms{"AlarmNospace", "AlarmCorrupt"};
constexpr std::array<std::string_view, 1> kPartition{"Partition"};
constexpr std::array<std::string_view, 2> kRiskTold{"QuorumLost", "AvailableNodes"};
constexpr std::array<std::string_view, 2> kFull{"QuotaSteps", "etcdDatabaseQuotaLowSpace"};
constexpr std::array<std::string_view, 3> kMembersTold{"MemberUnreachable", "MemberHung",
                                                       "Partition"};
constexpr std::array<std::string_view, 3> kLeaderTold{"NoLeader", "QuorumLost", "Partition"};
constexpr std::array<std::string_view, 1> kLeaderChanges{"LeaderChanges"};
constexpr std::array<std::string_view, 1> kFsync{"etcdHighFsyncDurations"};
constexpr std::array<std::string_view, 1> kCommit{"etcdHighCommitDurations"};
constexpr std::array<std::string_view, 1> kDivergence{"RevisionDivergence"};

constexpr Waits all(seconds wait) {
  return {wait, wait, wait};
}

template <Check C>
Rule verdict(seconds wait, seconds keep, std::string_view help) {
  return {.name = model::name_of(C),
          .help = help,
          .tuning = {.wait = all(wait), .keep = keep},
          .find = &verdict_is<C>};
}

template <Check C>
Rule absence(seconds wait, seconds keep, std::string_view help) {
  auto rule = verdict<C>(wait, keep, help);
  rule.absence = true;
  return rule;
}

Rule finder(std::string_view name, Rule::Find find, Waits wait, seconds keep, std::string_view help,
            Names yields_to = {}) {
  return {.name = name,
          .help = help,
          .tuning = {.wait = wait, .keep = keep},
          .find = find,
          .yields_to = yields_to};
}

// What the rule measures, and how it is said.
struct Gauge {
  Rule::Measure measure;
  Rule::Say say;
  Unit unit = Unit::kNone;
  Rule::Beyond beyond = kAbove;
};

// `limits` in the order info, warning, critical.
Rule limit(std::string_view name, const Gauge& gauge, const Limits& limits, Waits wait,
           std::string_view help, Names yields_to = {}) {
  return {.name = name,
          .help = help,
          .tuning = {.limits = limits, .wait = wait, .keep = 60s},
          .measure = gauge.measure,
          .say = gauge.say,
          .unit = gauge.unit,
          .beyond = gauge.beyond,
          .yields_to = yields_to};
}

// Quantiles that need requests, lines that need hours, backups that nobody told of.
constexpr std::array<std::string_view, 9> kMayBeBlind{"BackupAge",
                                                      "HighLatency",
                                                      "etcdGRPCRequestsSlow",
                                                      "FsyncSlow",
                                                      "CommitSlow",
                                                      "etcdMemberCommunicationSlow",
                                                      "etcdHighFsyncDurations",
                                                      "etcdHighCommitDurations",
                                                      "etcdExcessiveDatabaseGrowth"};

std::vector<Rule> verdict_rules() {
  return {
      verdict<Check::kQuorumLost>(
          5s, 10s, "No voter completes a linearizable read: the cluster takes no writes."),
      verdict<Check::kNoLeader>(3s, 10s, "No leader for longer than an election takes."),
      verdict<Check::kSplitBrain>(0s, 30s, "Two members lead and both serve linearizable reads."),
      verdict<Check::kLeaderDisputed>(
          10s, 10s, "Two members claim leadership, without proof that both serve."),
      verdict<Check::kDataDivergence>(0s, 300s,
                                      "Members hash the same revision differently, seen twice."),
      verdict<Check::kAlarmCorrupt>(0s, 30s, "etcd raised CORRUPT."),
      verdict<Check::kAlarmNospace>(0s, 30s, "etcd raised NOSPACE: writes are refused."),
      verdict<Check::kClusterIdMismatch>(0s, 30s, "Endpoints belong to different clusters."),
      verdict<Check::kPartition>(10s, 20s,
                                 "Members cannot reach one another; the cut links are named."),
      absence<Check::kMemberUnreachable>(120s, 10s, "A member does not answer."),
      absence<Check::kMemberHung>(60s, 10s,
                                  "A member's connection stands, but nothing answers on it."),
      verdict<Check::kBackendBusy>(
          120s, 10s, "A member's backend has held up Status for long, though the process answers."),
      verdict<Check::kNotAuthorised>(60s, 30s, "The monitor's user may not ask what it needs."),
      verdict<Check::kMisAddressed>(60s, 30s, "Somebody else answers at a member's URL."),
      verdict<Check::kEndpointUnusable>(60s, 30s,
                                        "A configured endpoint is no etcd, or cannot be reached."),
      verdict<Check::kMetricsUnavailable>(120s, 30s, "A member's /metrics cannot be had."),
      verdict<Check::kReadFailing>(30s, 10s, "A member answers Status, but not reads."),
      verdict<Check::kMemberListDisagreement>(30s, 30s, "Members see different member lists."),
      verdict<Check::kLeaderViewDisagreement>(30s, 30s, "Members name different leaders for long."),
      verdict<Check::kRevisionDivergence>(0s, 30s,
                                          "Members that stand still hold different revisions."),
      verdict<Check::kCrashLoop>(0s, 300s, "A member starts again and again."),
      verdict<Check::kLearnerLagging>(300s, 60s, "A learner does not catch up."),
      verdict<Check::kMemberUnstarted>(300s, 30s,
                                       "An added member has not started; it counts as a voter."),
      verdict<Check::kVersionSkew>(
          60s, 60s, "Members run different versions for longer than an upgrade takes."),
      verdict<Check::kCertificateExpiry>(0s, 3600s, "A certificate expires soon, or has."),
      verdict<Check::kMonitorStalled>(
          60s, 60s, "This monitor is starved of CPU; its own judgements are late."),
      verdict<Check::kMonitorIsolated>(
          30s, 10s, "All members fell silent at once: suspect the monitor's own network."),
  };
}

std::vector<Rule> more_rules() {
  return {
      finder("AlarmActive", &alarm_active, all(60s), 60s,
             "etcd has raised an alarm, of whatever kind.", kAlarms),
      finder("PartitionSuspected", &partition_suspected, all(30s), 20s,
             "First signs of a cut link, before the matrix can name it.", kPartition),
      limit("RevisionStall", {&follower_lag, &say_follower_lag}, {kOff, 1000.0, kOff}, all(60s),
            "A follower stays behind the leader.", kDivergence),
      limit("ApplyLag", {&value_of<Metric::kApplyLag>, &say_apply_lag}, {kOff, 1000.0, 4000.0},
            all(60s), "Committed entries wait to be applied; etcd refuses requests at 5000."),
      limit("PendingProposals", {&value_of<Metric::kProposalsPending>, &say_pending_proposals},
            {kOff, 5.0, kOff}, all(300s), "Proposals pile up before they are committed."),
      limit("HeartbeatFailures",
            {&value_of<Metric::kHeartbeatFailureRate>, &say_heartbeat_failures, Unit::kPerSecond},
            {kOff, 0.1, kOff}, all(120s), "The leader sends heartbeats too late."),
      limit("SlowWatchers", {&slow_watchers, &say_slow_watchers}, {kOff, 0.0, kOff}, all(120s),
            "Watchers have fallen behind while events wait for them."),
      limit("CompactionStalled", {&revisions_kept, &say_compaction_stalled},
            {kOff, 100'000.0, kOff}, all(60s),
            "Revisions pile up, and nobody has compacted history for two hours."),
      limit("FdHigh", {&percent_of<Metric::kOpenFds, Metric::kMaxFds>, &say_fds, Unit::kPercent},
            {kOff, 80.0, 90.0}, all(120s), "A member runs out of file descriptors."),
      limit("DefragInProgress", {&defrag_overrun, &say_defrag_overrun}, {kOff, 3.0, kOff}, all(0s),
            "A defragmentation takes three times longer than it should."),
      limit("BackupAge", {&backup_age, &say_backup_age, Unit::kSeconds},
            {kOff, 36.0 * 3600, 72.0 * 3600}, all(60s), "The newest verified backup is old."),
      finder("KnownBadVersion", &known_bad_version, all(60s), 300s,
             "A member runs a release with faults that a later one has fixed."),
      limit("LeaderChanges", {&leader_changes, &say_leader_changes}, {kOff, 3.0, kOff}, all(0s),
            "More leader changes within an hour than --max-leader-changes."),
  };
}

std::vector<Rule> mixin_rules() {
  return {
      limit("etcdMembersDown", {&members_down, &say_members_down}, {kOff, 0.0, kOff}, all(20min),
            "Members are down, or their peers cannot reach them.", kMembersTold),
      limit("etcdInsufficientMembers",
            {&insufficient_members, &say_insufficient_members, Unit::kNone, kBelow},
            {kOff, kOff, 1.0}, all(3min), "Fewer voters are alive than quorum needs.", kQuorumLost),
      limit("etcdNoLeader", {&has_leader, &say_no_leader, Unit::kNone, kBelow}, {kOff, kOff, 1.0},
            all(1min), "A member knows no leader.", kLeaderTold),
      limit("etcdHighNumberOfLeaderChanges", {&leader_changes_15m, &say_leader_changes_15m},
            {kOff, 3.0, kOff}, all(5min), "Four or more changes of leader within 15 minutes.",
            kLeaderChanges),
      limit("etcdHighNumberOfFailedGRPCRequests",
            {&failed_requests, &say_failed_requests, Unit::kPercent}, {kOff, 1.0, 5.0},
            {0s, 10min, 5min}, "Requests fail with codes that blame the server."),
      limit("etcdGRPCRequestsSlow", {&slow_requests, &say_slow_requests, Unit::kSeconds},
            {kOff, kOff, 0.15}, all(10min), "The slowest hundredth of the requests takes long."),
      limit("etcdMemberCommunicationSlow",
            {&value_of<Metric::kPeerRttP99>, &say_slow_peers, Unit::kSeconds}, {kOff, 0.15, kOff},
            all(10min), "The slowest hundredth of the round trips to a peer takes long."),
      limit("etcdHighNumberOfFailedProposals",
            {&value_of<Metric::kProposalsFailedRate>, &say_failed_proposals, Unit::kPerSecond},
            {kOff, 5.0, kOff}, all(15min), "Raft proposals fail."),
      limit("etcdHighFsyncDurations",
            {&value_of<Metric::kWalFsyncP99>, &say_slow_fsync, Unit::kSeconds}, {kOff, 0.5, 1.0},
            all(10min), "The write-ahead log takes long to sync."),
      limit("etcdHighCommitDurations",
            {&value_of<Metric::kBackendCommitP99>, &say_slow_commit, Unit::kSeconds},
            {kOff, 0.25, kOff}, all(10min), "The database takes long to commit."),
      limit("etcdDatabaseQuotaLowSpace",
            {&percent_of<Metric::kDbSize, Metric::kDbQuota>, &say_quota, Unit::kPercent},
            {kOff, kOff, 95.0}, all(10min), "A database is about to reach its quota."),
      limit("etcdExcessiveDatabaseGrowth",
            {&percent_of<Metric::kDbSizeIn4h, Metric::kDbQuota>, &say_growth, Unit::kPercent},
            {kOff, 100.0, kOff}, all(10min), "A database will reach its quota within four hours."),
      limit("etcdDatabaseHighFragmentationRatio",
            {&used_share, &say_fragmentation, Unit::kPercent, kBelow}, {kOff, 50.0, kOff},
            all(10min), "Less than half of a database file is in use."),
  };
}

// Behind those that tell the same with more evidence.
std::vector<Rule> later_rules() {
  return {
      limit("FsyncSlow", {&value_of<Metric::kWalFsyncP99>, &say_slow_fsync, Unit::kSeconds},
            {0.010, kOff, kOff}, all(10min), "The write-ahead log syncs slower than a good disk.",
            kFsync),
      limit("CommitSlow", {&value_of<Metric::kBackendCommitP99>, &say_slow_commit, Unit::kSeconds},
            {0.025, kOff, kOff}, all(10min), "The database commits slower than a good disk.",
            kCommit),
      limit("QuotaSteps",
            {&percent_of<Metric::kDbSize, Metric::kDbQuota>, &say_quota, Unit::kPercent},
            {65.0, 75.0, 85.0}, all(60s), "A database fills its quota, step by step."),
      limit("HighLatency", {&high_latency, &say_high_latency, Unit::kSeconds}, {kOff, 0.1, kOff},
            all(60s), "Linearizable reads take longer than --max-latency-ms."),
      limit("DatabaseSize", {&database_size, &say_database_size, Unit::kPercent},
            {kOff, 80.0, 95.0}, all(60s), "A database nears min(--max-db-size-mb, its quota).",
            kFull),
      limit("AvailableNodes", {&available_nodes, &say_available_nodes, Unit::kNone, kBelow},
            {kOff, kOff, 2.0}, all(60s), "Fewer live voters than --min-available-nodes asks for.",
            kQuorumLost),
      finder("DeadRule", &dead_rules, all(10min), 60s,
             "A rule looks at nothing: its metrics are not there, or it cannot be evaluated."),
      finder("QuorumAtRisk", &quorum_at_risk, {5min, 5min, 15min}, 30s,
             "One more failure ends the service.", kRiskTold),
  };
}

}  // namespace

std::span<const Rule> catalogue() {
  static const auto kRules = [] {
    auto rules = verdict_rules();
    // Where a rule yields to another, the other stands first.
    for (auto&& more : {more_rules(), mixin_rules(), later_rules()})
      rules.insert(rules.end(), more.begin(), more.end());
    for (auto& rule : rules)
      rule.may_be_blind = std::ranges::find(kMayBeBlind, rule.name) != kMayBeBlind.end();
    return rules;
  }();
  return kRules;
}

const Rule* find_rule(std::string_view name) {
  const auto rules = catalogue();
  const auto found = std::ranges::find(rules, name, &Rule::name);
  return found == rules.end() ? nullptr : &*found;
}

std::span<const Alias> aliases() {
  static constexpr std::array kAliases = std::to_array<Alias>({
      {"MemberCrashLoop", "CrashLoop"},
      {"HashMismatch", "DataDivergence"},
      {"CertExpiry", "CertificateExpiry"},
      {"LearnerStuck", "LearnerLagging"},
      {"ViewDivergence", "MemberListDisagreement"},
      {"ViewDivergence", "LeaderViewDisagreement"},
      {"ViewDivergence", "ClusterIdMismatch"},
  });
  return kAliases;
}

std::vector<ActiveRule> default_rules(const Thresholds& thresholds) {
  std::vector<ActiveRule> out;
  for (const auto& rule : catalogue()) {
    auto& active = out.emplace_back(ActiveRule{&rule, rule.tuning});
    auto& limits = active.tuning.limits;
    constexpr auto kWarning = static_cast<std::size_t>(model::Severity::kWarning);
    if (rule.name == "HighLatency")
      limits[kWarning] = std::chrono::duration<double>(thresholds.max_latency).count();
    if (rule.name == "LeaderChanges") limits[kWarning] = std::max(0, thresholds.max_leader_changes);
  }
  return out;
}

std::string runbook_of(std::string_view rule) {
  return "docs/runbooks/" + std::string(rule) + ".md";
}

std::string subject_of(const model::MemberFacts& facts) {
  return facts.entry.name.empty() ? to_hex(facts.entry.id) : facts.entry.name;
}

std::string to_text(Unit unit, double value) {
  switch (unit) {
    case Unit::kNone:
      return fmt::format("{:.6g}", value);
    case Unit::kSeconds:
      if (value < 1) return fmt::format("{:.3g}ms", value * 1e3);
      return value < 120 ? fmt::format("{:.3g}s", value) : fmt::format("{:.3g}h", value / 3600);
    case Unit::kPercent:
      return fmt::format("{:.3g}%", value);
    case Unit::kPerSecond:
      return fmt::format("{:.3g}/s", value);
  }
  return {};
}

}  // namespace etcdmon::alert
