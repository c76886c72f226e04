// collect/scrape/derive.hpp: every monitored value, from series, Status and probes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "collect/scrape/digest.hpp"
#include "collect/scrape/node_metrics.hpp"
#include "collect/scrape/probe_window.hpp"
#include "model/cluster_view.hpp"
#include "model/member.hpp"
#include "model/metric.hpp"
#include "series/member_series.hpp"

namespace etcdmon::collect {

inline constexpr Duration kRateWindow = std::chrono::minutes(5);
inline constexpr Duration kGrowthWindow = std::chrono::hours(1);
/// A trend over less is noise of compactions and batches.
inline constexpr Duration kShortestGrowth = std::chrono::minutes(5);

/// What follows from a member's pages alone: computed once a page.
struct PageView {
  model::MetricValues values;
  std::vector<model::LatencySummary> latencies;
  std::string read_source;  ///< metric family of kServerRead*; empty when null
  std::string write_source;
  std::string connections_source;
};

/// Rates and quantiles are over kRateWindow before `at`, or since the member's restart if that is
/// later. What this etcd version has no source for stays null.
PageView derive_page(const Digest& digest, const series::MemberSeries& series, SteadyTime at);

/// Adds what the member's own Status says; it is fresher than the last page.
void apply_status(const model::StatusSample& status, model::MetricValues& values);

void apply_node(const NodeMetrics& node, model::MetricValues& values);

/// Where one kind of probe goes.
struct ProbeMetrics {
  const char* operation;  ///< "linearizable_read"
  model::Metric p50, p95, p99;
};
void apply_probe(const ProbeMetrics& kind, const ProbeWindow& window, SteadyTime now,
                 model::MemberView& view);

/// Metric::kUp of every member, as it was judged: 1 alive, 0 not, absent where that is not known.
/// `members` in the order of `judged.members`.
void apply_reach(const model::Assessment& judged, std::span<model::MemberView> members);

/// The cluster's figures: rates of what members do each for themselves are summed; what is
/// replicated to all, sizes, times and quantiles are the largest. `members` in the order of
/// `seen.members`.
///
/// Latencies are those of the member that is worst by P99 (else P50), as servers measured them, and
/// as our probes did where no server does.
model::ClusterMetrics combine(const model::Observation& seen,
                              std::span<const model::MemberView> members);

}  // namespace etcdmon::collect
