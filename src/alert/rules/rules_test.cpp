#include <filesystem>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alert/rule_settings.hpp"
#include "alert/rules/dead_rule.hpp"
#include "alert/rules/known_versions.hpp"
#include "alert/testing/scene.hpp"

namespace etcdmon::alert {
namespace {

using namespace std::chrono_literals;
using model::Metric;
using model::Severity;

constexpr double kGiB = 1U << 30U;

TEST(Catalogue, EveryRuleIsNamedExplainedAndPatient) {
  std::set<std::string_view> names;
  const std::filesystem::path source = ETCDMON_SOURCE_DIR;
  for (const auto& rule : catalogue()) {
    SCOPED_TRACE(rule.name);
    EXPECT_TRUE(names.insert(rule.name).second);
    EXPECT_FALSE(rule.help.empty());
    EXPECT_NE(rule.find == nullptr, rule.measure == nullptr);
    EXPECT_EQ(rule.measure == nullptr, rule.say == nullptr);
    EXPECT_TRUE(std::filesystem::exists(source / runbook_of(rule.name)));
    for (const auto wait : rule.tuning.wait) {
      if (rule.absence) {
        EXPECT_GE(wait, Rule::kAbsence);
      }
    }
    for (const auto& other : rule.yields_to)
      EXPECT_TRUE(names.contains(other)) << other << " must stand further up";
  }
  for (const auto& alias : aliases()) {
    EXPECT_FALSE(names.contains(alias.name)) << alias.name;
    EXPECT_TRUE(names.contains(alias.rule)) << alias.rule;
  }
}

TEST(Catalogue, HasTheMixinsAlertsWithTheirNumbers) {
  struct Row {
    const char* name;
    std::optional<double> warning, critical;
    std::chrono::seconds warning_wait, critical_wait;
  };
  for (const auto& row : {
           Row{"etcdMembersDown", 0, {}, 20min, {}},
           Row{"etcdInsufficientMembers", {}, 1, {}, 3min},
           Row{"etcdNoLeader", {}, 1, {}, 1min},
           Row{"etcdHighNumberOfLeaderChanges", 3, {}, 5min, {}},
           Row{"etcdHighNumberOfFailedGRPCRequests", 1, 5, 10min, 5min},
           Row{"etcdGRPCRequestsSlow", {}, 0.15, {}, 10min},
           Row{"etcdMemberCommunicationSlow", 0.15, {}, 10min, {}},
           Row{"etcdHighNumberOfFailedProposals", 5, {}, 15min, {}},
           Row{"etcdHighFsyncDurations", 0.5, 1, 10min, 10min},
           Row{"etcdHighCommitDurations", 0.25, {}, 10min, {}},
           Row{"etcdDatabaseQuotaLowSpace", {}, 95, {}, 10min},
           Row{"etcdExcessiveDatabaseGrowth", 100, {}, 10min, {}},
           Row{"etcdDatabaseHighFragmentationRatio", 50, {}, 10min, {}},
       }) {
    SCOPED_TRACE(row.name);
    const auto* rule = find_rule(row.name);
    ASSERT_NE(rule, nullptr);
    EXPECT_EQ(rule->tuning.limits[1], row.warning);
    EXPECT_EQ(rule->tuning.limits[2], row.critical);
    if (row.warning) {
      EXPECT_EQ(rule->tuning.wait[1], row.warning_wait);
    }
    if (row.critical) {
      EXPECT_EQ(rule->tuning.wait[2], row.critical_wait);
    }
  }
}

struct Case {
  const char* name;
  const char* rule;
  std::function<void(Scene&)> arrange;
  std::optional<Severity> want;
  Duration time = 20min;
};

std::function<void(Scene&)> with(Metric metric, double value) {
  return [=](Scene& scene) { scene.set(metric, value); };
}
std::function<void(Scene&)> with(Metric a, double x, Metric b, double y) {
  return [=](Scene& scene) { scene.set(a, x).set(b, y); };
}

constexpr auto kWarn = Severity::kWarning;
constexpr auto kCrit = Severity::kCritical;
constexpr std::nullopt_t kSilent = std::nullopt;

class Rules : public testing::TestWithParam<Case> {};

TEST_P(Rules, Judge) {
  const auto& c = GetParam();
  auto scene = Scene::of(3);
  c.arrange(scene);
  const auto alert = scene.fires(c.rule, c.time);
  EXPECT_EQ(alert ? std::optional(alert->severity) : std::nullopt, c.want);
  if (!alert) return;
  EXPECT_FALSE(alert->summary.empty());
  EXPECT_NE(alert->summary.back(), '.');
}

const std::vector<Case> kMixin = {
    {"OneMemberDown", "etcdMembersDown",
     [](Scene& s) { s.assessment.members[1].reach = model::Reach::kUnreachable; }, kWarn},
    {"NotForNineteenMinutes", "etcdMembersDown",
     [](Scene& s) { s.assessment.members[1].reach = model::Reach::kUnreachable; }, kSilent, 19min},
    {"MembersThatAreBusyAreNotDown", "etcdMembersDown",
     [](Scene& s) { s.assessment.members[1].reach = model::Reach::kBackendBusy; }, kSilent},
    {"LostByItsPeersOnly", "etcdMembersDown",
     [](Scene& s) {
       using enum model::LinkState;
       s.assessment.peers.members = {MemberId{1}, MemberId{2}, MemberId{3}};
       s.assessment.peers.cells = {kUp, kUp, kCut, kUp, kUp, kCut, kUp, kUp, kUp};
     },
     kWarn},
    // Three voters and a learner, of which two voters are up: quorate, whatever the mixin says.
    {"LearnersDoNotCount", "etcdInsufficientMembers",
     [](Scene& s) {
       s.assessment.quorum.learners = 1;
       s.assessment.quorum.available = 2;
     },
     kSilent},
    {"BelowQuorum", "etcdInsufficientMembers", [](Scene& s) { s.assessment.quorum.available = 1; },
     kCrit},
    {"MembersUnknown", "etcdInsufficientMembers", [](Scene& s) { s.assessment.quorum = {}; },
     kSilent},
    {"NoLeader", "etcdNoLeader", with(Metric::kHasLeader, 0), kCrit},
    {"Leader", "etcdNoLeader", with(Metric::kHasLeader, 1), kSilent},
    {"FourChanges", "etcdHighNumberOfLeaderChanges",
     [](Scene& s) {
       for (int i = 0; i < 4; ++i)
         s.assessment.leader.history.push_back({.at_steady = s.now.steady - 1min});
     },
     kWarn, 6min},
    {"ThreeChanges", "etcdHighNumberOfLeaderChanges",
     [](Scene& s) {
       for (int i = 0; i < 3; ++i)
         s.assessment.leader.history.push_back({.at_steady = s.now.steady - 1min});
     },
     kSilent, 6min},
    {"LongAgo", "etcdHighNumberOfLeaderChanges",
     [](Scene& s) {
       for (int i = 0; i < 9; ++i)
         s.assessment.leader.history.push_back({.at_steady = s.now.steady - 20min});
     },
     kSilent, 6min},
    {"OneInFifty", "etcdHighNumberOfFailedGRPCRequests",
     with(Metric::kErrorRatio, 0.02, Metric::kRequestRate, 100), kWarn},
    {"OneInTen", "etcdHighNumberOfFailedGRPCRequests",
     with(Metric::kErrorRatio, 0.1, Metric::kRequestRate, 100), kCrit, 6min},
    {"FewRequestsAreNoRate", "etcdHighNumberOfFailedGRPCRequests",
     with(Metric::kErrorRatio, 1, Metric::kRequestRate, 1), kSilent},
    {"SlowReads", "etcdGRPCRequestsSlow", with(Metric::kServerReadP99, 0.2), kCrit},
    {"TheServerKnowsBetterThanOurProbes", "etcdGRPCRequestsSlow",
     with(Metric::kServerReadP99, 0.1, Metric::kProbeReadP99, 1), kSilent},
    {"ProbesWhereTheServerSaysNothing", "etcdGRPCRequestsSlow", with(Metric::kProbeReadP95, 0.2),
     kCrit},
    {"SlowPeer", "etcdMemberCommunicationSlow", with(Metric::kPeerRttP99, 0.16), kWarn},
    {"FailedProposals", "etcdHighNumberOfFailedProposals", with(Metric::kProposalsFailedRate, 6),
     kWarn},
    {"SlowFsync", "etcdHighFsyncDurations", with(Metric::kWalFsyncP99, 0.6), kWarn},
    {"VerySlowFsync", "etcdHighFsyncDurations", with(Metric::kWalFsyncP99, 1.1), kCrit},
    {"SlowCommit", "etcdHighCommitDurations", with(Metric::kBackendCommitP99, 0.3), kWarn},
    {"QuotaNearlyReached", "etcdDatabaseQuotaLowSpace",
     with(Metric::kDbSize, 1.95, Metric::kDbQuota, 2), kCrit},
    {"WillReachItsQuota", "etcdExcessiveDatabaseGrowth",
     with(Metric::kDbSizeIn4h, 2.1, Metric::kDbQuota, 2), kWarn},
    {"Fragmented", "etcdDatabaseHighFragmentationRatio",
     with(Metric::kDbSizeInUse, 0.3 * kGiB, Metric::kDbSize, kGiB), kWarn},
    {"MostlyUsed", "etcdDatabaseHighFragmentationRatio",
     with(Metric::kDbSizeInUse, 0.7 * kGiB, Metric::kDbSize, kGiB), kSilent},
    {"SmallDatabasesMayBeFragmented", "etcdDatabaseHighFragmentationRatio",
     with(Metric::kDbSizeInUse, 1e7, Metric::kDbSize, 1e8), kSilent},
};

const std::vector<Case> kHealth = {
    {"AllAliveIsNoRisk", "QuorumAtRisk", [](Scene&) {}, kSilent},
    {"NoneMayBeLost", "QuorumAtRisk",
     [](Scene& s) {
       s.assessment.quorum.available = 2;
       s.assessment.quorum.failures_tolerated = 0;
     },
     kWarn, 6min},
    {"NoneMayBeLostForLong", "QuorumAtRisk",
     [](Scene& s) {
       s.assessment.quorum.available = 2;
       s.assessment.quorum.failures_tolerated = 0;
     },
     kCrit, 16min},
    {"LostIsAnotherRule", "QuorumAtRisk",
     [](Scene& s) {
       s.assessment.quorum.available = 1;
       s.assessment.quorum.failures_tolerated = 0;
       s.assessment.quorum.has_quorum = false;
     },
     kSilent},
    {"TwoVotersAreBuiltSo", "QuorumAtRisk", [](Scene& s) { s = Scene::of(2); }, Severity::kInfo},
    {"AnyAlarm", "AlarmActive",
     [](Scene& s) {
       s.seen.alarms = {{.member = MemberId{2}, .type = model::AlarmType::kUnknown}};
     },
     kCrit},
    {"AlarmsUnknown", "AlarmActive", [](Scene&) {}, kSilent},
    {"FirstSigns", "PartitionSuspected", [](Scene& s) { s.assessment.partition.suspected = true; },
     kWarn},
    {"FarBehind", "RevisionStall", [](Scene& s) { s.assessment.members[2].lag = 2000; }, kWarn},
    {"LearnersMayBeBehind", "RevisionStall",
     [](Scene& s) {
       s.assessment.members[2].lag = 2000;
       s.assessment.members[2].voter = false;
     },
     kSilent},
    {"ApplyLags", "ApplyLag", with(Metric::kApplyLag, 1001), kWarn},
    {"ApplyLagsALot", "ApplyLag", with(Metric::kApplyLag, 4001), kCrit},
    {"ProposalsWait", "PendingProposals", with(Metric::kProposalsPending, 6), kWarn},
    {"AFewWait", "PendingProposals", with(Metric::kProposalsPending, 5), kSilent},
    {"LateHeartbeats", "HeartbeatFailures", with(Metric::kHeartbeatFailureRate, 0.2), kWarn},
    {"OneLateHeartbeat", "HeartbeatFailures", with(Metric::kHeartbeatFailureRate, 0.004), kSilent},
    {"SlowWatchers", "SlowWatchers", with(Metric::kSlowWatchers, 3, Metric::kPendingEvents, 10),
     kWarn},
    {"NothingWaits", "SlowWatchers", with(Metric::kSlowWatchers, 3, Metric::kPendingEvents, 0),
     kSilent},
    {"FewDescriptors", "FdHigh", with(Metric::kOpenFds, 85, Metric::kMaxFds, 100), kWarn},
    {"NoDescriptors", "FdHigh", with(Metric::kOpenFds, 95, Metric::kMaxFds, 100), kCrit},
    {"QuotaInfo", "QuotaSteps", with(Metric::kDbSize, 66, Metric::kDbQuota, 100), Severity::kInfo},
    {"QuotaWarning", "QuotaSteps", with(Metric::kDbSize, 76, Metric::kDbQuota, 100), kWarn},
    {"QuotaCritical", "QuotaSteps", with(Metric::kDbSize, 86, Metric::kDbQuota, 100), kCrit},
    {"FsyncWorseThanAGoodDisk", "FsyncSlow", with(Metric::kWalFsyncP99, 0.011), Severity::kInfo},
    {"CommitWorseThanAGoodDisk", "CommitSlow", with(Metric::kBackendCommitP99, 0.03),
     Severity::kInfo},
    {"LongDefrag", "DefragInProgress",
     [](Scene& s) { s.verdict(model::Check::kDefragmenting, Severity::kInfo); }, kWarn, 61s},
    {"DefragOfALargeDatabase", "DefragInProgress",
     [](Scene& s) {
       s.set(Metric::kDbSizeInUse, 4e9);
       s.verdict(model::Check::kDefragmenting, Severity::kInfo);
     },
     kSilent, 200s},
    {"OldBackup", "BackupAge", [](Scene& s) { s.last_backup = s.now.wall - 40h; }, kWarn},
    {"VeryOldBackup", "BackupAge", [](Scene& s) { s.last_backup = s.now.wall - 80h; }, kCrit},
    {"BackupsUnknown", "BackupAge", [](Scene&) {}, kSilent},
    {"BackupFromTheFuture", "BackupAge", [](Scene& s) { s.last_backup = s.now.wall + 1h; }, kSilent,
     2min},
};

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Mixin, Rules, testing::ValuesIn(kMixin), name_of_case);
INSTANTIATE_TEST_SUITE_P(Health, Rules, testing::ValuesIn(kHealth), name_of_case);

TEST(CompactionStalled, NeedsRevisionsAndTwoHours) {
  auto scene = Scene::of(3);
  Engine engine("prod", {{find_rule("CompactionStalled"), find_rule("CompactionStalled")->tuning}});
  const auto look = [&](double revision, double compacted, Duration after) {
    scene.advance(after);
    scene.set(Metric::kRevision, revision).set(Metric::kCompactRevision, compacted);
    (void)engine.step(scene.now, scene.input());
    return *engine.status()[0].value;
  };
  EXPECT_EQ(look(1'000, 0, 0s), 0);
  EXPECT_EQ(look(300'000, 0, 1h), 0) << "one hour may pass between two compactions";
  EXPECT_EQ(look(500'000, 0, 1h), 499'000);
  EXPECT_EQ(look(500'000, 490'000, 1min), 0) << "compacted";
}

TEST(KnownBadVersion, SaysWhichAndWhatIsSafe) {
  struct Row {
    const char* version;
    std::optional<Severity> want;
    const char* says;
  };
  for (const auto& row : {
           Row{"3.5.2", kWarn, "3.5.33 has none of them"},
           Row{"3.5.16", Severity::kInfo, "3.5.33 has none of them"},
           Row{"3.5.33", kSilent, ""},
           Row{"3.4.44", Severity::kInfo, "no release of 3.4 is without"},
           Row{"3.6.13", Severity::kInfo, "3.6.14 has none of them"},
           Row{"3.7.0", Severity::kInfo, "3.7.1 has none of them"},
           Row{"3.8.0", kSilent, ""},
           Row{"unknown", kSilent, ""},
       }) {
    SCOPED_TRACE(row.version);
    auto scene = Scene::of(1);
    scene.seen.members[0].status->version = row.version;
    const auto alert = scene.fires("KnownBadVersion", 2min);
    EXPECT_EQ(alert ? std::optional(alert->severity) : std::nullopt, row.want);
    if (alert) {
      EXPECT_THAT(alert->summary, testing::HasSubstr(row.says));
    }
  }
}

TEST(DatabaseSize, IsHeldAgainstTheSmallerOfLimitAndQuota) {
  struct Row {
    const char* name;
    double size;
    std::optional<double> quota;
    std::optional<Severity> want;
  };
  for (const auto& row :
       {Row{"Small", kGiB, {}, kSilent}, Row{"EightyPercentOfTheFlag", 7 * kGiB, {}, kWarn},
        Row{"NearTheQuota", 2 * kGiB - 1, 2 * kGiB, kCrit},
        Row{"LargeQuotaDoesNotLoosenTheFlag", 8 * kGiB, 20 * kGiB, kCrit}}) {
    SCOPED_TRACE(row.name);
    auto scene = Scene::of(1);
    scene.seen.members[0].status->db_size = static_cast<std::uint64_t>(row.size);
    if (row.quota) scene.set(Metric::kDbQuota, *row.quota);
    const auto alert = scene.fires("DatabaseSize", 1min);
    EXPECT_EQ(alert ? std::optional(alert->severity) : std::nullopt, row.want);
  }
}

TEST(AvailableNodes, FloorIsTheQuorumAndCeilingTheVoters) {
  struct Row {
    int voters, available, flag;
    bool want;
  };
  for (const auto& row :
       {Row{3, 3, 2, false}, Row{3, 2, 2, false}, Row{3, 1, 2, true}, Row{5, 2, 1, true},
        Row{1, 1, 2, false}, Row{3, 2, 3, true}, Row{0, 0, 2, false}}) {
    Scene scene;
    scene.assessment.quorum = {
        .voters = row.voters, .quorum_size = row.voters / 2 + 1, .available = row.available};
    scene.thresholds.min_available_nodes = row.flag;
    EXPECT_EQ(scene.fires("AvailableNodes", 1min).has_value(), row.want)
        << row.voters << '/' << row.available << '/' << row.flag;
  }
}

TEST(LeaderChanges, MoreThanTheLimit) {
  Scene scene;
  scene.assessment.leader.changes_1h = 3;
  EXPECT_FALSE(scene.fires("LeaderChanges", 0s));
  scene.assessment.leader.changes_1h = 4;
  EXPECT_TRUE(scene.fires("LeaderChanges", 0s));
}

TEST(HighLatency, NeedsAMedian) {
  auto scene = Scene::of(1);
  EXPECT_FALSE(scene.fires("HighLatency", 1min));
  scene.members[0].read_probe_median_1m_ms = 150;
  const auto alert = scene.fires("HighLatency", 1min);
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->subject, "infra1");
  EXPECT_THAT(alert->summary, testing::HasSubstr("150 ms"));
}

TEST(RuleSettings, ChangeCommonlyAndForOneCluster) {
  const std::vector<RuleSettings> common = {
      {.name = "FsyncSlow", .enabled = false},
      {.name = "etcdHighFsyncDurations",
       .warning = WrittenLimit{.value = 0.2, .unit = Unit::kSeconds},
       .critical = WrittenLimit{.off = true},
       .wait = 5min}};
  const std::vector<RuleSettings> own = {
      {.name = "etcdHighFsyncDurations",
       .warning = WrittenLimit{.value = 0.3, .unit = Unit::kSeconds}},
      {.name = "ViewDivergence", .severity = kWarn}};
  const auto rules = tuned_rules({}, common, own);
  const auto tuning = [&](std::string_view name) {
    return std::ranges::find(rules, name, [](const auto& r) { return r.rule->name; })->tuning;
  };
  EXPECT_FALSE(tuning("FsyncSlow").enabled);
  EXPECT_EQ(tuning("etcdHighFsyncDurations").limits[1], 0.3);
  EXPECT_EQ(tuning("etcdHighFsyncDurations").limits[2], std::nullopt);
  EXPECT_EQ(tuning("etcdHighFsyncDurations").wait[1], 5min);
  EXPECT_EQ(tuning("ClusterIdMismatch").severity, kWarn) << "one of those an alias stands for";
}

TEST(RuleSettings, SayWhatIsWrongWithThem) {
  struct Row {
    RuleSettings settings;
    const char* says;
  };
  const WrittenLimit percent{.value = 50, .unit = Unit::kPercent};
  for (const auto& row : {
           Row{{}, "which built-in rule is meant"},
           Row{{.name = "FdHigh", .severity = kWarn}, "has limits"},
           Row{{.name = "NoLeader", .warning = percent}, "has no limits"},
           Row{{.name = "FsyncSlow", .info = percent}, "is a limit like 10s"},
           Row{{.name = "MemberHung", .wait = 10s}, "must be at least 1m"},
       }) {
    const auto complaints = row.settings.check();
    ASSERT_EQ(complaints.size(), 1U) << row.says;
    EXPECT_THAT(complaints[0].message, testing::HasSubstr(row.says));
  }
  EXPECT_TRUE((RuleSettings{.name = "FdHigh", .warning = percent}.check().empty()));
}

TEST(DeadRule, SaysWhichRulesSeeNothingOnceEveryMemberHasHadAPage) {
  auto scene = Scene::of(3);
  const std::vector<BlindRule> blind = {{"Own", {"a_metric", "b_metric"}, {}, false},
                                        {"Broken", {}, "several elements", false},
                                        {"QuotaSteps", {}, {}, true}};
  auto input = scene.input();
  RuleInput seen{input.seen, input.assessment, input.members, input.thresholds, {}, nullptr, blind};
  std::vector<Finding> findings;
  for (auto& member : scene.seen.members) {
    dead_rules(seen, findings);
    EXPECT_TRUE(findings.empty()) << "a member has not had a page yet";
    member.metrics.emplace();
    member.scrape = model::ProbeOutcome{};
  }
  dead_rules(seen, findings);
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].subject, "Own");
  EXPECT_EQ(findings[0].summary, "Own looks at a_metric, b_metric, which no member has");
  EXPECT_EQ(findings[1].summary, "Broken cannot be evaluated: several elements");
  EXPECT_EQ(findings[2].severity, model::Severity::kInfo);
  findings.clear();
  for (auto& member : scene.seen.members) member.scrape->error = Error{};
  dead_rules(seen, findings);
  EXPECT_TRUE(findings.empty()) << "nobody answers: that says nothing about rules";
}

TEST(WrittenLimit, IsReadAsItIsShown) {
  using Codec = config::Codec<WrittenLimit>;
  for (const auto* text : {"off", "95%", "10ms", "0.1/s", "1000", "36h"}) {
    const auto limit = Codec::parse(config::Node::plain(text));
    ASSERT_TRUE(limit) << text;
    EXPECT_EQ(Codec::parse(Codec::show(*limit)), *limit) << text;
  }
  for (const auto* text : {"", "-1", "5 apples", "%", "1e999"})
    EXPECT_FALSE(Codec::parse(config::Node::plain(text))) << text;
}

}  // namespace
}  // namespace etcdmon::alert
