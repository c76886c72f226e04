// api/testing/views.hpp: constructed cluster views for the renderers' tests.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "api/view_source.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::api::testing {

using namespace std::chrono_literals;

inline constexpr MemberId kLeader{10276657743932975437ULL};
inline constexpr MemberId kSecond{17};
inline constexpr MemberId kThird{18};

inline WallTime wall(std::chrono::year_month_day day, std::chrono::seconds of_day) {
  return WallTime(std::chrono::sys_days(day)) + of_day;
}

/// 2025-10-11T12:45:00Z, when the process had been up for a day.
inline Now now() {
  return {SteadyTime(24h), wall({2025y / 10 / 11}, 12h + 45min)};
}

inline model::MemberFacts facts(MemberId id, std::string name, int port) {
  const auto at = now();
  model::MemberFacts member;
  member.entry = {.id = id,
                  .name = std::move(name),
                  .peer_urls = {"http://10.0.0.1:2380"},
                  .client_urls = {"http://10.0.0.1:2379"},
                  .learner = false};
  member.endpoint = "http://127.0.0.1:" + std::to_string(port);
  member.link = {.state = model::LinkFacts::State::kUp,
                 .since = at.steady - 1h,
                 .last_error = {},
                 .last_up = at.steady - 1h,
                 .last_ended = {},
                 .connects = 1,
                 .failures = 0};
  model::StatusSample status;
  status.sent = at.steady - 3ms;
  status.received = at.steady - 1ms;
  status.member_id = id;
  status.version = "3.5.16";
  status.leader = kLeader;
  status.raft_term = 4;
  status.raft_index = 1000;
  status.raft_applied_index = 999;
  status.revision = 321;
  status.db_size = 104857600;
  status.db_size_in_use = 95234816;
  member.status = status;
  member.answers = 5;
  member.pulse = model::ProbeOutcome{.sent = status.sent, .finished = status.received, .error = {}};
  return member;
}

/// The cluster of the specification's example: three healthy members, the first one leads.
inline model::ClusterView example_view() {
  const auto at = now();
  model::ClusterView view;
  view.version = 42;
  view.cluster = "prod";
  view.observation.cluster = "prod";
  view.observation.at = at;
  view.observation.members = {facts(kSecond, "infra2", 22379), facts(kThird, "infra3", 32379),
                              facts(kLeader, "infra1", 2379)};
  for (const auto& member : view.observation.members) {
    view.observation.membership.members.push_back(member.entry);
  }
  view.observation.membership.cluster_id = ClusterId{255};
  view.observation.alarms.emplace();
  view.observation.pulse_rounds = 600;
  view.observation.last_health_check_wall = at.wall;

  auto& judged = view.assessment;
  judged.at = at;
  judged.healthy = true;
  for (const auto& member : view.observation.members) {
    model::MemberAssessment one;
    one.id = member.entry.id;
    one.name = member.entry.name;
    one.reach = model::Reach::kReachable;
    one.since = at.steady - 30min;
    one.leader = one.id == kLeader;
    one.healthy = true;
    one.lag = 0;
    judged.members.push_back(one);
  }
  judged.quorum = {.voters = 3,
                   .learners = 0,
                   .quorum_size = 2,
                   .available = 3,
                   .failures_tolerated = 1,
                   .has_quorum = true,
                   .member_list_age = 12s};
  judged.leader.leader = kLeader;
  judged.leader.name = "infra1";
  judged.leader.term = 4;
  judged.leader.since = wall({2025y / 10 / 11}, 10h + 30min);
  judged.leader.changes = 1;
  judged.leader.changes_1h = 0;
  judged.leader.history = {{.from = kSecond,
                            .to = kLeader,
                            .term = 4,
                            .at = wall({2025y / 10 / 11}, 10h + 30min),
                            .at_steady = {},
                            .reason = "old leader unreachable (refused)"}};
  judged.peers.members = {kSecond, kThird, kLeader};
  judged.peers.names = {"infra2", "infra3", "infra1"};
  judged.peers.cells.assign(9, model::LinkState::kUp);
  judged.peers.rtt_ms.assign(9, 0.5);

  view.members.resize(3);
  view.metrics.at = at.wall;
  view.metrics.request_rate = 1250.5;
  view.metrics.read_latency_p50_ms = 2.5;
  view.metrics.read_latency_p95_ms = 8.2;
  view.metrics.read_latency_p99_ms = 15.3;
  view.metrics.write_latency_p50_ms = 5.1;
  view.metrics.write_latency_p95_ms = 12.4;
  view.metrics.write_latency_p99_ms = 25.7;
  view.metrics.read_latency_source = "probe";
  view.metrics.db_size = 104857600;
  view.metrics.db_size_in_use = 95234816;
  return view;
}

inline model::ClusterViewPtr shared(model::ClusterView view) {
  return std::make_shared<const model::ClusterView>(std::move(view));
}

/// Views by name, in order.
struct FakeViews final : ViewSource {
  std::vector<std::string> names;
  std::vector<model::ClusterViewPtr> newest;

  void set(std::string name, model::ClusterViewPtr view) {
    names.push_back(std::move(name));
    newest.push_back(std::move(view));
  }
  const std::vector<std::string>& clusters() const override { return names; }
  model::ClusterViewPtr view(std::string_view cluster) const override {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == cluster) return newest[i];
    }
    return nullptr;
  }
  MonitorFacts monitor() const override {
    return {.version = "0.1.0",
            .build = "abc",
            .started_at = wall({2025y / 10 / 10}, 12h),
            .uptime = 90s};
  }
};

}  // namespace etcdmon::api::testing
