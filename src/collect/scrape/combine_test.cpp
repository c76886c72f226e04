#include <vector>

#include <gtest/gtest.h>

#include "collect/scrape/derive.hpp"

namespace etcdmon::collect {
namespace {

using enum model::Metric;

model::MemberView member(std::vector<std::pair<model::Metric, double>> values) {
  model::MemberView view;
  for (const auto& [metric, value] : values) view.values.set(metric, value);
  return view;
}

TEST(Combine, NothingKnownIsNull) {
  const auto metrics = combine({}, std::vector<model::MemberView>(3));
  EXPECT_EQ(metrics.request_rate, std::nullopt);
  EXPECT_EQ(metrics.error_ratio, std::nullopt);
  EXPECT_EQ(metrics.read_latency_p50_ms, std::nullopt);
  EXPECT_EQ(metrics.read_latency_source, "");
  EXPECT_EQ(metrics.db_size, std::nullopt);
  EXPECT_EQ(metrics.totals.get(kKeys), std::nullopt);
}

TEST(Combine, SumsOwnWorkAndTakesTheLargestOfTheRest) {
  model::Observation seen;
  seen.at.wall = WallTime{} + std::chrono::seconds(7);
  const auto metrics = combine(seen, std::vector{member({{kRequestRate, 10},
                                                         {kPutRate, 5},
                                                         {kWatchers, 2},
                                                         {kWalFsyncP99, 0.01},
                                                         {kDbSize, 100},
                                                         {kDbQuota, 900},
                                                         {kUp, 1}}),
                                                 member({{kRequestRate, 30},
                                                         {kPutRate, 6},
                                                         {kWatchers, 3},
                                                         {kWalFsyncP99, 0.5},
                                                         {kDbSize, 300},
                                                         {kDbSizeInUse, 200},
                                                         {kDbGrowthRate, -1},
                                                         {kUp, 0}}),
                                                 member({})});
  EXPECT_EQ(metrics.at, seen.at.wall);
  EXPECT_EQ(metrics.request_rate, 40);
  EXPECT_EQ(metrics.totals.get(kPutRate), 6);
  EXPECT_EQ(metrics.totals.get(kWatchers), 5);
  EXPECT_EQ(metrics.totals.get(kWalFsyncP99), 0.5);
  EXPECT_EQ(metrics.totals.get(kUp), 1);
  EXPECT_EQ(metrics.db_size, 300U);
  EXPECT_EQ(metrics.db_size_in_use, 200U);
  EXPECT_EQ(metrics.db_quota, std::nullopt);
  EXPECT_EQ(metrics.db_growth_rate, -1);
}

TEST(ApplyReach, UpIsWhoIsJudgedAlive) {
  using model::Reach;
  const std::vector<std::pair<Reach, std::optional<double>>> table = {
      {Reach::kUnknown, std::nullopt},
      {Reach::kReachable, 1},
      {Reach::kSuspect, 1},
      {Reach::kUnreachable, 0},
      {Reach::kHung, 0},
      {Reach::kBackendBusy, 1},
      {Reach::kDefragmenting, 1},
      {Reach::kUnstarted, 0},
      {Reach::kNotAuthorised, 1},
      {Reach::kMisAddressed, std::nullopt},
  };
  model::Assessment judged;
  std::vector<model::MemberView> members(table.size());
  for (const auto& [reach, up] : table) judged.members.emplace_back().reach = reach;
  apply_reach(judged, members);
  for (std::size_t i = 0; i < table.size(); ++i)
    EXPECT_EQ(members[i].values.get(kUp), table[i].second) << model::name_of(table[i].first);
}

TEST(Combine, ErrorsWeighAsTheRequestsTheyCameFrom) {
  const auto metrics = combine({}, std::vector{member({{kRequestRate, 90}, {kErrorRatio, 0}}),
                                               member({{kRequestRate, 10}, {kErrorRatio, 0.5}}),
                                               member({{kRequestRate, 1000}})});
  EXPECT_DOUBLE_EQ(*metrics.error_ratio, 0.05);
  EXPECT_DOUBLE_EQ(*metrics.totals.get(kErrorRatio), 0.05);
}

TEST(Combine, LatenciesAreTheSlowestMembersAndServersComeFirst) {
  auto fast = member({{kServerReadP50, 0.001}, {kServerReadP99, 0.002}, {kProbeReadP50, 9}});
  fast.read_latency_source = "etcd_server_request_duration_seconds";
  auto slow = member({{kServerReadP50, 0.0005},
                      {kServerReadP95, 0.003},
                      {kServerReadP99, 0.004},
                      {kProbeWriteP50, 0.02}});
  slow.read_latency_source = "grpc_server_handling_seconds";
  const auto metrics = combine({}, std::vector{fast, slow});
  EXPECT_EQ(metrics.read_latency_p50_ms, 0.5);
  EXPECT_EQ(metrics.read_latency_p95_ms, 3);
  EXPECT_EQ(metrics.read_latency_p99_ms, 4);
  EXPECT_EQ(metrics.read_latency_source, "server: grpc_server_handling_seconds");
  EXPECT_EQ(metrics.write_latency_p50_ms, 20);
  EXPECT_EQ(metrics.write_latency_p99_ms, std::nullopt);
  EXPECT_EQ(metrics.write_latency_source, "probe");
}

}  // namespace
}  // namespace etcdmon::collect
