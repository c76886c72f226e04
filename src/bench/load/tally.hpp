// bench/load/tally.hpp: what a worker counts, and where the workers' counts come together.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "bench/result.hpp"
#include "bench/workload/workload.hpp"

namespace etcdmon::bench {

struct OperationTally {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  Histogram latency;
};

/// One worker's counts since it last gave them away.
struct Tally {
  explicit Tally(std::size_t kinds) : operations(kinds) {}

  void succeed(std::uint8_t operation, Duration latency) {
    auto& tally = operations[operation];
    ++tally.succeeded;
    tally.latency.record(static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0)));
  }
  void fail(std::uint8_t operation, ErrorCode code, std::string_view example) {
    ++operations[operation].failed;
    auto& error = errors[static_cast<std::size_t>(code)];
    if (error.count++ == 0) error.example = example;
  }
  void clear();

  std::vector<OperationTally> operations;
  std::array<ErrorCount, 17> errors{};
  Histogram lateness;  ///< of an open loop
  double offered = 0;
  std::uint64_t backlog = 0;
  std::uint64_t dropped = 0;
};

/// Threads: any.
class Totals {
 public:
  Totals(std::span<const OperationKind> kinds, std::uint32_t workers);

  /// Takes over what a worker counted in the second that began at `second`; the worker counts on
  /// from nothing. `length` is shorter than a second for its last one.
  void take(std::int64_t second, Duration length, Tally& tally);
  /// Nothing more comes from one worker.
  void leave();

  struct Last {
    std::uint64_t succeeded = 0;  ///< of all
    std::uint64_t failed = 0;
    double rate = 0;  ///< of the last whole second
    std::uint64_t p99 = 0;
    double offered = 0;
    std::size_t seconds = 0;  ///< that are complete
  };
  Last last() const;
  /// Latencies of counted operations since the last sample().
  struct Sample {
    std::uint64_t succeeded = 0;  ///< of all
    std::uint64_t p50 = 0;
    std::uint64_t p99 = 0;
  };
  Sample sample();

  /// Puts everything into `result`. Only when all workers left.
  void give(RunResult& result);

 private:
  struct Open {
    Histogram latency;
    Second row;
    std::uint32_t reported = 0;
  };

  void close_complete();

  mutable std::mutex mutex_;
  std::vector<OperationKind> kinds_;
  std::uint32_t workers_;
  std::uint32_t left_ = 0;
  Tally all_;
  Histogram since_sample_;
  std::uint64_t backlog_max_ = 0;
  std::map<std::int64_t, Open> open_;
  std::vector<Second> seconds_;
};

}  // namespace etcdmon::bench
