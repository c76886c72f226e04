#include "collect/scrape/member_metrics.hpp"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/test_pages.hpp"

namespace etcdmon::collect {
namespace {

using namespace std::chrono_literals;
using enum model::Metric;
using model::Metric;
using test_pages::with_counters_at_zero;
using test_pages::with_value;
using testing::IsEmpty;

SteadyTime at(Duration since) {
  return SteadyTime{} + 1000h + since;
}
WallTime wall(Duration since) {
  return WallTime{} + 1'795'429'200s + since;
}

const std::optional<model::StatusSample> kNoStatus;

class MemberMetricsTest : public testing::Test {
 protected:
  void page(const std::string& body, Duration since) {
    metrics_.on_page(body, at(since), wall(since), 3ms);
    now_ = since;
  }
  std::optional<double> get(Metric metric) const { return view().values.get(metric); }
  model::MemberView view() const { return metrics_.view({at(now_), wall(now_)}, kNoStatus); }
  const model::LatencySummary* latency(const model::MemberView& view, std::string_view operation) {
    for (const auto& summary : view.latencies) {
      if (summary.operation == operation) return &summary;
    }
    return nullptr;
  }

  MemberMetrics metrics_;
  Duration now_{0};
};

// What stays null when two pages of an idle member were read, and nothing else is known.
std::vector<std::string> expected_nulls(const std::string& version) {
  std::vector<std::string> names = {"up",  // as it is judged
                                    "disk_total_bytes",
                                    "disk_free_bytes",
                                    "host_receive_bytes_per_second",
                                    "host_send_bytes_per_second",
                                    "db_growth_bytes_per_second",
                                    "db_size_in_4h_bytes",
                                    "raft_term",
                                    "raft_index",
                                    "raft_applied_index",
                                    "compact_revision"};
  const auto quantiles = [&](const std::string& what) {
    for (const char* q : {"p50", "p95", "p99"}) names.push_back(what + "_" + q + "_seconds");
  };
  for (const char* probe : {"probe_read", "probe_serializable", "probe_status", "probe_write"})
    quantiles(probe);
  const bool extensive = version.ends_with("extensive");
  if (version.starts_with("3.4")) quantiles("apply");
  if (!extensive) quantiles("server_read");
  if (!extensive && version != "3.7.1") quantiles("server_write");
  const bool alone = extensive || version == "3.6.14" || version == "3.7.1";
  if (alone) {
    for (const char* name :
         {"peer_receive_bytes_per_second", "peer_send_bytes_per_second", "peer_rtt_p99_seconds"}) {
      names.emplace_back(name);
    }
  }
  return names;
}

class Version : public testing::TestWithParam<const char*> {};

TEST_P(Version, HasTheValuesItHasSourcesForAndNoOthers) {
  const auto page = test_pages::load(GetParam());
  MemberMetrics metrics;
  ASSERT_TRUE(metrics.on_page(with_counters_at_zero(page), at(0s), wall(0s), 2ms));
  ASSERT_TRUE(metrics.on_page(page, at(10s), wall(10s), 2ms));
  const auto view = metrics.view({at(10s), wall(10s)}, kNoStatus);
  std::vector<std::string> nulls;
  for (const auto& doc : model::metric_docs()) {
    if (!view.values.get(doc.metric)) nulls.emplace_back(doc.name);
  }
  EXPECT_THAT(nulls, testing::UnorderedElementsAreArray(expected_nulls(GetParam())));
  EXPECT_EQ(metrics.malformed(), 0U);
  EXPECT_EQ(view.scrapes, 2U);
  EXPECT_EQ(view.scrape_failures, 0U);
  EXPECT_TRUE(metrics.facts()->server_id);
}

INSTANTIATE_TEST_SUITE_P(Pages, Version,
                         testing::Values("3.4.23", "3.4.23-extensive", "3.5.16", "3.5.30", "3.6.14",
                                         "3.7.1"),
                         [](const auto& param_info) {
                           std::string name = param_info.param;
                           std::ranges::replace(name, '.', '_');
                           std::ranges::replace(name, '-', '_');
                           return "v" + name;
                         });

TEST_F(MemberMetricsTest, Values3423) {
  const auto body = test_pages::load("3.4.23");
  page(with_counters_at_zero(body), 0s);
  page(body, 10s);
  EXPECT_EQ(get(kHasLeader), 1);
  EXPECT_EQ(get(kIsLeader), 1);
  EXPECT_NEAR(*get(kCpuCores), 0.012, 1e-9);
  EXPECT_EQ(get(kResidentMemory), 27672576);
  EXPECT_EQ(get(kHeapInUse), 22331392);
  EXPECT_EQ(get(kGoroutines), 96);
  EXPECT_EQ(get(kOpenFds), 34);
  EXPECT_EQ(get(kMaxFds), 20000);
  EXPECT_NEAR(*get(kRequestRate), 0.3, 1e-9);
  EXPECT_NEAR(*get(kWriteRequestRate), 0.1, 1e-9);
  EXPECT_EQ(get(kReadRequestRate), 0);
  EXPECT_EQ(get(kErrorRatio), 0);
  EXPECT_NEAR(*get(kPutRate), 0.1, 1e-9);
  EXPECT_NEAR(*get(kClientReceiveRate), 0.6, 1e-9);
  EXPECT_NEAR(*get(kClientSendRate), 13, 1e-9);
  EXPECT_NEAR(*get(kPeerReceiveRate), (360 + 3136 + 3136) / 10.0, 1e-9);
  EXPECT_NEAR(*get(kPeerSendRate), 2 * 3667 / 10.0, 1e-9);
  // 7 of 9 fsyncs within 1 ms, all within 2 ms.
  EXPECT_NEAR(*get(kWalFsyncP50), 0.001 * 4.5 / 7, 1e-12);
  EXPECT_NEAR(*get(kWalFsyncP95), 0.001 + 0.001 * (8.55 - 7) / 2, 1e-12);
  EXPECT_NEAR(*get(kWalFsyncP99), 0.001 + 0.001 * (8.91 - 7) / 2, 1e-12);
  EXPECT_NEAR(*get(kBackendCommitP50), 0.001 + 0.001 * (3.5 - 2) / 5, 1e-12);
  // To the slower peer: 1 of 2 within 0.4 ms, the other within 0.8 ms.
  EXPECT_NEAR(*get(kPeerRttP99), 0.0004 + 0.0004 * (1.98 - 1), 1e-12);
  EXPECT_EQ(get(kDbSize), 20480);
  EXPECT_EQ(get(kDbSizeInUse), 16384);
  EXPECT_EQ(get(kDbQuota), 2147483648);
  EXPECT_EQ(get(kProposalsCommittedRate), 0.9);
  EXPECT_EQ(get(kApplyLag), 0);
  EXPECT_EQ(get(kRevision), 2);
  EXPECT_EQ(get(kKeys), 1);
  EXPECT_EQ(get(kLeases), 0);
  EXPECT_EQ(get(kClientConnections), 0);
  EXPECT_EQ(get(kLeaderChangesSeen), 1);
  EXPECT_EQ(get(kScrapeDuration), 0.003);
  EXPECT_EQ(get(kScrapeBytes), body.size());
  EXPECT_EQ(get(kProcessStartTime), 1795429143.93);
  const auto seen = view();
  const auto* fsync = latency(seen, "wal_fsync");
  ASSERT_NE(fsync, nullptr);
  EXPECT_EQ(fsync->origin, "etcd_disk_wal_fsync_duration_seconds");
  EXPECT_EQ(fsync->source, model::LatencySummary::Source::kServer);
  EXPECT_EQ(fsync->count, 9U);
  EXPECT_EQ(fsync->window, 10s);
  EXPECT_NEAR(*fsync->p50_ms, 4.5 / 7, 1e-9);
  EXPECT_EQ(seen.read_latency_source, "");
}

TEST_F(MemberMetricsTest, ServerLatenciesComeFromRequestsIn37) {
  const auto body = test_pages::load("3.7.1");
  page(with_counters_at_zero(body), 0s);
  page(body, 10s);
  const auto seen = view();
  EXPECT_EQ(seen.write_latency_source, "etcd_server_request_duration_seconds");
  EXPECT_EQ(seen.read_latency_source, "");
  EXPECT_NEAR(*get(kServerWriteP50), 0.0005, 1e-12);  // 3 puts within 1 ms
  EXPECT_EQ(latency(seen, "write")->count, 3U);
  EXPECT_EQ(get(kClientConnections), 0);
}

TEST_F(MemberMetricsTest, OpenStreamsStandForClients) {
  page(with_value(test_pages::load("3.5.16"),
                  "grpc_server_started_total{grpc_method=\"Watch\",grpc_service=\"etcdserverpb."
                  "Watch\",grpc_type=\"bidi_"
                  "stream\"}",
                  "12"),
       0s);
  EXPECT_EQ(get(kClientConnections), 12);
  EXPECT_THAT(view().client_connections_source, testing::HasSubstr("open gRPC streams"));
}

TEST_F(MemberMetricsTest, ServerLatenciesComeFromHandlingTimesWithExtensiveMetrics) {
  const auto body = test_pages::load("3.4.23-extensive");
  page(with_counters_at_zero(body), 0s);
  page(body, 10s);
  EXPECT_EQ(view().read_latency_source, "grpc_server_handling_seconds");
  EXPECT_EQ(view().write_latency_source, "grpc_server_handling_seconds");
  EXPECT_NEAR(*get(kServerReadP50), 0.0025, 1e-12);
}

TEST_F(MemberMetricsTest, CountsBeyondAnyNumberAreHeldAtTheMost) {
  const auto body = with_counters_at_zero(test_pages::load("3.4.23-extensive"));
  page(body, 0s);
  page(with_value(body,
                  "grpc_server_handling_seconds_bucket{grpc_method=\"Put\",grpc_service="
                  "\"etcdserverpb.KV\","
                  "grpc_type=\"unary\",le=\"+Inf\"}",
                  "5.5e107"),
       10s);
  EXPECT_EQ(latency(view(), "write")->count, 1'000'000'000'000'000'000U);
}

TEST_F(MemberMetricsTest, ApplyTimesAreThoseOfTheV3Store) {
  const auto body = test_pages::load("3.5.16");
  page(with_counters_at_zero(body), 0s);
  page(body, 10s);
  EXPECT_EQ(latency(view(), "apply")->count, 1U);
  EXPECT_NEAR(*get(kApplyP50), 0.0003, 1e-12);  // one put between 0.2 and 0.4 ms
}

TEST_F(MemberMetricsTest, OnePageGivesGaugesButNoRates) {
  page(test_pages::load("3.5.16"), 0s);
  EXPECT_TRUE(get(kDbSize));
  EXPECT_EQ(get(kCpuCores), std::nullopt);
  EXPECT_EQ(get(kWalFsyncP99), std::nullopt);
  EXPECT_EQ(get(kErrorRatio), std::nullopt);
}

TEST_F(MemberMetricsTest, AnIdleMemberHasRatesOfZeroAndNoQuantiles) {
  const auto body = test_pages::load("3.5.16");
  page(body, 0s);
  page(body, 10s);
  EXPECT_EQ(get(kPutRate), 0);
  EXPECT_EQ(get(kRequestRate), 0);
  EXPECT_EQ(get(kErrorRatio), std::nullopt);
  EXPECT_EQ(get(kWalFsyncP50), std::nullopt);
}

TEST_F(MemberMetricsTest, RatesCoverFiveMinutes) {
  auto body = test_pages::load("3.4.23");
  for (int i = 0; i <= 60; ++i) {
    const int puts = i <= 29 ? 1000 * i : 29'000 + 10 * (i - 29);
    page(with_value(body, "etcd_mvcc_put_total", std::to_string(puts)), i * 10s);
  }
  EXPECT_NEAR(*get(kPutRate), 1, 1e-9);
}

TEST_F(MemberMetricsTest, ErrorsAreWhatBlamesTheServer) {
  const auto body = test_pages::load("3.4.23");
  page(with_counters_at_zero(body), 0s);
  const std::string put =
      "grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} ";
  auto later = body;
  const auto set = [&](const std::string& code, int value) {
    const std::string head = "grpc_server_handled_total{grpc_code=\"" + code + "\"," + put;
    later = with_value(later, head.substr(0, head.size() - 1), std::to_string(value));
  };
  set("OK", 58);
  set("Unavailable", 25);
  set("DeadlineExceeded", 5);
  set("NotFound", 10);
  page(later, 10s);
  EXPECT_NEAR(*get(kErrorRatio), 0.3, 1e-12);  // of 98 puts and 2 other calls
}

TEST_F(MemberMetricsTest, ARestartStartsTheRatesAnew) {
  auto body = test_pages::load("3.4.23");
  for (int i = 0; i <= 6; ++i) {
    auto now = with_value(body, "etcd_mvcc_put_total", std::to_string(100'000 + 1000 * i));
    page(with_value(now, "process_cpu_seconds_total", std::to_string(50 + i)), i * 10s);
  }
  EXPECT_NEAR(*get(kPutRate), 100, 1e-9);
  // The new process passed the old one's count at once: only the start time tells.
  const auto restarted = with_value(body, "process_start_time_seconds", "1.79542926e+09");
  page(with_value(restarted, "etcd_mvcc_put_total", "200000"), 70s);
  EXPECT_EQ(get(kPutRate), std::nullopt);
  EXPECT_EQ(metrics_.facts()->process_start_time, 1795429260);
  page(with_value(restarted, "etcd_mvcc_put_total", "200050"), 80s);
  EXPECT_NEAR(*get(kPutRate), 5, 1e-9);
}

TEST_F(MemberMetricsTest, AClockThatIsSetIsNoRestart) {
  auto body = test_pages::load("3.4.23");
  page(with_value(body, "process_cpu_seconds_total", "50"), 0s);
  page(with_value(body, "process_cpu_seconds_total", "51"), 10s);
  auto stepped = with_value(body, "process_start_time_seconds", "1.79542814393e+09");
  page(with_value(stepped, "process_cpu_seconds_total", "52"), 20s);
  EXPECT_NEAR(*get(kCpuCores), 0.1, 1e-9);
}

TEST_F(MemberMetricsTest, OldPagesSayNothing) {
  const auto body = test_pages::load("3.4.23");
  page(body, 0s);
  page(body, 10s);
  now_ = 40s;
  EXPECT_TRUE(get(kDbSize));
  now_ = 46s;
  EXPECT_EQ(get(kDbSize), std::nullopt);
  EXPECT_THAT(view().latencies, IsEmpty());
}

TEST_F(MemberMetricsTest, NothingAskedIsNothingKnown) {
  EXPECT_EQ(get(kDbSize), std::nullopt);
  metrics_.on_failure();
  EXPECT_EQ(view().scrape_failures, 1U);
}

TEST_F(MemberMetricsTest, APageThatIsNoneOfEtcdsIsAFailure) {
  EXPECT_FALSE(metrics_.on_page("<html>hello</html>\n", at(0s), wall(0s), 1ms));
  EXPECT_FALSE(metrics_.on_page("", at(1s), wall(1s), 1ms));
  EXPECT_EQ(view().scrape_failures, 0U) << "whoever fetched it counts";
  EXPECT_EQ(metrics_.malformed(), 1U);
  EXPECT_FALSE(metrics_.facts());
  EXPECT_TRUE(metrics_.on_page("etcd_server_has_leader 1\n", at(2s), wall(2s), 1ms));
  EXPECT_EQ(metrics_.facts()->has_leader, true);
}

TEST_F(MemberMetricsTest, StatusIsFresherThanThePageButNotForever) {
  page(test_pages::load("3.4.23"), 0s);
  model::StatusSample status;
  status.received = at(5s);
  status.member_id = MemberId{1};
  status.leader = MemberId{2};
  status.raft_term = 7;
  status.revision = 99;
  status.db_size = 1'000'000;
  status.db_size_quota = 4'000'000;
  const auto seen = [&](Duration since) {
    return metrics_.view({at(since), wall(since)}, status).values;
  };
  EXPECT_EQ(seen(6s).get(kDbSize), 1'000'000);
  EXPECT_EQ(seen(6s).get(kDbSizeInUse), 16384);
  EXPECT_EQ(seen(6s).get(kDbQuota), 4'000'000);
  EXPECT_EQ(seen(6s).get(kIsLeader), 0);
  EXPECT_EQ(seen(6s).get(kHasLeader), 1);
  EXPECT_EQ(seen(6s).get(kRaftTerm), 7);
  page(test_pages::load("3.4.23"), 10s);
  EXPECT_EQ(seen(11s).get(kDbSize), 20480);
  EXPECT_EQ(seen(11s).get(kRaftTerm), 7);
  EXPECT_EQ(seen(41s).get(kRaftTerm), std::nullopt);
}

TEST_F(MemberMetricsTest, ProbesAreShownWithTheirNumber) {
  for (int i = 1; i <= 20; ++i) {
    metrics_.on_probe(ProbeKind::kLinearizableRead, i * 1ms, at(i * 30s));
    metrics_.on_probe(ProbeKind::kStatus, 1ms, at(i * 30s));
  }
  now_ = 600s;
  const auto seen = view();
  EXPECT_NEAR(*seen.values.get(kProbeReadP50), 0.010, 0.0001);
  EXPECT_NEAR(*seen.values.get(kProbeReadP95), 0.019, 0.0002);
  EXPECT_EQ(seen.values.get(kProbeReadP99), std::nullopt);
  EXPECT_EQ(seen.values.get(kProbeWriteP50), std::nullopt);
  const auto* read = latency(seen, "linearizable_read");
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->count, 20U);
  EXPECT_EQ(read->origin, "probe");
  EXPECT_EQ(read->window, 10min);
  EXPECT_EQ(latency(seen, "write"), nullptr);
  EXPECT_NEAR(*seen.read_probe_median_1m_ms, 19, 0.2);
  now_ = 700s;
  EXPECT_EQ(view().read_probe_median_1m_ms, std::nullopt);
}

TEST_F(MemberMetricsTest, TheHostAddsDiskAndNetwork) {
  metrics_.on_node_page(
      "node_filesystem_avail_bytes{mountpoint=\"/\"} "
      "5\nnode_filesystem_size_bytes{mountpoint=\"/\"} 9\n",
      at(0s));
  EXPECT_EQ(get(kDiskFree), 5);
  EXPECT_EQ(get(kDiskTotal), 9);
  now_ = 60s;
  EXPECT_EQ(get(kDiskFree), std::nullopt);
}

TEST_F(MemberMetricsTest, GrowthNeedsFiveMinutesAndCoversAnHour) {
  const auto body = test_pages::load("3.4.23");
  for (int i = 0; i <= 400; ++i) {
    page(with_value(body, "etcd_mvcc_db_total_size_in_bytes", std::to_string(1'000'000 + 4096 * i)),
         i * 10s);
    if (i == 29) {
      EXPECT_EQ(get(kDbGrowthRate), std::nullopt);
    }
    if (i == 30) {
      EXPECT_NEAR(*get(kDbGrowthRate), 409.6, 1e-6);
    }
  }
  EXPECT_NEAR(*get(kDbGrowthRate), 409.6, 1e-6);
}

// A page of a member under load: every line that was ever counted grows, all buckets of a histogram
// alike, the lowest by half.
class BusyMember {
 public:
  explicit BusyMember(const std::string& page) {
    for (std::size_t start = 0; start < page.size();) {
      const auto stop = page.find('\n', start);
      const std::string_view line(page.data() + start, stop - start);
      const auto blank = line.rfind(' ');
      const bool moves =
          line[0] != '#' && line.substr(blank) != " 0" && !line.starts_with("etcd_server_");
      lines_.push_back({std::string(moves ? line.substr(0, blank + 1) : line), moves, 0});
      start = stop + 1;
    }
  }

  std::string next() {
    std::string page;
    std::string family;
    std::uint64_t step = 0;
    for (auto& line : lines_) {
      if (line.moves) {
        const auto name = line.head.substr(0, line.head.find_first_of("{ "));
        const bool lowest = name != family;
        if (lowest) step = random_() % 2000;
        family = name;
        line.value += lowest ? step / 2 : step;
      }
      page += line.head + (line.moves ? std::to_string(line.value) + "\n" : "\n");
    }
    return page;
  }

 private:
  struct Line {
    std::string head;
    bool moves;
    std::uint64_t value;
  };
  std::vector<Line> lines_;
  std::mt19937 random_{9};
};

// The budget of a fleet: a thousand members with an hour each in 250 MB, of which connections and
// the program itself take their part.
TEST_F(MemberMetricsTest, AnHourOfABusyMemberTakesLessThan100KiB) {
  BusyMember member(test_pages::load("3.5.16"));
  for (int i = 0; i < 360; ++i)
    page(member.next(), i * 10s + std::chrono::microseconds(i * 7919 % 4000));
  RecordProperty("bytes", static_cast<int>(metrics_.memory_bytes()));
  RecordProperty("bytes_of_series", static_cast<int>(metrics_.series().memory_bytes()));
  RecordProperty("columns", static_cast<int>(metrics_.series().columns()));
  EXPECT_EQ(metrics_.series().rows(), 360U);
  EXPECT_LT(metrics_.memory_bytes(), 100U << 10U);
}

}  // namespace
}  // namespace etcdmon::collect
