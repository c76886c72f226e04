// bench/result.hpp: what a benchmark run found, as one plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/histogram.hpp"

namespace etcdmon::bench {

/// How often an operation ended with one gRPC code, and what was said the first time.
struct ErrorCount {
  std::uint64_t count = 0;
  std::string example;
};

/// One kind of operation of a workload: "read", "write", "put", "event".
struct OperationResult {
  std::string name;
  /// Part of the run's totals. Others are told apart only: the puts that watch-latency needs.
  bool counted = true;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  Histogram latency;  ///< nanoseconds, of those that succeeded
};

/// One second of the measured time; the last one may be shorter. Latencies are nanoseconds.
struct Second {
  Duration at{0};  ///< its beginning, since measuring began
  Duration length{0};
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t p50 = 0;
  std::uint64_t p99 = 0;
  std::uint64_t max = 0;
  double offered = 0;         ///< operations due in it; 0 in a closed loop
  std::uint64_t backlog = 0;  ///< due and not yet sent, at its end
};

/// One rate that the search for the highest one tried.
struct Step {
  double offered = 0;  ///< operations a second
  double achieved = 0;
  std::uint64_t failed = 0;
  std::uint64_t p50 = 0;
  std::uint64_t p99 = 0;
  bool held = false;
  std::string why_not;  ///< "P99 143 ms", "the client could not send more"
};

/// What the members said of themselves at one moment: the scale workload's curve.
struct ServerSample {
  Duration at{0};
  std::uint64_t keys = 0;  ///< written so far
  std::uint64_t p50 = 0;   ///< of the writes since the sample before
  std::uint64_t p99 = 0;
  std::uint64_t db_size = 0;  ///< bytes, of the largest member
  std::uint64_t db_size_in_use = 0;
  std::optional<std::uint64_t> resident;  ///< bytes of memory; unset: /metrics could not be had
};

/// How this process fared, so that its own limit is never shown as the cluster's.
struct ClientFacts {
  double busy = 0;         ///< share of the time in which the busiest loop did not wait
  double cpu_seconds = 0;  ///< of all loops
  /// How late an operation left although a client was free, in an open loop. Nanoseconds.
  std::uint64_t lateness_p99 = 0;
  std::uint64_t lateness_max = 0;
  std::uint64_t backlog_max = 0;     ///< due and waiting for a free client
  std::uint64_t dropped = 0;         ///< due, but waited longer than Load::patience
  std::uint64_t stream_limited = 0;  ///< calls that waited for the peer's MAX_CONCURRENT_STREAMS
  std::uint64_t window_limited = 0;  ///< calls that waited for the peer's flow control
  std::uint64_t reconnects = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  /// Why the numbers are this program's limit and not the cluster's; empty when they are not.
  std::string limited;
};

struct LeaderChange {
  Duration at{0};  ///< since measuring began
  std::uint64_t term_before = 0;
  std::uint64_t term_after = 0;
};

struct RunResult {
  std::string workload;
  WallTime began;
  Duration measured{0};

  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  Histogram latency;  ///< nanoseconds, of all counted operations that succeeded
  std::vector<OperationResult> operations;
  std::map<ErrorCode, ErrorCount> errors;
  std::vector<Second> seconds;
  std::vector<Step> steps;            ///< of a search
  std::optional<double> best_rate;    ///< of a search: the highest rate that held
  std::vector<ServerSample> samples;  ///< of scale
  std::vector<LeaderChange> leader_changes;
  ClientFacts client;

  enum class End : std::uint8_t {
    kFinished,  ///< all operations or all the time
    kStopped,   ///< asked to stop
    kAborted,   ///< by an abort line
  };
  End end = End::kFinished;
  std::string why_aborted;

  std::uint64_t keys_prepared = 0;
  std::optional<std::uint64_t> keys_removed;  ///< unset: not cleaned up
  /// What a reader of the numbers must know: "waited 0.9 s so that etcd 3.4 …".
  std::vector<std::string> notes;
  std::vector<std::string> endpoints;  ///< that got the load
  std::int64_t revision_after = 0;     ///< of the last answer: what may be compacted

  std::uint64_t total() const { return succeeded + failed; }
  /// Successful operations a second.
  double throughput() const;
};

}  // namespace etcdmon::bench
