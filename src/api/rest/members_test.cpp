#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/rest/pages.hpp"
#include "api/testing/views.hpp"

namespace etcdmon::api::rest {
namespace {

using namespace testing;
using nlohmann::json;

json row(const model::ClusterView& view, std::size_t index) {
  const auto page = json::parse(members_page(view));
  EXPECT_EQ(page["member_count"], view.observation.members.size());
  return page["members"][index];
}

TEST(MembersPage, AHealthyMember) {
  EXPECT_EQ(row(example_view(), 2), json::parse(R"json({
    "id": 10276657743932975437, "id_hex": "8e9e05c52164694d", "name": "infra1", "role": "leader",
    "voter": true, "endpoint": "http://127.0.0.1:2379", "client_urls": ["http://10.0.0.1:2379"],
    "peer_urls": ["http://10.0.0.1:2380"], "fallback": false, "fallback_reason": null,
    "answered_by": null, "answered_by_hex": null, "reach": "reachable", "cause": null,
    "reason": null, "since": "2025-10-11T12:15:00Z", "since_seconds": 1800.0, "healthy": true,
    "lag": 0, "restarts_15m": 0, "version": "3.5.16", "storage_version": null,
    "db_size": 104857600, "db_size_in_use": 95234816, "db_quota": null, "raft_term": 4,
    "raft_index": 1000, "raft_applied_index": 999, "revision": 321, "rtt_ms": 2.0, "errors": [],
    "last_pulse": {"ok": true, "at": "2025-10-11T12:44:59.999Z", "rtt_ms": 2.0, "error": null},
    "missed": 0,
    "link": {"state": "up", "since": "2025-10-11T11:45:00Z", "connects": 1, "failures": 0,
             "last_error": null},
    "reads": {"linearizable": null, "serializable": null}, "write_probe": null,
    "metrics_url": null, "metrics_ok": null, "metrics_age_seconds": null, "metrics_error": null,
    "certificates": [], "last_error": null})json"));
}

TEST(MembersPage, NothingKnownIsNullNeverZero) {
  auto view = example_view();
  auto& facts = view.observation.members[0];
  facts = {};
  facts.endpoint = "http://10.9.9.9:2379";
  view.assessment.members.clear();
  const auto member = row(view, 0);
  EXPECT_EQ(member["name"], "http://10.9.9.9:2379");
  EXPECT_EQ(member["role"], "unknown");
  EXPECT_EQ(member["reach"], "unknown");
  for (const auto* name : {"id", "id_hex", "version", "db_size", "db_size_in_use", "raft_term",
                           "raft_index", "revision", "rtt_ms", "healthy", "lag", "since",
                           "last_pulse", "metrics_ok", "last_error"}) {
    EXPECT_TRUE(member[name].is_null()) << name;
  }
}

TEST(MembersPage, Roles) {
  auto view = example_view();
  EXPECT_EQ(row(view, 0)["role"], "follower");
  view.observation.members[0].entry.learner = true;
  EXPECT_EQ(row(view, 0)["role"], "learner");
  view.observation.members[0].entry.name.clear();
  EXPECT_EQ(row(view, 0)["role"], "unstarted");
  EXPECT_EQ(row(view, 0)["name"], "http://127.0.0.1:22379");
}

TEST(MembersPage, SaysWhyAMemberCannotBeReached) {
  auto view = example_view();
  auto& facts = view.observation.members[0];
  const Error refused{ErrorCode::kUnavailable, "connect 127.0.0.1:22379: connection refused",
                      Cause::kRefused};
  facts.pulse->error = refused;
  facts.missed = 4;
  facts.link.state = model::LinkFacts::State::kDown;
  facts.link.last_error = refused;
  auto& judged = view.assessment.members[0];
  judged.reach = model::Reach::kUnreachable;
  judged.cause = Cause::kRefused;
  judged.reason = refused.message;
  judged.healthy = false;
  const auto member = row(view, 0);
  EXPECT_EQ(member["reach"], "unreachable");
  EXPECT_EQ(member["cause"], "refused");
  EXPECT_EQ(member["missed"], 4);
  EXPECT_EQ(member["last_error"], refused.message);
  EXPECT_EQ(member["link"]["state"], "down");
  EXPECT_EQ(member["last_pulse"]["ok"], false);
  EXPECT_EQ(member["last_pulse"]["error"], refused.message);
}

TEST(MembersPage, ProbesMetricsAndCertificates) {
  auto view = example_view();
  auto& facts = view.observation.members[0];
  const auto at = now();
  facts.linearizable_read =
      model::ProbeOutcome{.sent = at.steady - 10ms, .finished = at.steady, .error = {}};
  facts.serializable_read = model::ProbeOutcome{
      .sent = at.steady - 10ms,
      .finished = at.steady,
      .error = Error{ErrorCode::kDeadlineExceeded, "read: no answer in time", Cause::kTimeout}};
  facts.scrape = model::ProbeOutcome{.sent = at.steady - 10ms, .finished = at.steady, .error = {}};
  facts.metrics.emplace();
  facts.metrics->at = at.steady - 5s;
  facts.metrics->quota = 2'147'483'648;
  facts.metrics_url = "http://127.0.0.1:22379/metrics";
  facts.certificates = {{.where = "client url",
                         .subject = "CN=infra2",
                         .issuer = "CN=ca",
                         .not_before = at.wall - 24h,
                         .not_after = at.wall + 36h}};
  const auto member = row(view, 0);
  EXPECT_EQ(member["reads"]["linearizable"]["ok"], true);
  EXPECT_EQ(member["reads"]["linearizable"]["rtt_ms"], 10.0);
  EXPECT_EQ(member["reads"]["serializable"]["error"], "read: no answer in time");
  EXPECT_EQ(member["last_error"], "read: no answer in time");
  EXPECT_EQ(member["metrics_ok"], true);
  EXPECT_EQ(member["metrics_age_seconds"], 5.0);
  EXPECT_EQ(member["db_quota"], 2'147'483'648U);
  EXPECT_EQ(member["certificates"][0]["days_left"], 1.5);
  EXPECT_EQ(member["certificates"][0]["not_after"], "2025-10-13T00:45:00Z");
}

}  // namespace
}  // namespace etcdmon::api::rest
