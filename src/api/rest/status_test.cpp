#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/rest/common.hpp"
#include "api/rest/pages.hpp"
#include "api/testing/views.hpp"

namespace etcdmon::api::rest {
namespace {

using namespace testing;
using nlohmann::json;

// Every field of `example` is in `page`, with the same type and value.
void expect_fields(const json& page, const json& example) {
  for (const auto& [name, value] : example.items()) {
    ASSERT_TRUE(page.contains(name)) << name;
    EXPECT_EQ(page[name], value) << name;
    EXPECT_EQ(page[name].type(), value.type()) << name;
  }
}

TEST(StatusPage, IsTheSpecificationsExample) {
  expect_fields(json::parse(status_page(example_view())), json::parse(R"json({
    "healthy": true,
    "leader_id": 10276657743932975437,
    "member_count": 3,
    "quorum_size": 2,
    "has_leader": true,
    "leader_changes": 1,
    "last_leader_change": "2025-10-11T10:30:00Z",
    "network_partition": false,
    "alarms": [],
    "last_check": "2025-10-11T12:45:00Z"
  })json"));
}

TEST(StatusPage, SaysMore) {
  expect_fields(json::parse(status_page(example_view())), json::parse(R"json({
    "state": "healthy", "cluster": "prod", "view_version": 42,
    "timestamp": "2025-10-11T12:45:00Z",
    "leader_id_hex": "8e9e05c52164694d", "cluster_id": 255, "cluster_id_hex": "ff",
    "leader": "infra1", "failures_tolerated": 1, "has_quorum": true, "voters": 3, "learners": 0,
    "available": 3, "member_list_age_seconds": 12, "leader_disputed": false,
    "split_brain": false, "version_min": "3.5.16", "version_max": "3.5.16", "verdicts": [],
    "partition": {"kind": "none", "suspected": false, "text": null, "cut_links": [], "groups": []},
    "monitor": {"pulse_on": true, "pulse_rounds": 600, "voided": 0, "round_void": false,
                "missed_ticks": 0, "loop_lag_ms": 0, "auth_required": false, "login_error": null}
  })json"));
}

TEST(StatusPage, UnknownIsNullAndNotHealthy) {
  model::ClusterView view;
  view.cluster = "prod";
  expect_fields(json::parse(status_page(view)), json::parse(R"json({
    "healthy": false, "state": "unknown", "leader_id": null, "leader_id_hex": null,
    "member_count": 0, "quorum_size": 0, "has_leader": false, "has_quorum": null,
    "failures_tolerated": null, "last_leader_change": null, "alarms": null, "last_check": null,
    "timestamp": null, "cluster_id": null, "member_list_age_seconds": null, "version_min": null
  })json"));
}

TEST(StatusPage, TellsWhatIsWrong) {
  auto view = example_view();
  view.assessment.healthy = false;
  model::Verdict verdict;
  verdict.check = model::Check::kMemberUnreachable;
  verdict.severity = model::Severity::kWarning;
  verdict.member = kSecond;
  verdict.subject = "infra2";
  verdict.summary = "member infra2 is unreachable (refused)";
  verdict.detail = "connect 127.0.0.1:22379: connection refused";
  verdict.since = now().steady - 90s;
  view.assessment.verdicts = {verdict};
  view.assessment.partition.kind = model::PartitionKind::kPairwise;
  view.assessment.partition.text = "infra2 and infra3 do not see each other";
  view.assessment.partition.cut_links = {{kSecond, kThird}};
  view.assessment.partition.groups = {{kSecond, kLeader}, {kThird}};
  const auto page = json::parse(status_page(view));
  EXPECT_EQ(page["state"], "unhealthy");
  EXPECT_EQ(page["network_partition"], true);
  EXPECT_EQ(page["verdicts"], json::parse(R"json([{
    "check": "MemberUnreachable", "severity": "warning", "member_id": 17, "member_id_hex": "11",
    "subject": "infra2", "summary": "member infra2 is unreachable (refused)",
    "detail": "connect 127.0.0.1:22379: connection refused",
    "since": "2025-10-11T12:43:30Z", "since_seconds": 90.0,
    "runbook": "docs/runbooks/MemberUnreachable.md"
}])json"));
  EXPECT_EQ(page["partition"], json::parse(R"json({
    "kind": "pairwise", "suspected": false, "text": "infra2 and infra3 do not see each other",
    "cut_links": [{"from_id": 17, "from_id_hex": "11", "from": "infra2",
                   "to_id": 18, "to_id_hex": "12", "to": "infra3"}],
    "groups": [["infra2", "infra1"], ["infra3"]]})json"));
}

TEST(StatusPage, OurOwnPathBeingCutIsNoPartition) {
  auto view = example_view();
  view.assessment.partition.kind = model::PartitionKind::kUnreachableFromUs;
  EXPECT_EQ(json::parse(status_page(view))["network_partition"], false);
}

struct AlarmCase {
  const char* name;
  void (*change)(model::Observation&);
  const char* alarms;
  friend std::ostream& operator<<(std::ostream& os, const AlarmCase& c) { return os << c.name; }
};

class Alarms : public ::testing::TestWithParam<AlarmCase> {};

TEST_P(Alarms, ComeFromTheNewestAnswer) {
  auto view = example_view();
  GetParam().change(view.observation);
  EXPECT_EQ(json::parse(status_page(view))["alarms"], json::parse(GetParam().alarms));
}

constexpr const char* kOfInfra2 =
    R"json([{"member_id": 17, "member_id_hex": "11", "member": "infra2", "type": "NOSPACE"}])json";

void nobody_answers(model::Observation& seen) {
  for (auto& member : seen.members) member.missed = 1;
}
void rpc_says_nospace(model::Observation& seen) {
  seen.alarms = {{.member = kSecond, .type = model::AlarmType::kNospace}};
}

INSTANTIATE_TEST_SUITE_P(
    Table, Alarms,
    ::testing::Values(AlarmCase{"NoneSaidByStatus",
                                [](model::Observation& seen) { seen.alarms.reset(); }, "[]"},
                      AlarmCase{"NobodyEverSaid",
                                [](model::Observation& seen) {
                                  seen.alarms.reset();
                                  for (auto& member : seen.members) member.status.reset();
                                },
                                "null"},
                      AlarmCase{"StaleStatusSaysNothing",
                                [](model::Observation& seen) {
                                  nobody_answers(seen);
                                  seen.alarms.reset();
                                },
                                "null"},
                      AlarmCase{"RpcWhereNobodyAnswers",
                                [](model::Observation& seen) {
                                  nobody_answers(seen);
                                  rpc_says_nospace(seen);
                                },
                                kOfInfra2},
                      AlarmCase{"StatusOncePerAlarm",
                                [](model::Observation& seen) {
                                  for (auto& member : seen.members) {
                                    member.status->errors = {"etcdserver: no leader",
                                                             "memberID:17 alarm:NOSPACE "};
                                  }
                                },
                                kOfInfra2},
                      AlarmCase{"StatusClearsWhatTheRpcSaidBefore",
                                [](model::Observation& seen) {
                                  rpc_says_nospace(seen);
                                  seen.alarms_at = seen.at.steady - 1min;
                                },
                                "[]"},
                      AlarmCase{"RpcAfterTheLastStatus",
                                [](model::Observation& seen) {
                                  rpc_says_nospace(seen);
                                  seen.alarms_at = seen.at.steady;
                                },
                                kOfInfra2}),
    ::testing::PrintToStringParamName());

TEST(VersionRange, ComparesByNumber) {
  auto view = example_view();
  view.observation.members[0].status->version = "3.10.2";
  view.observation.members[1].status->version = "3.9.10";
  view.observation.members[2].status->version = "3.9.9";
  EXPECT_EQ(version_range(view.observation),
            std::pair(std::string("3.9.9"), std::string("3.10.2")));
}

TEST(LeaderPage, HasTheHistory) {
  const auto page = json::parse(leader_page(example_view()));
  EXPECT_EQ(page["leader_id"], 10276657743932975437ULL);
  EXPECT_EQ(page["name"], "infra1");
  EXPECT_EQ(page["term"], 4);
  EXPECT_EQ(page["since"], "2025-10-11T10:30:00Z");
  EXPECT_EQ(page["history"], json::parse(R"json([{
    "from_id": 17, "from_id_hex": "11", "from": "infra2", "to_id": 10276657743932975437,
    "to_id_hex": "8e9e05c52164694d", "to": "infra1", "term": 4, "at": "2025-10-11T10:30:00Z",
    "reason": "old leader unreachable (refused)"
}])json"));
}

TEST(LeaderPage, NoLeaderIsNull) {
  model::ClusterView view;
  const auto page = json::parse(leader_page(view));
  EXPECT_TRUE(page["leader_id"].is_null());
  EXPECT_TRUE(page["term"].is_null());
  EXPECT_EQ(page["has_leader"], false);
}

TEST(PeersPage, IsAMatrix) {
  auto view = example_view();
  view.assessment.peers.cells[1] = model::LinkState::kCut;
  view.assessment.peers.rtt_ms[1].reset();
  const auto page = json::parse(peers_page(view));
  ASSERT_EQ(page["matrix"].size(), 3U);
  EXPECT_EQ(page["matrix"][0]["name"], "infra2");
  EXPECT_EQ(page["matrix"][0]["peers"], json::parse(R"json([
    {"id": 17, "id_hex": "11", "name": "infra2", "state": "self", "rtt_ms": null},
    {"id": 18, "id_hex": "12", "name": "infra3", "state": "cut", "rtt_ms": null},
    {"id": 10276657743932975437, "id_hex": "8e9e05c52164694d", "name": "infra1", "state": "up",
     "rtt_ms": 0.5}])json"));
}

TEST(ClustersPage, HasALineForEachEvenWithoutAView) {
  const std::vector<std::string> names = {"prod", "test"};
  const std::vector<model::ClusterViewPtr> views = {shared(example_view()), nullptr};
  const auto page = json::parse(clusters_page(names, views))["clusters"];
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0]["state"], "healthy");
  EXPECT_EQ(page[0]["leader"], "infra1");
  EXPECT_EQ(page[1]["name"], "test");
  EXPECT_EQ(page[1]["state"], "unknown");
}

TEST(AlertsPage, HasEveryField) {
  auto view = example_view();
  model::Alert alert;
  alert.id = "0123456789abcdef";
  alert.cluster = "prod";
  alert.rule = "HighLatency";
  alert.state = model::AlertState::kFiring;
  alert.severity = model::Severity::kCritical;
  alert.value = 120.5;
  alert.labels = {{"team", "ops"}};
  alert.pending_since = now().wall - 2min;
  alert.firing_since = now().wall - 1min;
  view.alerts = {alert};
  const auto page = json::parse(alerts_page(view))["alerts"];
  EXPECT_EQ(page, json::parse(R"json([{
    "id": "0123456789abcdef", "cluster": "prod", "rule": "HighLatency", "subject": "",
    "severity": "critical", "state": "firing", "summary": "", "detail": "", "value": 120.5,
    "threshold": null, "labels": {"team": "ops"}, "runbook": null,
    "pending_since": "2025-10-11T12:43:00Z", "firing_since": "2025-10-11T12:44:00Z",
    "resolved_at": null}])json"));
}

TEST(EventsPage, KeepsTheOrder) {
  auto view = example_view();
  model::Event event;
  event.kind = model::EventKind::kMemberDown;
  event.severity = model::Severity::kWarning;
  event.member = kSecond;
  event.subject = "infra2";
  event.text = "infra2 is unreachable (refused)";
  event.at = now().wall - 5s;
  view.events = {event, event};
  view.events.back().kind = model::EventKind::kMemberUp;
  const auto page = json::parse(events_page(view))["events"];
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0], json::parse(R"json({
    "at": "2025-10-11T12:44:55Z", "kind": "member_down", "severity": "warning", "member_id": 17,
    "member_id_hex": "11", "member": "infra2", "subject": "infra2",
    "text": "infra2 is unreachable (refused)"
})json"));
  EXPECT_EQ(page[1]["kind"], "member_up");
}

}  // namespace
}  // namespace etcdmon::api::rest
