#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/rest/pages.hpp"
#include "api/testing/views.hpp"

namespace etcdmon::api::rest {
namespace {

using namespace testing;
using nlohmann::json;

TEST(CurrentMetricsPage, IsTheSpecificationsExample) {
  const auto page = json::parse(current_metrics_page(example_view()));
  const auto example = json::parse(R"json({
    "timestamp": "2025-10-11T12:45:00Z",
    "request_rate": 1250.5,
    "read_latency_p50": 2.5,
    "read_latency_p95": 8.2,
    "read_latency_p99": 15.3,
    "write_latency_p50": 5.1,
    "write_latency_p95": 12.4,
    "write_latency_p99": 25.7,
    "db_size": 104857600,
    "db_size_in_use": 95234816
  })json");
  for (const auto& [name, value] : example.items()) EXPECT_EQ(page[name], value) << name;
}

TEST(CurrentMetricsPage, NamesEveryMetricAndSaysNullWhereUnknown) {
  auto view = example_view();
  view.members[0].values.set(model::Metric::kWalFsyncP99, 0.004);
  view.members[0].values.set(model::Metric::kOpenFds, INFINITY);
  view.members[0].read_latency_source = "etcd_server_range_duration_seconds";
  view.metrics.totals.set(model::Metric::kWatchers, 12);
  view.metrics.write_latency_p99_ms.reset();
  const auto page = json::parse(current_metrics_page(view));
  const auto& member = page["members"][0];
  EXPECT_EQ(member["name"], "infra2");
  ASSERT_EQ(member["metrics"].size(), model::kMetricCount);
  for (const auto& doc : model::metric_docs()) {
    ASSERT_TRUE(member["metrics"].contains(doc.name)) << doc.name;
  }
  EXPECT_EQ(member["metrics"]["wal_fsync_p99_seconds"], 0.004);
  EXPECT_TRUE(member["metrics"]["wal_fsync_p50_seconds"].is_null());
  EXPECT_TRUE(member["metrics"]["open_fds"].is_null());
  EXPECT_EQ(member["sources"]["server_read"], "etcd_server_range_duration_seconds");
  EXPECT_TRUE(member["sources"]["server_write"].is_null());
  EXPECT_EQ(page["totals"]["watchers"], 12.0);
  EXPECT_TRUE(page["write_latency_p99"].is_null());
  EXPECT_EQ(page["sources"]["read_latency"], "probe");
  EXPECT_TRUE(page["sources"]["write_latency"].is_null());
}

TEST(CurrentMetricsPage, BeforeAnythingIsKnown) {
  const auto page = json::parse(current_metrics_page(model::ClusterView{}));
  EXPECT_TRUE(page["timestamp"].is_null());
  EXPECT_TRUE(page["request_rate"].is_null());
  EXPECT_EQ(page["members"], json::array());
}

TEST(LatencyPage, PerMemberAndOperation) {
  auto view = example_view();
  view.members[1].latencies = {{.operation = "linearizable_read",
                                .source = model::LatencySummary::Source::kProbe,
                                .origin = "probe",
                                .count = 57,
                                .window = 10min,
                                .p50_ms = 1.5,
                                .p95_ms = 4,
                                .p99_ms = {}},
                               {.operation = "wal_fsync",
                                .source = model::LatencySummary::Source::kServer,
                                .origin = "etcd_disk_wal_fsync_duration_seconds",
                                .count = 1000,
                                .window = 5min,
                                .p50_ms = 0.5,
                                .p95_ms = 1,
                                .p99_ms = 2}};
  const auto page = json::parse(latency_page(view));
  EXPECT_EQ(page["read"]["source"], "probe");
  EXPECT_EQ(page["read"]["p99_ms"], 15.3);
  EXPECT_EQ(page["members"][0]["operations"], json::array());
  EXPECT_EQ(page["members"][1]["operations"], json::parse(R"json([
    {"operation": "linearizable_read", "source": "probe", "origin": "probe", "count": 57,
     "window_seconds": 600.0, "p50_ms": 1.5, "p95_ms": 4.0, "p99_ms": null},
    {"operation": "wal_fsync", "source": "server",
     "origin": "etcd_disk_wal_fsync_duration_seconds", "count": 1000, "window_seconds": 300.0,
     "p50_ms": 0.5, "p95_ms": 1.0, "p99_ms": 2.0}])json"));
}

}  // namespace
}  // namespace etcdmon::api::rest
