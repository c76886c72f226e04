// model/cluster_view.hpp: what everybody outside the pipeline sees of a cluster: one immutable
// value per version.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "model/alert.hpp"
#include "model/event.hpp"
#include "model/metric.hpp"
#include "model/observation.hpp"
#include "model/verdict.hpp"

namespace etcdmon::model {

/// Quantiles of one kind of operation against one member.
struct LatencySummary {
  enum class Source : std::uint8_t { kProbe, kServer };
  std::string
      operation;  ///< "linearizable_read", "serializable_read", "status", "write", "wal_fsync", …
  Source source = Source::kProbe;
  std::string origin;       ///< "probe", or the metric family the numbers come from
  std::uint64_t count = 0;  ///< samples in the window
  Duration window{0};
  std::optional<double> p50_ms, p95_ms,
      p99_ms;  ///< null under 20 samples (p95) or 100 (p99) for probes
};

struct MemberView {
  MetricValues values;
  std::vector<LatencySummary> latencies;
  /// What `--max-latency-ms` is held against: the linearizable-read probe's median over one minute.
  std::optional<double> read_probe_median_1m_ms;
  std::uint64_t scrapes = 0;
  std::uint64_t scrape_failures = 0;
  std::uint64_t malformed_lines = 0;
  std::string read_latency_source;  ///< origin of kServerRead*: empty when null
  std::string write_latency_source;
  std::string client_connections_source;
};

/// The cluster's own figures: sums, worst and leader's values.
struct ClusterMetrics {
  WallTime at;
  std::optional<double> request_rate;  ///< per second, all members
  std::optional<double> error_ratio;
  std::optional<double> read_latency_p50_ms, read_latency_p95_ms, read_latency_p99_ms;
  std::optional<double> write_latency_p50_ms, write_latency_p95_ms, write_latency_p99_ms;
  std::string read_latency_source, write_latency_source;  ///< "probe", "server: <family>" or empty
  std::optional<std::uint64_t> db_size, db_size_in_use, db_quota;  ///< bytes, the largest member's
  std::optional<double> db_growth_rate;                            ///< bytes per second
  MetricValues
      totals;  ///< per Metric: sum of rates and counts, maximum of sizes, quantiles and times
};

/// Threads: immutable once published; shared_ptr copies may be read from any thread.
struct ClusterView {
  std::uint64_t version = 0;  ///< grows with every published view of this cluster
  std::string cluster;
  Observation observation;
  Assessment assessment;
  std::vector<MemberView> members;  ///< same order as observation.members
  ClusterMetrics metrics;
  std::vector<Alert> alerts;  ///< pending and firing, most severe first
  std::vector<Event> events;  ///< the last 200, newest last
};

using ClusterViewPtr = std::shared_ptr<const ClusterView>;

}  // namespace etcdmon::model
