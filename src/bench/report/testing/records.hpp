// bench/report/testing/records.hpp: a constructed run for the reports' tests.
#pragma once

#include "bench/report/record.hpp"

namespace etcdmon::bench::report::testing {

using namespace std::chrono_literals;

inline constexpr std::uint64_t kMs = 1'000'000;

/// A closed loop of 70 reads and 30 writes in 2.5 s, two of which failed.
inline Record example_record() {
  Record record;
  auto& result = record.result;
  result.workload = "mixed";
  result.began = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 25));
  result.measured = 2'500ms;
  OperationResult reads{.name = "read", .succeeded = 69, .failed = 1};
  OperationResult writes{.name = "write", .succeeded = 29, .failed = 1};
  for (std::uint64_t i = 1; i <= 69; ++i) reads.latency.record(i * kMs);
  for (std::uint64_t i = 1; i <= 29; ++i) writes.latency.record((20 + i) * kMs);
  result.latency.merge(reads.latency);
  result.latency.merge(writes.latency);
  result.succeeded = 98;
  result.failed = 2;
  result.operations = {reads, writes};
  result.errors[ErrorCode::kUnavailable] = {2, "etcdserver: <leader> changed, \"retry\""};
  result.seconds = {
      {.at = 0s, .length = 1s, .succeeded = 40, .p50 = 30 * kMs, .p99 = 60 * kMs, .max = 65 * kMs},
      {.at = 1s,
       .length = 1s,
       .succeeded = 40,
       .failed = 2,
       .p50 = 31 * kMs,
       .p99 = 61 * kMs,
       .max = 69 * kMs},
      {.at = 2s,
       .length = 500ms,
       .succeeded = 18,
       .p50 = 29 * kMs,
       .p99 = 59 * kMs,
       .max = 62 * kMs}};
  result.endpoints = {"http://127.0.0.1:2379"};
  result.keys_removed = 30;
  record.settings = {{"clients", "10"}, {"rate", "0"}};
  record.place = {.tool = "etcd-monitor 0.1.0",
                  .host = "loadgen",
                  .cores = 2,
                  .cluster = "default",
                  .cluster_id = "ff",
                  .versions = {"3.5.16"},
                  .members = 3};
  record.targets = judge(result, 0, Targets{});
  return record;
}

}  // namespace etcdmon::bench::report::testing
