#include <algorithm>
#include <array>
#include <cmath>

#include "collect/scrape/derive.hpp"

namespace etcdmon::collect {

namespace {

using enum model::Metric;
using model::ClusterMetrics;
using model::MemberView;
using model::Metric;

// What each member does for itself. Everything else is the same work on all members (puts,
// proposals, keys), or a size, a time, a quantile: there the largest counts.
constexpr std::array kSummed = std::to_array<Metric>({kUp,
                                                      kHasLeader,
                                                      kIsLeader,
                                                      kIsLearner,
                                                      kCpuCores,
                                                      kClientReceiveRate,
                                                      kClientSendRate,
                                                      kPeerReceiveRate,
                                                      kPeerSendRate,
                                                      kHostReceiveRate,
                                                      kHostSendRate,
                                                      kRequestRate,
                                                      kReadRequestRate,
                                                      kWriteRequestRate,
                                                      kRangeRate,
                                                      kProposalsPending,
                                                      kProposalsFailedRate,
                                                      kSlowApplyRate,
                                                      kSlowReadIndexRate,
                                                      kReadIndexFailedRate,
                                                      kHeartbeatFailureRate,
                                                      kWatchers,
                                                      kWatchStreams,
                                                      kSlowWatchers,
                                                      kPendingEvents,
                                                      kEventRate,
                                                      kClientConnections,
                                                      kDefragInflight});

bool is_summed(Metric metric) {
  return std::ranges::find(kSummed, metric) != kSummed.end();
}

std::optional<double> total_of(Metric metric, std::span<const MemberView> members) {
  std::optional<double> total;
  for (const auto& member : members) {
    const auto value = member.values.get(metric);
    if (!value) continue;
    if (!total)
      total = value;
    else
      total = is_summed(metric) ? *total + *value : std::max(*total, *value);
  }
  return total;
}

// Weighted by how many requests each member took.
std::optional<double> error_ratio_of(std::span<const MemberView> members) {
  double failed = 0;
  double all = 0;
  std::optional<double> only;
  for (const auto& member : members) {
    const auto ratio = member.values.get(kErrorRatio);
    const auto rate = member.values.get(kRequestRate);
    if (!ratio || !rate) continue;
    only = std::max(only.value_or(0), *ratio);
    failed += *ratio * *rate;
    all += *rate;
  }
  return all > 0 ? std::optional(failed / all) : only;
}

struct Quantiles {
  Metric p50, p95, p99;
};

// The member with the highest quantile, by the sharpest one that is known.
const MemberView* slowest(const Quantiles& kind, std::span<const MemberView> members) {
  const MemberView* worst = nullptr;
  for (const Metric metric : {kind.p99, kind.p95, kind.p50}) {
    for (const auto& member : members) {
      const auto value = member.values.get(metric);
      if (value && (worst == nullptr || *value > worst->values.get(metric).value_or(0))) {
        worst = &member;
      }
    }
    if (worst != nullptr) break;
  }
  return worst;
}

struct Latency {
  std::optional<double> p50_ms, p95_ms, p99_ms;
  std::string source;
};

Latency latency_of(const Quantiles& server, const Quantiles& probe,
                   std::string MemberView::* family, std::span<const MemberView> members) {
  const auto take = [](const MemberView& member, const Quantiles& kind, std::string source) {
    const auto ms = [&](Metric metric) {
      const auto seconds = member.values.get(metric);
      return seconds ? std::optional(*seconds * 1e3) : std::nullopt;
    };
    return Latency{ms(kind.p50), ms(kind.p95), ms(kind.p99), std::move(source)};
  };
  if (const auto* member = slowest(server, members)) {
    return take(*member, server, "server: " + member->*family);
  }
  if (const auto* member = slowest(probe, members)) return take(*member, probe, "probe");
  return {};
}

void set_sizes(ClusterMetrics& out, std::span<const MemberView> members) {
  const MemberView* largest = nullptr;
  for (const auto& member : members) {
    const auto size = member.values.get(kDbSize);
    if (size && (largest == nullptr || *size > *largest->values.get(kDbSize))) largest = &member;
  }
  if (largest == nullptr) return;
  const auto bytes = [&](Metric metric) -> std::optional<std::uint64_t> {
    const auto value = largest->values.get(metric);
    if (!value || !(*value >= 0 && *value < 1.8e19)) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
  };
  out.db_size = bytes(kDbSize);
  out.db_size_in_use = bytes(kDbSizeInUse);
  out.db_quota = bytes(kDbQuota);
  out.db_growth_rate = largest->values.get(kDbGrowthRate);
}

}  // namespace

void apply_reach(const model::Assessment& judged, std::span<MemberView> members) {
  for (std::size_t i = 0; i < std::min(judged.members.size(), members.size()); ++i) {
    const auto reach = judged.members[i].reach;
    // Of whoever answers at a wrong address, nothing is known about the member itself.
    if (reach == model::Reach::kUnknown || reach == model::Reach::kMisAddressed) continue;
    members[i].values.set(kUp, model::is_alive(reach) ? 1 : 0);
  }
}

ClusterMetrics combine(const model::Observation& seen, std::span<const MemberView> members) {
  ClusterMetrics out;
  out.at = seen.at.wall;
  for (std::size_t i = 0; i < model::kMetricCount; ++i) {
    const auto metric = static_cast<Metric>(i);
    const auto total = metric == kErrorRatio ? error_ratio_of(members) : total_of(metric, members);
    if (total) out.totals.set(metric, *total);
  }
  out.request_rate = out.totals.get(kRequestRate);
  out.error_ratio = out.totals.get(kErrorRatio);

  auto read = latency_of({kServerReadP50, kServerReadP95, kServerReadP99},
                         {kProbeReadP50, kProbeReadP95, kProbeReadP99},
                         &MemberView::read_latency_source, members);
  out.read_latency_p50_ms = read.p50_ms;
  out.read_latency_p95_ms = read.p95_ms;
  out.read_latency_p99_ms = read.p99_ms;
  out.read_latency_source = std::move(read.source);
  auto write = latency_of({kServerWriteP50, kServerWriteP95, kServerWriteP99},
                          {kProbeWriteP50, kProbeWriteP95, kProbeWriteP99},
                          &MemberView::write_latency_source, members);
  out.write_latency_p50_ms = write.p50_ms;
  out.write_latency_p95_ms = write.p95_ms;
  out.write_latency_p99_ms = write.p99_ms;
  out.write_latency_source = std::move(write.source);
  set_sizes(out, members);
  return out;
}

}  // namespace etcdmon::collect
