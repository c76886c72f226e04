#include "collect/scrape/digest.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/test_pages.hpp"

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;
using test_pages::with_line;
using test_pages::with_value;
using testing::ElementsAre;

SteadyTime at(Duration since) {
  return SteadyTime{} + 100h + since;
}

class DigestTest : public testing::Test {
 protected:
  void read(const std::string& page, Duration since = 0s) {
    const auto outcome = reader_.read(page);
    if (outcome.relearned) digest_.bind(reader_, series_, at(since));
    digest_.fill(outcome.values, row_);
    ASSERT_EQ(row_.size(), series_.columns());
    series_.append(at(since), WallTime{} + since, row_);
    facts_ = digest_.facts(at(since), row_);
  }

  PageReader reader_{std::make_shared<LinePool>()};
  series::MemberSeries series_;
  Digest digest_;
  std::vector<double> row_;
  model::MetricsFacts facts_;
};

TEST_F(DigestTest, FactsOfAThreeMemberCluster) {
  read(test_pages::load("3.4.23"));
  EXPECT_EQ(facts_.at, at(0s));
  EXPECT_EQ(facts_.process_start_time, 1795429143.93);
  EXPECT_EQ(facts_.has_leader, true);
  EXPECT_EQ(facts_.is_leader, true);
  EXPECT_EQ(facts_.is_learner, false);
  EXPECT_EQ(facts_.defrag_inflight, false);
  EXPECT_EQ(facts_.snapshot_apply_inflight, false);
  EXPECT_EQ(facts_.leader_changes_seen, 1);
  EXPECT_EQ(facts_.server_id, MemberId{0x64674cd17a494f9e});
  EXPECT_EQ(facts_.quota, 2147483648U);
  EXPECT_EQ(facts_.compact_revision, -1);
  EXPECT_EQ(facts_.auth_revision, 1);
  ASSERT_EQ(facts_.peers.size(), 2U);
  EXPECT_EQ(facts_.peers[0].id, MemberId{0x1d99cc495b4af2c4});
  EXPECT_EQ(facts_.peers[0].active, 1);
  EXPECT_EQ(facts_.peers[0].known, std::nullopt);
  EXPECT_EQ(facts_.peers[0].disconnected_total, 0);
  EXPECT_EQ(facts_.peers[0].rtt_count, 2);
  EXPECT_DOUBLE_EQ(*facts_.peers[0].rtt_sum_seconds, 0.000288);
  EXPECT_EQ(facts_.peers[1].id, MemberId{0x4dc2c1574eeb8792});
}

TEST_F(DigestTest, AMemberAloneHasNoPeers) {
  for (const char* version : {"3.6.14", "3.7.1"}) {
    read(test_pages::load(version));
    EXPECT_TRUE(facts_.peers.empty()) << version;
    EXPECT_TRUE(facts_.server_id) << version;
  }
}

TEST_F(DigestTest, PeerTroublesAreCountedAndKnownPeersAreSeen) {
  read(
      "etcd_network_known_peers{Local=\"a\",Remote=\"a\"} 1\n"
      "etcd_network_known_peers{Local=\"a\",Remote=\"b\"} 1\n"
      "etcd_network_known_peers{Local=\"a\",Remote=\"c\"} 1\n"
      "etcd_network_active_peers{Local=\"a\",Remote=\"b\"} 0\n"
      "etcd_network_disconnected_peers_total{Local=\"a\",Remote=\"b\"} 3\n"
      "etcd_network_peer_sent_failures_total{To=\"b\"} 7\n"
      "etcd_network_peer_received_bytes_total{From=\"0\"} 360\n"
      "etcd_network_peer_received_bytes_total{From=\"b\"} 3487\n"
      "etcd_network_peer_received_failures_total{From=\"b\"} 2\n");
  EXPECT_EQ(facts_.link_beat_bytes, 360);
  ASSERT_EQ(facts_.peers.size(), 2U);
  EXPECT_EQ(facts_.peers[0].id, MemberId{0xb});
  EXPECT_EQ(facts_.peers[0].known, 1);
  EXPECT_EQ(facts_.peers[0].active, 0);
  EXPECT_EQ(facts_.peers[0].disconnected_total, 3);
  EXPECT_EQ(facts_.peers[0].sent_failures_total, 7);
  EXPECT_EQ(facts_.peers[0].received_failures_total, 2);
  EXPECT_EQ(facts_.peers[0].received_bytes_total, 3487);
  EXPECT_EQ(facts_.peers[1].id, MemberId{0xc});
  EXPECT_EQ(facts_.peers[1].active, std::nullopt);
}

TEST_F(DigestTest, AbsentFactsAreUnknown) {
  read("etcd_server_has_leader 0\netcd_server_quota_backend_bytes -1\n");
  EXPECT_EQ(facts_.has_leader, false);
  EXPECT_EQ(facts_.is_leader, std::nullopt);
  EXPECT_EQ(facts_.quota, std::nullopt);
  EXPECT_EQ(facts_.server_id, std::nullopt);
  EXPECT_EQ(facts_.process_start_time, std::nullopt);
}

TEST_F(DigestTest, BucketsAreKeptOneByOneWhateverTheirOrder) {
  read(
      "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"+Inf\"} 10\n"
      "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.002\"} 9\n"
      "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"0.001\"} 4\n"
      "etcd_disk_wal_fsync_duration_seconds_sum 0.1234567891\n"
      "etcd_disk_wal_fsync_duration_seconds_count 10\n");
  ASSERT_EQ(digest_.histograms().size(), 1U);
  const auto& histogram = digest_.histograms()[0];
  std::vector<double> counts;
  std::vector<double> bounds;
  for (const auto bucket : histogram.buckets) {
    counts.push_back(row_[bucket]);
    bounds.push_back(digest_.bound_of(bucket));
  }
  EXPECT_THAT(counts, ElementsAre(4, 5, 1));
  EXPECT_THAT(bounds, ElementsAre(0.001, 0.002, INFINITY));
  EXPECT_EQ(row_[*histogram.sum], 0.123457);
  EXPECT_EQ(row_[*histogram.count], 10);
}

TEST_F(DigestTest, LabelSetsOfOneGroupAreSummed) {
  read(
      "grpc_server_started_total{grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type="
      "\"unary\"} 5\n"
      "grpc_server_started_total{grpc_method=\"Txn\",grpc_service=\"etcdserverpb.KV\",grpc_type="
      "\"unary\"} 7\n"
      "grpc_server_started_total{grpc_method=\"Range\",grpc_service=\"etcdserverpb.KV\",grpc_type="
      "\"unary\"} 1\n");
  EXPECT_EQ(row_[*digest_.column(Family::kGrpcStarted, Group::kWrite)], 12);
  EXPECT_EQ(row_[*digest_.column(Family::kGrpcStarted, Group::kRead)], 1);
  EXPECT_EQ(digest_.column(Family::kGrpcStarted, Group::kOther), std::nullopt);
}

TEST_F(DigestTest, ColumnsStayWithTheirMeaningWhenLinesComeAndGo) {
  const std::string page = "etcd_server_has_leader 1\netcd_mvcc_put_total 5\n";
  read(page);
  const auto puts = digest_.column(Family::kPuts);
  read(with_line("\n" + page, "etcd_mvcc_put_total", "etcd_server_is_leader 1"), 10s);
  EXPECT_EQ(digest_.column(Family::kPuts), puts);
  EXPECT_EQ(series_.columns(), 3U);
  read("etcd_server_has_leader 1\n", 20s);
  EXPECT_EQ(digest_.column(Family::kPuts), std::nullopt);
  EXPECT_TRUE(std::isnan(series_.last(*puts)));
  read(page, 30s);
  EXPECT_EQ(digest_.column(Family::kPuts), puts);
}

// Members come and go for years; their columns must not pile up.
TEST_F(DigestTest, ColumnsOfPeersThatAreGoneAreUsedAgain) {
  for (int i = 1; i <= 100; ++i) {
    const auto peer = std::to_string(i);
    const std::string page = "etcd_network_active_peers{Remote=\"" + peer + "\"} 1\n";
    for (int k = 0; k < 6; ++k) read(page, 1h * i + 10min * k);
  }
  EXPECT_LE(series_.columns(), 6U);
  EXPECT_EQ(digest_.peers().size(), 1U);
}

TEST_F(DigestTest, EveryVersionKeepsAModestNumberOfColumns) {
  for (const char* version :
       {"3.4.23", "3.4.23-extensive", "3.5.16", "3.5.30", "3.6.14", "3.7.1"}) {
    PageReader reader(std::make_shared<LinePool>());
    series::MemberSeries series;
    Digest digest;
    reader.read(test_pages::load(version));
    digest.bind(reader, series, at(0s));
    EXPECT_GE(series.columns(), 80U) << version;
    EXPECT_LE(series.columns(), 170U) << version;
    RecordProperty(std::string("columns_") + version, static_cast<int>(series.columns()));
  }
}

}  // namespace
}  // namespace etcdmon::collect
