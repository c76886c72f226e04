#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bench/report/csv.hpp"
#include "bench/report/etcd_format.hpp"
#include "bench/report/html.hpp"
#include "bench/report/json.hpp"
#include "bench/report/preset.hpp"
#include "bench/report/progress.hpp"
#include "bench/report/testing/records.hpp"
#include "bench/report/text.hpp"

namespace etcdmon::bench::report {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::example_record;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(TextReport, IsTheBlockOfTheSpecificationAndMore) {
  EXPECT_EQ(text(example_record()), R"(=== Benchmark Results ===
Type:             mixed
Duration:         2.5s
Total Operations: 100
Successful:       98
Failed:           2
Throughput:       39.20 ops/sec

Latency:
  Average:        35.00 ms
  P50:            34.87 ms
  P95:            64.75 ms
  P99:            69.00 ms
  Min:            1.00 ms
  Max:            69.00 ms
  P99.9:          69.00 ms

Operations (ms):
                         ok   failed      ok/sec   average       P50       P99     P99.9       max
  read                   69        1       27.60     35.00     34.87     69.00     69.00     69.00
  write                  29        1       11.60     35.00     34.87     49.00     49.00     49.00

Errors:
  Unavailable               2  etcdserver: <leader> changed, "retry"

Second by second (ms):
       at      ok/sec   failed       P50       P99       max
       0s        40.0        0     30.00     60.00     65.00
       1s        40.0        2     31.00     61.00     69.00
       2s        36.0        0     29.00     59.00     62.00

Targets:
  missed      reads and writes >= 40000 and 20000 ops/sec, shared: 27.60 and 11.60 ops/sec (0 % of the target)
  met         P99 < 100ms: 69.00 ms

Notes:
  - closed loop: while the cluster stalls nothing is asked, so a stall counts once for each client; --rate shows what users would see
)");
}

TEST(TextReport, TheClientsLimitIsNeverTheClusters) {
  auto record = example_record();
  record.result.client.limited = "the load loop was busy 97 % of the time";
  EXPECT_THAT(text(record),
              HasSubstr("Throughput:       39.20 ops/sec (this client's limit, not the cluster's: "
                        "the load loop was busy 97 % of the time)\n"));
  EXPECT_THAT(html(record), HasSubstr("client&#39;s limit, not the cluster&#39;s"));
}

TEST(TextReport, NothingMeasuredIsNotZero) {
  Record record;
  record.result.workload = "read";
  EXPECT_THAT(text(record),
              AllOf(HasSubstr("  P99:            -\n"), HasSubstr("Duration:         0.000s\n")));
}

TEST(TextReport, ALongRunIsToldInFewRows) {
  auto record = example_record();
  record.result.seconds.clear();
  for (int i = 0; i < 100; ++i) {
    record.result.seconds.push_back({.at = std::chrono::seconds(i),
                                     .length = 1s,
                                     .succeeded = 100,
                                     .p50 = testing::kMs,
                                     .p99 = (i == 42 ? 900 : 2) * testing::kMs});
  }
  const auto told = text(record);
  EXPECT_THAT(told, AllOf(HasSubstr("Every 5 seconds"),
                          HasSubstr("      40s       100.0        0      1.00    900.00"),
                          HasSubstr("      95s ")));
  EXPECT_THAT(told, Not(HasSubstr("      41s")));
}

TEST(TextReport, ASliverOfASecondIsNoRow) {
  auto record = example_record();
  record.result.seconds.push_back({.at = 3s, .length = 2ms});
  EXPECT_THAT(text(record), Not(HasSubstr("       3s")));
}

TEST(TextReport, SaysWhatWentWrong) {
  auto record = example_record();
  record.result.end = RunResult::End::kAborted;
  record.result.why_aborted = "the leader changed";
  record.result.leader_changes = {{.at = 1'200ms, .term_before = 4, .term_after = 5}};
  record.result.client.dropped = 7;
  record.result.keys_removed.reset();
  EXPECT_THAT(text(record),
              AllOf(HasSubstr("  - aborted: the leader changed\n"),
                    HasSubstr("  - the leader changed 1.2s into the run (term 4 to 5)\n"),
                    HasSubstr("  - 7 operations were due but never sent"),
                    HasSubstr("  - the keys were not removed\n")));
}

TEST(TextReport, ShowsASearch) {
  auto record = example_record();
  record.result.steps = {
      {.offered = 1'000, .achieved = 999.5, .p99 = 3 * testing::kMs, .held = true},
      {.offered = 2'000, .achieved = 1'400, .p99 = 143 * testing::kMs, .why_not = "P99 143 ms"}};
  record.result.best_rate = 1'000;
  EXPECT_THAT(text(record), AllOf(HasSubstr("held\n"), HasSubstr("P99 143 ms\n"),
                                  HasSubstr("Highest rate that held: 1000 ops/sec\n")));
}

TEST(EtcdFormat, IsThatOfEtcdsTool) {
  const auto printed = etcd_format(example_record());
  EXPECT_THAT(printed, StartsWith("\nSummary:\n"
                                  "  Total:\t2.5000 secs.\n"
                                  "  Slowest:\t0.0690 secs.\n"
                                  "  Fastest:\t0.0010 secs.\n"
                                  "  Average:\t0.0350 secs.\n"
                                  "  Stddev:\t0.0173 secs.\n"
                                  "  Requests/sec:\t39.2000\n"
                                  "\nResponse time histogram:\n"
                                  "  0.0010 [1]\t|∎"));
  EXPECT_THAT(printed, AllOf(HasSubstr("\nLatency distribution:\n  10% in 0.0100 secs.\n"),
                             HasSubstr("  99.9% in 0.0690 secs.\n"),
                             HasSubstr("\nError distribution:\n"
                                       "  [2]\trpc error: code = Unavailable desc = etcdserver: "
                                       "<leader> changed, \"retry\"\n")));
}

TEST(EtcdFormat, TheBarsCountEveryOperation) {
  std::istringstream lines(etcd_format(example_record()));
  std::string line;
  std::uint64_t counted = 0;
  while (std::getline(lines, line)) {
    const auto open = line.find('[');
    if (line.find("]\t|") != std::string::npos) counted += std::stoull(line.substr(open + 1));
  }
  EXPECT_EQ(counted, 98U);
}

TEST(JsonReport, CarriesEverything) {
  const auto document = nlohmann::json::parse(json(example_record()));
  EXPECT_EQ(document["type"], "mixed");
  EXPECT_EQ(document["total_operations"], 100);
  EXPECT_EQ(document["throughput"], 39.2);
  EXPECT_EQ(document["latency"]["max_ms"], 69.0);
  EXPECT_EQ(document["operations"].size(), 2U);
  EXPECT_EQ(document["operations"][1]["histogram_ms"].size(), 29U);
  EXPECT_EQ(document["errors"][0]["code"], "Unavailable");
  EXPECT_EQ(document["seconds"].size(), 3U);
  EXPECT_EQ(document["targets"][1]["outcome"], "met");
  EXPECT_EQ(document["end"], "finished");
  EXPECT_EQ(document["place"]["versions"][0], "3.5.16");
  EXPECT_EQ(document["settings"]["clients"], "10");
  EXPECT_EQ(document["began"], "2026-11-25T00:00:00Z");
  EXPECT_EQ(document["throughput_is_clients_limit"], false);
}

TEST(JsonReport, IsReadBackForComparisons) {
  const auto run = parse_run(json(example_record()), "a.json");
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->workload, "mixed");
  EXPECT_FALSE(run->open_loop);
  EXPECT_THAT(run->rates, ElementsAre(40, 40, 36));
  EXPECT_THAT(run->p99s, ElementsAre(60, 61, 59));
  EXPECT_EQ(run->throughput, 39.2);
}

TEST(JsonReport, WhatIsNoResultIsRefused) {
  for (const auto* wrong :
       {"", "[]", "{}", "{\"format\": 3}", "nonsense", "{\"format\": \"etcd-monitor-benchmark/1\"}",
        "{\"format\": \"etcd-monitor-benchmark/1\", \"type\": 7}"}) {
    const auto run = parse_run(wrong, "a.json");
    ASSERT_FALSE(run) << wrong;
    EXPECT_THAT(run.error().message, HasSubstr("a.json is no result of a benchmark"));
  }
}

TEST(JsonReport, SurvivesWhatServersSay) {
  auto record = example_record();
  record.result.errors[ErrorCode::kUnknown] = {1, "\xff\x01 bytes"};
  EXPECT_TRUE(nlohmann::json::accept(json(record)));
}

TEST(CsvReport, IsOneTable) {
  std::istringstream lines(csv(example_record()));
  std::string line;
  std::vector<std::string> first;
  while (std::getline(lines, line)) {
    first.push_back(line.substr(0, line.find(',')));
    EXPECT_EQ(std::ranges::count(line, ','), 13) << line;
  }
  EXPECT_THAT(first,
              ElementsAre("row", "total", "operation", "operation", "second", "second", "second"));
}

TEST(HtmlReport, StandsByItself) {
  const auto page = html(example_record());
  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, AllOf(HasSubstr("Latency by share of operations"),
                          HasSubstr("Throughput over time"), HasSubstr("Latency over time"),
                          HasSubstr("&lt;leader&gt; changed, &quot;retry&quot;")));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("href=")),
                          Not(HasSubstr("src=")), Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
}

TEST(HtmlReport, IsOneOfAnEmptyRunToo) {
  Record record;
  record.result.workload = "read";
  EXPECT_THAT(html(record), AllOf(HasSubstr("</html>"), Not(HasSubstr("<svg"))));
}

TEST(ProgressLine, Table) {
  const Progress half{.phase = Progress::Phase::kMeasuring,
                      .done = 0.5,
                      .elapsed = 1s,
                      .succeeded = 100,
                      .rate = 12'345,
                      .p99 = 3'210'000};
  EXPECT_EQ(bar(half, 80), "measuring   [##########          ]  50 %  12345 ops/s  P99 3.21 ms");
  EXPECT_EQ(bar(half, 20), "measuring   [#######");
  const auto line = json_line(half);
  EXPECT_THAT(line, ::testing::EndsWith("}\n"));
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["phase"], "measuring");
  EXPECT_EQ(parsed["p99_ms"], 3.21);
  EXPECT_EQ(nlohmann::json::parse(json_line({}))["p99_ms"], nullptr);
}

TEST(PresetVerdict, TheRuleOfCheckPerf) {
  const auto& preset = *find_preset("s");
  RunResult good;
  good.measured = 60s;
  good.succeeded = 8'990;
  for (int i = 0; i < 8'990; ++i) good.latency.record(5 * testing::kMs);
  EXPECT_TRUE(judge_preset(good, preset).passed);
  auto failing = good;
  failing.failed = 1;
  EXPECT_FALSE(judge_preset(failing, preset).passed);
  auto slow = good;
  slow.succeeded = 8'100;
  EXPECT_FALSE(judge_preset(slow, preset).passed) << "nine tenths are not more than nine tenths";
  auto outlier = good;
  outlier.latency.record(501 * testing::kMs);
  EXPECT_FALSE(judge_preset(outlier, preset).passed);
  auto scattered = good;
  scattered.latency.record(480 * testing::kMs, 8'990);
  EXPECT_FALSE(judge_preset(scattered, preset).passed);
  auto ended = good;
  ended.end = RunResult::End::kStopped;
  EXPECT_FALSE(judge_preset(ended, preset).passed);
}

}  // namespace
}  // namespace etcdmon::bench::report
