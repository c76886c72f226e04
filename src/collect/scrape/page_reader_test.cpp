#include "collect/scrape/page_reader.hpp"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/scrape/test_pages.hpp"

namespace etcdmon::collect {
namespace {

using test_pages::with_line;
using test_pages::with_value;

using Totals = std::map<Meaning, double>;

Totals totals_of(const PageReader& reader, const PageReader::Outcome& outcome) {
  Totals totals;
  reader.for_each_slot(
      [&](std::size_t slot, const Meaning& meaning) { totals[meaning] += outcome.values[slot]; });
  return totals;
}

Totals parse_fresh(const std::string& page) {
  PageReader reader(std::make_shared<LinePool>());
  const auto outcome = reader.read(page);
  return totals_of(reader, outcome);
}

class RealPage : public testing::TestWithParam<const char*> {
 protected:
  const std::string page_ = test_pages::load(GetParam());
};

TEST_P(RealPage, EverySampleIsReadAndNoneIsMalformed) {
  std::size_t lines = 0;
  std::size_t start = 0;
  while (start < page_.size()) {
    const auto stop = page_.find('\n', start);
    if (page_[start] != '#') ++lines;
    start = stop + 1;
  }
  std::size_t samples = 0;
  EXPECT_EQ(parse_exposition(page_, [&](const Sample&) { ++samples; }), 0U);
  EXPECT_EQ(samples, lines);
}

TEST_P(RealPage, TheSecondReadTakesTheRememberedLinesAndSeesTheSame) {
  PageReader reader(std::make_shared<LinePool>());
  const auto first = reader.read(page_);
  EXPECT_TRUE(first.relearned);
  EXPECT_EQ(first.malformed, 0U);
  const auto fresh = totals_of(reader, first);
  EXPECT_GE(first.values.size(), 860U);
  const auto second = reader.read(page_);
  EXPECT_FALSE(second.relearned);
  EXPECT_EQ(totals_of(reader, second), fresh);
}

TEST_P(RealPage, ValuesOfOtherLengthsKeepTheLayout) {
  PageReader reader(std::make_shared<LinePool>());
  reader.read(page_);
  std::string changed = with_value(page_, "etcd_mvcc_put_total", "123456789");
  changed = with_value(changed, "go_memstats_alloc_bytes_total", "8.123456789e+12");
  changed = with_value(changed, "process_cpu_seconds_total", "1.2345e+06");
  changed = with_value(changed, "go_threads", "77777");
  const auto outcome = reader.read(changed);
  EXPECT_FALSE(outcome.relearned);
  const auto totals = totals_of(reader, outcome);
  EXPECT_EQ(totals, parse_fresh(changed));
  EXPECT_EQ(totals.at({.family = Family::kPuts}), 123456789);
  EXPECT_FALSE(reader.read(page_).relearned);
}

TEST_P(RealPage, CoreScopeLeavesTheCallsOut) {
  PageReader reader(std::make_shared<LinePool>(Dictionary(Dictionary::Scope::kCore)));
  const auto outcome = reader.read(page_);
  EXPECT_GE(outcome.values.size(), 80U);
  EXPECT_LE(outcome.values.size(), 240U);
}

INSTANTIATE_TEST_SUITE_P(Versions, RealPage,
                         testing::Values("3.4.23", "3.5.16", "3.5.30", "3.6.14", "3.7.1"),
                         [](const auto& param_info) {
                           std::string name = param_info.param;
                           std::ranges::replace(name, '.', '_');
                           return "v" + name;
                         });

class PageReaderTest : public testing::Test {
 protected:
  PageReader::Outcome read(const std::string& page) {
    outcome_ = reader_.read(page);
    return outcome_;
  }
  double total(Family family, std::uint64_t peer = 0) {
    return totals_of(reader_, outcome_).at({.family = family, .peer = peer});
  }

  PageReader reader_{std::make_shared<LinePool>()};
  PageReader::Outcome outcome_;
};

const char* const kPage =
    "# HELP etcd_server_has_leader x\n# TYPE etcd_server_has_leader gauge\n"
    "etcd_server_has_leader 1\nunknown 5\n"
    "etcd_network_active_peers{Local=\"a1\",Remote=\"b2\"} 1\n"
    "etcd_network_active_peers{Local=\"a1\",Remote=\"c3\"} 0\n"
    "etcd_server_is_leader 0\nlast 1\n";

TEST_F(PageReaderTest, NewLinesInAGapAreFound) {
  EXPECT_TRUE(read(kPage).relearned);
  EXPECT_FALSE(read(kPage).relearned);
  const auto grown = with_line(kPage, "unknown", "etcd_server_is_learner 1");
  EXPECT_TRUE(read(grown).relearned);
  EXPECT_EQ(total(Family::kIsLearner), 1);
  EXPECT_FALSE(read(grown).relearned);
}

TEST_F(PageReaderTest, NewLinesAtTheEndAreFound) {
  read(kPage);
  EXPECT_TRUE(read(std::string(kPage) + "etcd_server_is_learner 1\n").relearned);
  EXPECT_EQ(total(Family::kIsLearner), 1);
}

TEST_F(PageReaderTest, ANewPeerInTheMiddleOfItsFamilyIsFound) {
  read(kPage);
  const auto grown = with_line(kPage, "etcd_network_active_peers{Local=\"a1\",Remote=\"c3\"}",
                               "etcd_network_active_peers{Local=\"a1\",Remote=\"bb\"} 1");
  EXPECT_TRUE(read(grown).relearned);
  EXPECT_EQ(total(Family::kPeerActive, 0xbb), 1);
  EXPECT_EQ(total(Family::kPeerActive, 0xc3), 0);
}

TEST_F(PageReaderTest, ForeignLinesInAGapRelearnOnceAtMost) {
  read(kPage);
  const auto grown = with_line(kPage, "unknown", "also_unknown 1");
  read(grown);
  EXPECT_FALSE(read(grown).relearned);
  EXPECT_EQ(total(Family::kIsLeader), 0);
}

TEST_F(PageReaderTest, ShrunkPagesAreReadAsTheyAre) {
  read(kPage);
  EXPECT_TRUE(read("etcd_server_has_leader 0\n").relearned);
  EXPECT_EQ(outcome_.values.size(), 1U);
  EXPECT_EQ(read("").values.size(), 0U);
  EXPECT_EQ(read(kPage).values.size(), 4U);
}

TEST_F(PageReaderTest, CarriageReturnsAndAMissingNewlineKeepTheLayout) {
  const std::string page = "etcd_server_has_leader 1\r\nx 1\r\netcd_server_is_leader 1";
  read(page);
  EXPECT_FALSE(read(page).relearned);
  EXPECT_EQ(total(Family::kIsLeader), 1);
}

TEST_F(PageReaderTest, MalformedLinesAreCountedEveryTime) {
  const std::string page = std::string(kPage) + "what is this\n<html>\n";
  EXPECT_EQ(read(page).malformed, 2U);
  EXPECT_EQ(read(page).malformed, 2U);
  EXPECT_EQ(total(Family::kHasLeader), 1);
}

TEST_F(PageReaderTest, AKeptLineThatBecomesMalformedIsCounted) {
  read(kPage);
  EXPECT_EQ(read(with_value(kPage, "etcd_server_is_leader", "yes")).malformed, 1U);
  EXPECT_EQ(outcome_.values.size(), 3U);
}

TEST_F(PageReaderTest, TimestampsAndIndentAreReadTheSlowWay) {
  const std::string page = "  etcd_server_has_leader 1 1700000000\n\tetcd_server_is_leader 0\n";
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(read(page).relearned);
    EXPECT_EQ(total(Family::kHasLeader), 1);
  }
}

TEST_F(PageReaderTest, RelearnsNowAndThen) {
  read(kPage);
  for (unsigned i = 0; i < PageReader::kRelearnEvery; ++i) EXPECT_FALSE(read(kPage).relearned);
  EXPECT_TRUE(read(kPage).relearned);
}

TEST(LinePool, MembersOfOneVersionShareTheirBlocks) {
  const auto pool = std::make_shared<LinePool>();
  const auto page = test_pages::load("3.5.16");
  auto first = std::make_unique<PageReader>(pool);
  first->read(page);
  const auto blocks = pool->blocks();
  PageReader second(pool);
  second.read(page);
  EXPECT_EQ(pool->blocks(), blocks);
  PageReader other(pool);
  other.read(
      with_line(page, "etcd_network_active_peers", "etcd_network_active_peers{Remote=\"f\"} 1"));
  EXPECT_EQ(pool->blocks(), blocks + 1);
}

TEST(LinePool, ForgetsBlocksThatNobodyUses) {
  const auto pool = std::make_shared<LinePool>();
  PageReader reader(pool);
  for (int i = 1; i < 2000; ++i) {
    reader.read("etcd_network_active_peers{Remote=\"" + std::to_string(i) + "\"} 1\n");
  }
  EXPECT_LE(pool->blocks(), 256U);
}

struct MeaningCase {
  const char* name;
  const char* line;
  std::optional<Meaning> want;
  friend std::ostream& operator<<(std::ostream& os, const MeaningCase& c) { return os << c.name; }
};

class MeaningOf : public testing::TestWithParam<MeaningCase> {};

TEST_P(MeaningOf, Line) {
  ExpositionReader reader(GetParam().line);
  Sample sample;
  ASSERT_TRUE(reader.next(sample));
  EXPECT_EQ(Dictionary().meaning_of(sample), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MeaningOf,
    testing::Values(
        MeaningCase{"Plain", "etcd_server_has_leader 1", Meaning{.family = Family::kHasLeader}},
        MeaningCase{"Unknown", "etcd_snap_fsync_duration_seconds_sum 1", std::nullopt},
        MeaningCase{"HistogramNameAlone", "etcd_disk_wal_fsync_duration_seconds 1", std::nullopt},
        MeaningCase{"Bucket", "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"+Inf\"} 1",
                    Meaning{.family = Family::kWalFsync, .part = Part::kBucket, .bound = INFINITY}},
        MeaningCase{"BucketWithoutBound", "etcd_disk_wal_fsync_duration_seconds_bucket 1",
                    std::nullopt},
        MeaningCase{"BucketBadBound", "etcd_disk_wal_fsync_duration_seconds_bucket{le=\"x\"} 1",
                    std::nullopt},
        MeaningCase{
            "PeerHistogram",
            "etcd_network_peer_round_trip_time_seconds_sum{To=\"1d99cc495b4af2c4\"} 1",
            Meaning{.family = Family::kPeerRtt, .part = Part::kSum, .peer = 0x1d99cc495b4af2c4}},
        MeaningCase{"PeerWithoutId", "etcd_network_peer_sent_bytes_total{To=\"zz\"} 1",
                    std::nullopt},
        MeaningCase{"UnknownPeer", "etcd_network_peer_received_bytes_total{From=\"0\"} 360",
                    Meaning{.family = Family::kPeerReceived}},
        MeaningCase{"ItselfIsNoPeer", "etcd_network_known_peers{Local=\"a5\",Remote=\"a5\"} 1",
                    std::nullopt},
        MeaningCase{"ServerId", "etcd_server_id{server_id=\"64674cd17a494f9e\"} 1",
                    Meaning{.family = Family::kServerId, .peer = 0x64674cd17a494f9e}},
        MeaningCase{"ApplyV2",
                    "etcd_server_apply_duration_seconds_count{op=\"PUT\",success=\"true\",version="
                    "\"v2\"} 4",
                    std::nullopt},
        MeaningCase{"ApplyV3",
                    "etcd_server_apply_duration_seconds_count{op=\"Put\",success=\"true\",version="
                    "\"v3\"} 4",
                    Meaning{.family = Family::kApply, .part = Part::kCount}},
        MeaningCase{
            "RequestPut",
            "etcd_server_request_duration_seconds_sum{success=\"true\",type=\"Put\"} 1",
            Meaning{.family = Family::kRequest, .part = Part::kSum, .group = Group::kWrite}},
        MeaningCase{
            "RequestReadonlyTxn",
            "etcd_server_request_duration_seconds_sum{success=\"true\",type=\"ReadonlyTxn\"} 1",
            Meaning{.family = Family::kRequest, .part = Part::kSum, .group = Group::kRead}},
        MeaningCase{"RequestOther",
                    "etcd_server_request_duration_seconds_sum{success=\"true\",type="
                    "\"ClusterVersionSet\"} 1",
                    std::nullopt},
        MeaningCase{"StartedRange",
                    "grpc_server_started_total{grpc_method=\"Range\",grpc_service=\"etcdserverpb."
                    "KV\",grpc_type=\"unary\"} 3",
                    Meaning{.family = Family::kGrpcStarted, .group = Group::kRead}},
        MeaningCase{"StartedWatch",
                    "grpc_server_started_total{grpc_method=\"Watch\",grpc_service=\"etcdserverpb."
                    "Watch\",grpc_type=\"bidi_stream\"} 1",
                    Meaning{.family = Family::kGrpcStarted, .group = Group::kStream}},
        MeaningCase{"HandledOk",
                    "grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"Put\",grpc_service="
                    "\"etcdserverpb.KV\",grpc_type=\"unary\"} 3",
                    Meaning{.family = Family::kGrpcHandled, .group = Group::kOther}},
        MeaningCase{"HandledNotFound",
                    "grpc_server_handled_total{grpc_code=\"NotFound\",grpc_method=\"Put\",grpc_"
                    "service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 3",
                    Meaning{.family = Family::kGrpcHandled, .group = Group::kOther}},
        MeaningCase{"HandledUnavailable",
                    "grpc_server_handled_total{grpc_code=\"Unavailable\",grpc_method=\"Put\",grpc_"
                    "service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 3",
                    Meaning{.family = Family::kGrpcHandled, .group = Group::kFailed}},
        MeaningCase{
            "HandlingTxn",
            "grpc_server_handling_seconds_count{grpc_method=\"Txn\",grpc_service=\"etcdserverpb."
            "KV\",grpc_type=\"unary\"} 3",
            Meaning{.family = Family::kGrpcHandling, .part = Part::kCount, .group = Group::kWrite}},
        MeaningCase{"HandlingStatus",
                    "grpc_server_handling_seconds_count{grpc_method=\"Status\",grpc_service="
                    "\"etcdserverpb.Maintenance\",grpc_type=\"unary\"} 3",
                    std::nullopt},
        MeaningCase{"HandlingStream",
                    "grpc_server_handling_seconds_count{grpc_method=\"Watch\",grpc_service="
                    "\"etcdserverpb.Watch\",grpc_type=\"bidi_stream\"} 3",
                    std::nullopt}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace etcdmon::collect
