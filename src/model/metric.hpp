// model/metric.hpp: every monitored value by one name: in the API, in series, on /metrics and in
// rules.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace etcdmon::model {

/// The values of design §5, per member. Rates are per second over the last five minutes (or since
/// the member's start, if that is later); quantiles are over the same window.
enum class Metric : std::uint8_t {
  kUp,  // 1 reachable, 0 not
  kHasLeader,
  kIsLeader,
  kIsLearner,
  kCpuCores,  // rate of process_cpu_seconds_total: cores in use
  kResidentMemory,
  kVirtualMemory,
  kGoroutines,
  kHeapInUse,  // bytes, bytes, count, bytes
  kOpenFds,
  kMaxFds,
  kDiskTotal,
  kDiskFree,  // bytes; only with a node source
  kClientReceiveRate,
  kClientSendRate,
  kPeerReceiveRate,
  kPeerSendRate,  // bytes/s
  kHostReceiveRate,
  kHostSendRate,  // bytes/s; node source
  kRequestRate,   // unary gRPC requests started per second
  kReadRequestRate,
  kWriteRequestRate,
  kErrorRatio,  // 0..1: handled with a server-side error code over handled
  kPutRate,
  kRangeRate,
  kDeleteRate,
  kTxnRate,
  kWalFsyncP50,
  kWalFsyncP95,
  kWalFsyncP99,  // seconds
  kBackendCommitP50,
  kBackendCommitP95,
  kBackendCommitP99,
  kApplyP50,
  kApplyP95,
  kApplyP99,  // 3.5+
  kServerReadP50,
  kServerReadP95,
  kServerReadP99,  // source depends on version and --metrics=extensive
  kServerWriteP50,
  kServerWriteP95,
  kServerWriteP99,
  kProbeReadP50,
  kProbeReadP95,
  kProbeReadP99,  // our linearizable read; 10 min, null under 20/100 samples
  kProbeSerializableP50,
  kProbeSerializableP95,
  kProbeSerializableP99,
  kProbeStatusP50,
  kProbeStatusP95,
  kProbeStatusP99,
  kProbeWriteP50,
  kProbeWriteP95,
  kProbeWriteP99,  // only with --write-probe
  kPeerRttP99,     // seconds, worst peer
  kDbSize,
  kDbSizeInUse,
  kDbQuota,       // bytes
  kDbGrowthRate,  // bytes per second over one hour
  kDbSizeIn4h,    // bytes, on a line through the last four hours
  kProposalsCommittedRate,
  kProposalsAppliedRate,
  kProposalsPending,
  kProposalsFailedRate,
  kApplyLag,  // committed − applied, entries
  kRaftTerm,
  kRaftIndex,
  kRaftAppliedIndex,
  kRevision,
  kSlowApplyRate,
  kSlowReadIndexRate,
  kReadIndexFailedRate,
  kHeartbeatFailureRate,
  kLeaderChangesSeen,
  kWatchers,
  kWatchStreams,
  kSlowWatchers,
  kPendingEvents,
  kEventRate,
  kClientConnections,  // from os_fd/grpc where etcd tells; null otherwise
  kKeys,
  kCompactRevision,
  kLeases,  // granted − revoked since start; etcd counts an expired lease as revoked, too
  kDefragInflight,
  kScrapeDuration,
  kScrapeBytes,       // seconds, bytes
  kProcessStartTime,  // unix seconds
  kCount
};

inline constexpr std::size_t kMetricCount = static_cast<std::size_t>(Metric::kCount);

struct MetricDoc {
  Metric metric;
  std::string_view name;  ///< snake_case with the unit: "db_size_bytes", "wal_fsync_p99_seconds"
  std::string_view help;
};
/// One row per Metric, in enum order.
std::span<const MetricDoc> metric_docs();
std::optional<Metric> parse_metric(std::string_view name);

/// All values of one member at one moment; NaN is "unknown" and becomes null, never 0.
class MetricValues {
 public:
  MetricValues() { values_.fill(std::numeric_limits<double>::quiet_NaN()); }

  void set(Metric metric, double value) { values_[static_cast<std::size_t>(metric)] = value; }
  std::optional<double> get(Metric metric) const {
    const double value = values_[static_cast<std::size_t>(metric)];
    if (std::isnan(value)) return std::nullopt;
    return value;
  }

 private:
  std::array<double, kMetricCount> values_;
};

}  // namespace etcdmon::model
