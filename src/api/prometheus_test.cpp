#include "api/prometheus.hpp"

#include <cmath>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/exposition.hpp"
#include "api/process_stats.hpp"
#include "api/testing/views.hpp"

namespace etcdmon::api {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string page(std::vector<model::ClusterViewPtr> views) {
  const ClusterExposition exposition(std::move(views));
  std::string out;
  for (std::size_t i = 0; i < exposition.families(); ++i) exposition.append(out, i);
  return out;
}

TEST(ExpositionWriter, EscapesLabelsAndHelp) {
  std::string labels;
  append_label(labels, "a", "x\"y\\z\n");
  append_label(labels, "b", "");
  std::string out;
  ExpositionWriter writer(out);
  writer.family("m", "one\\two\nthree", metrics::Kind::kGauge);
  writer.sample(labels, 1.5);
  writer.sample({}, NAN);
  writer.sample({}, INFINITY);
  EXPECT_EQ(out,
            "# HELP m one\\\\two\\nthree\n# TYPE m gauge\n"
            "m{a=\"x\\\"y\\\\z\\n\",b=\"\"} 1.5\nm +Inf\n");
}

TEST(ExpositionWriter, AFamilyWithoutSamplesLeavesNoTrace) {
  std::string out;
  ExpositionWriter writer(out);
  writer.family("m", "help", metrics::Kind::kGauge);
  writer.sample({}, NAN);
  EXPECT_THAT(out, IsEmpty());
}

TEST(Registry, IsWrittenWithHistograms) {
  metrics::Registry registry;
  registry.counter("etcdmon_a_total", "A.", {{"kind", "x"}}).add(2);
  registry.counter("etcdmon_a_total", "A.", {{"kind", "y"}}).add(3);
  auto& histogram = registry.histogram("etcdmon_b_seconds", "B.", {0.1, 1});
  histogram.observe(0.05);
  histogram.observe(0.5);
  histogram.observe(5);
  std::string out;
  append_registry(out, registry);
  EXPECT_EQ(out,
            "# HELP etcdmon_a_total A.\n# TYPE etcdmon_a_total counter\n"
            "etcdmon_a_total{kind=\"x\"} 2\netcdmon_a_total{kind=\"y\"} 3\n"
            "# HELP etcdmon_b_seconds B.\n# TYPE etcdmon_b_seconds histogram\n"
            "etcdmon_b_seconds_bucket{le=\"0.1\"} 1\netcdmon_b_seconds_bucket{le=\"1\"} 2\n"
            "etcdmon_b_seconds_bucket{le=\"+Inf\"} 3\netcdmon_b_seconds_sum 5.55\n"
            "etcdmon_b_seconds_count 3\n");
}

TEST(ClusterExposition, SaysWhatIsKnown) {
  auto view = example_view();
  view.members[0].values.set(model::Metric::kDbSize, 1e6);
  view.members[0].values.set(model::Metric::kLeaderChangesSeen, 2);
  model::Verdict verdict;
  verdict.check = model::Check::kNoLeader;
  verdict.severity = model::Severity::kCritical;
  view.assessment.verdicts = {verdict};
  view.assessment.peers.cells[1] = model::LinkState::kCut;
  view.observation.members[0].status->errors = {"memberID:17 alarm:CORRUPT "};
  const auto text = page({shared(std::move(view))});
  for (const auto* line : {
           "etcdmon_cluster_healthy{cluster=\"prod\"} 1\n",
           "etcdmon_cluster_failures_tolerated{cluster=\"prod\"} 1\n",
           "# TYPE etcdmon_cluster_leader_changes_total counter\n",
           "etcdmon_cluster_leader_changes_total{cluster=\"prod\"} 1\n",
           "etcdmon_cluster_read_latency_p50_seconds{cluster=\"prod\"} 0.0025\n",
           "etcdmon_verdict{cluster=\"prod\",check=\"NoLeader\",severity=\"critical\",subject=\"\"}"
           " 1\n",
           "etcdmon_cluster_alarm{cluster=\"prod\",member_id=\"11\",member=\"infra2\","
           "type=\"CORRUPT\"} 1\n",
           "etcdmon_alerts{cluster=\"prod\",state=\"firing\"} 0\n",
           "etcdmon_member_db_size_bytes{cluster=\"prod\",member_id=\"11\",member=\"infra2\"} "
           "1000000\n",
           "# TYPE etcdmon_member_leader_changes_seen_total counter\n",
           "etcdmon_member_reach{cluster=\"prod\",member_id=\"12\",member=\"infra3\","
           "reach=\"reachable\"} 1\n",
           "etcdmon_peer_link{cluster=\"prod\",from_id=\"11\",from=\"infra2\",to_id=\"12\","
           "to=\"infra3\",state=\"cut\"} 1\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("etcdmon_member_open_fds")));
}

TEST(ClusterExposition, WhatIsUnknownHasNoSample) {
  model::ClusterView view;
  view.cluster = "prod";
  const auto text = page({shared(std::move(view)), nullptr});
  for (const auto* name : {"_healthy", "_has_quorum", "_failures_tolerated", "_db_size", "alarm"}) {
    EXPECT_THAT(text, Not(HasSubstr(name)));
  }
}

// Prometheus takes a series once and a family in one piece.
TEST(ClusterExposition, FamiliesAreInOnePieceAndSeriesStandOnce) {
  auto first = example_view();
  for (auto& member : first.members) {
    for (const auto& doc : model::metric_docs()) member.values.set(doc.metric, 1);
  }
  auto second = first;
  second.cluster = "test";
  second.observation.members[0] = second.observation.members[1] = {};
  const auto text = page({shared(std::move(first)), shared(std::move(second))});
  std::set<std::string> families;
  std::set<std::string> series;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_TRUE(families.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(series.insert(line.substr(0, line.rfind(' '))).second) << line;
    }
  }
  EXPECT_GT(families.size(), model::kMetricCount);
}

TEST(ProcessStats, AreThoseOfThisProcess) {
  const auto stats = ProcessStats::read();
  EXPECT_GT(stats.cpu_seconds, 0);
  EXPECT_GT(stats.resident_bytes.value_or(0), 1'000'000U);
  EXPECT_GE(stats.open_fds.value_or(0), 3U);
  EXPECT_GT(stats.max_fds.value_or(0), stats.open_fds.value_or(0));
  const auto unix_now = std::chrono::duration<double>(SystemClock().now().wall.time_since_epoch());
  EXPECT_GT(stats.start_time_seconds.value_or(0), unix_now.count() - 3600);
  EXPECT_LE(stats.start_time_seconds.value_or(0), unix_now.count() + 2);
  std::string out;
  append_process_stats(out, stats);
  EXPECT_THAT(out, AllOf(HasSubstr("# TYPE process_cpu_seconds_total counter\n"),
                         HasSubstr("\nprocess_open_fds ")));
}

TEST(HttpCounts, AreByStatusClass) {
  net::HttpServerCounts counts;
  counts.responses[2] = 7;
  std::string out;
  append_http_counts(out, counts);
  EXPECT_THAT(out, AllOf(HasSubstr("etcdmon_http_responses_total{code=\"2xx\"} 7\n"),
                         HasSubstr("etcdmon_http_connections_open 0\n")));
}

}  // namespace
}  // namespace etcdmon::api
