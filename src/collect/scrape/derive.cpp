#include "collect/scrape/derive.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "series/windows.hpp"

namespace etcdmon::collect {

namespace {

using enum model::Metric;
using model::LatencySummary;
using model::Metric;
using model::MetricValues;
using series::SeriesId;
using series::SeriesWindow;

struct Source {
  Metric metric;
  Family family;
};

constexpr std::array kGauges = std::to_array<Source>({
    {kHasLeader, Family::kHasLeader},
    {kIsLeader, Family::kIsLeader},
    {kIsLearner, Family::kIsLearner},
    {kResidentMemory, Family::kResidentMemory},
    {kVirtualMemory, Family::kVirtualMemory},
    {kGoroutines, Family::kGoroutines},
    {kHeapInUse, Family::kHeapInUse},
    {kOpenFds, Family::kOpenFds},
    {kMaxFds, Family::kMaxFds},
    {kDbSize, Family::kDbSize},
    {kDbSizeInUse, Family::kDbSizeInUse},
    {kDbQuota, Family::kQuota},
    {kProposalsPending, Family::kProposalsPending},
    {kRevision, Family::kRevision},
    {kLeaderChangesSeen, Family::kLeaderChanges},
    {kWatchers, Family::kWatchers},
    {kWatchStreams, Family::kWatchStreams},
    {kSlowWatchers, Family::kSlowWatchers},
    {kPendingEvents, Family::kPendingEvents},
    {kKeys, Family::kKeys},
    {kDefragInflight, Family::kDefragInflight},
    {kProcessStartTime, Family::kStartTime},
});

constexpr std::array kRates = std::to_array<Source>({
    {kCpuCores, Family::kCpuSeconds},
    {kClientReceiveRate, Family::kClientReceived},
    {kClientSendRate, Family::kClientSent},
    {kPutRate, Family::kPuts},
    {kRangeRate, Family::kRanges},
    {kDeleteRate, Family::kDeletes},
    {kTxnRate, Family::kTxns},
    {kProposalsCommittedRate, Family::kProposalsCommitted},
    {kProposalsAppliedRate, Family::kProposalsApplied},
    {kProposalsFailedRate, Family::kProposalsFailed},
    {kSlowApplyRate, Family::kSlowApply},
    {kSlowReadIndexRate, Family::kSlowReadIndexes},
    {kReadIndexFailedRate, Family::kReadIndexesFailed},
    {kHeartbeatFailureRate, Family::kHeartbeatSendFailures},
    {kEventRate, Family::kEvents},
});

std::optional<double> add(std::optional<double> a, std::optional<double> b) {
  if (!a) return b;
  return b ? *a + *b : a;
}

void set(MetricValues& values, Metric metric, std::optional<double> value) {
  if (value) values.set(metric, *value);
}

std::optional<double> in_ms(std::optional<double> seconds) {
  return seconds ? std::optional(*seconds * 1e3) : std::nullopt;
}

// Counts that a page claims may be beyond any number of requests.
constexpr double kMostCounted = 1e18;

// What one histogram says of the window.
struct Tail {
  double count = 0;
  Duration covered{0};
  std::optional<double> p50, p95, p99;  ///< seconds
};

class Derivation {
 public:
  Derivation(const Digest& digest, const series::MemberSeries& series, SteadyTime at)
      : digest_(digest), series_(series), window_(series, window_start(series, at), at), at_(at) {}

  PageView run() {
    for (const auto& [metric, family] : kGauges) set(out_.values, metric, last(family));
    for (const auto& [metric, family] : kRates) set(out_.values, metric, rate(family));
    calls();
    peer_traffic();
    differences();
    growth();
    latencies();
    return std::move(out_);
  }

 private:
  static SteadyTime window_start(const series::MemberSeries& series, SteadyTime at) {
    return std::max(at - kRateWindow, series.last_restart().value_or(SteadyTime::min()));
  }

  std::optional<double> last(Family family, Group group = Group::kAll) const {
    const auto column = digest_.column(family, group);
    if (!column) return std::nullopt;
    const double value = series_.last(*column);
    return std::isnan(value) ? std::nullopt : std::optional(value);
  }
  std::optional<double> rate(Family family, Group group = Group::kAll,
                             std::uint64_t peer = 0) const {
    const auto column = digest_.column(family, group, peer);
    return column ? window_.counter(*column).rate() : std::nullopt;
  }
  std::optional<double> increase(Family family, Group group) const {
    const auto column = digest_.column(family, group);
    return column ? window_.counter(*column).increase() : std::nullopt;
  }

  void calls() {
    const auto reads = rate(Family::kGrpcStarted, Group::kRead);
    const auto writes = rate(Family::kGrpcStarted, Group::kWrite);
    set(out_.values, kReadRequestRate, reads);
    set(out_.values, kWriteRequestRate, writes);
    set(out_.values, kRequestRate,
        add(add(reads, writes), rate(Family::kGrpcStarted, Group::kOther)));

    const auto failed = increase(Family::kGrpcHandled, Group::kFailed);
    const auto handled = add(failed, increase(Family::kGrpcHandled, Group::kOther));
    if (handled && *handled > 0) {
      out_.values.set(kErrorRatio, std::clamp(failed.value_or(0) / *handled, 0.0, 1.0));
    }

    // etcd counts no connections. A client that watches or keeps a lease alive holds a stream open.
    const auto opened = last(Family::kGrpcStarted, Group::kStream);
    const auto closed = last(Family::kGrpcHandled, Group::kStream);
    if (opened && closed && *opened >= *closed) {
      out_.values.set(kClientConnections, *opened - *closed);
      out_.connections_source =
          "open gRPC streams: grpc_server_started_total - grpc_server_handled_total";
    }
  }

  void peer_traffic() {
    // Bytes of a peer that did not say who it is stand under the id 0.
    auto received = rate(Family::kPeerReceived);
    std::optional<double> sent;
    for (const auto peer : digest_.peers()) {
      received = add(received, rate(Family::kPeerReceived, Group::kAll, peer));
      sent = add(sent, rate(Family::kPeerSent, Group::kAll, peer));
    }
    set(out_.values, kPeerReceiveRate, received);
    set(out_.values, kPeerSendRate, sent);
  }

  void differences() {
    const auto committed = last(Family::kProposalsCommitted);
    const auto applied = last(Family::kProposalsApplied);
    if (committed && applied) out_.values.set(kApplyLag, std::max(0.0, *committed - *applied));
    // An expired lease is counted as revoked, too. Below 0: leases from before the member's start.
    const auto granted = last(Family::kLeasesGranted);
    const auto revoked = last(Family::kLeasesRevoked);
    if (granted && revoked && *granted >= *revoked) out_.values.set(kLeases, *granted - *revoked);
    const auto compacted = last(Family::kCompactRevision);
    if (compacted && *compacted >= 0) out_.values.set(kCompactRevision, *compacted);
  }

  void growth() {
    const auto column = digest_.column(Family::kDbSize);
    if (!column) return;
    const auto sizes = SeriesWindow(series_, at_ - kGrowthWindow, at_).gauge(*column);
    if (sizes.last_at() - sizes.first_at() < kShortestGrowth) return;
    set(out_.values, kDbGrowthRate, sizes.slope());
  }

  Tail tail_of(const HistogramColumns& histogram) const {
    Tail tail;
    std::vector<double> bounds;
    std::vector<double> counts;
    for (const auto bucket : histogram.buckets) {
      const auto window = window_.counter(bucket);
      tail.covered = std::max(tail.covered, window.covered());
      bounds.push_back(digest_.bound_of(bucket));
      counts.push_back(std::max(0.0, window.increase().value_or(0)));
      tail.count += counts.back();
    }
    tail.p50 = series::histogram_quantile(0.50, bounds, counts);
    tail.p95 = series::histogram_quantile(0.95, bounds, counts);
    tail.p99 = series::histogram_quantile(0.99, bounds, counts);
    return tail;
  }

  void publish(const char* operation, Family family, const Tail& tail) {
    out_.latencies.push_back(
        LatencySummary{.operation = operation,
                       .source = LatencySummary::Source::kServer,
                       .origin = std::string(name_of(family)),
                       .count = static_cast<std::uint64_t>(std::min(tail.count, kMostCounted)),
                       .window = tail.covered,
                       .p50_ms = in_ms(tail.p50),
                       .p95_ms = in_ms(tail.p95),
                       .p99_ms = in_ms(tail.p99)});
  }

  void set_quantiles(const Tail& tail, Metric p50, Metric p95, Metric p99) {
    set(out_.values, p50, tail.p50);
    set(out_.values, p95, tail.p95);
    set(out_.values, p99, tail.p99);
  }

  // Whole requests, as the first source that counted any tells.
  void request(const Tail& tail, const HistogramColumns& histogram) {
    const bool read = histogram.group == Group::kRead;
    std::string& source = read ? out_.read_source : out_.write_source;
    if (!tail.p50 || !source.empty()) return;
    source = name_of(histogram.family);
    if (read)
      set_quantiles(tail, kServerReadP50, kServerReadP95, kServerReadP99);
    else
      set_quantiles(tail, kServerWriteP50, kServerWriteP95, kServerWriteP99);
    publish(read ? "read" : "write", histogram.family, tail);
  }

  void latencies() {
    std::optional<Tail> slowest_peer;
    for (const auto& histogram : digest_.histograms()) {
      const Tail tail = tail_of(histogram);
      switch (histogram.family) {
        case Family::kWalFsync:
          set_quantiles(tail, kWalFsyncP50, kWalFsyncP95, kWalFsyncP99);
          publish("wal_fsync", histogram.family, tail);
          break;
        case Family::kBackendCommit:
          set_quantiles(tail, kBackendCommitP50, kBackendCommitP95, kBackendCommitP99);
          publish("backend_commit", histogram.family, tail);
          break;
        case Family::kApply:
          set_quantiles(tail, kApplyP50, kApplyP95, kApplyP99);
          publish("apply", histogram.family, tail);
          break;
        case Family::kRange:
          publish("range", histogram.family, tail);
          break;
        case Family::kRequest:
        case Family::kGrpcHandling:
          request(tail, histogram);
          break;
        case Family::kPeerRtt:
          if (tail.p99 && (!slowest_peer || *tail.p99 > *slowest_peer->p99)) slowest_peer = tail;
          break;
        default:
          break;
      }
    }
    if (!slowest_peer) return;
    set(out_.values, kPeerRttP99, slowest_peer->p99);
    publish("peer_round_trip", Family::kPeerRtt, *slowest_peer);
  }

  const Digest& digest_;
  const series::MemberSeries& series_;
  SeriesWindow window_;
  SteadyTime at_;
  PageView out_;
};

}  // namespace

PageView derive_page(const Digest& digest, const series::MemberSeries& series, SteadyTime at) {
  return Derivation(digest, series, at).run();
}

void apply_status(const model::StatusSample& status, MetricValues& values) {
  values.set(kHasLeader, status.leader.none() ? 0 : 1);
  values.set(kIsLeader, status.is_leader() ? 1 : 0);
  values.set(kIsLearner, status.learner ? 1 : 0);
  values.set(kRaftTerm, static_cast<double>(status.raft_term));
  values.set(kRaftIndex, static_cast<double>(status.raft_index));
  values.set(kRaftAppliedIndex, static_cast<double>(status.raft_applied_index));
  values.set(kRevision, static_cast<double>(status.revision));
  values.set(kDbSize, static_cast<double>(status.db_size));
  if (status.db_size_in_use) {
    values.set(kDbSizeInUse, static_cast<double>(*status.db_size_in_use));
  }
  if (status.db_size_quota) values.set(kDbQuota, static_cast<double>(*status.db_size_quota));
}

void apply_node(const NodeMetrics& node, MetricValues& values) {
  set(values, kDiskTotal, node.disk_total());
  set(values, kDiskFree, node.disk_free());
  set(values, kHostReceiveRate, node.receive_rate());
  set(values, kHostSendRate, node.send_rate());
}

void apply_probe(const ProbeMetrics& kind, const ProbeWindow& window, SteadyTime now,
                 model::MemberView& view) {
  const auto& quantiles = window.quantiles(now);
  if (quantiles.count == 0) return;
  set(view.values, kind.p50, quantiles.p50);
  set(view.values, kind.p95, quantiles.p95);
  set(view.values, kind.p99, quantiles.p99);
  view.latencies.push_back(LatencySummary{.operation = kind.operation,
                                          .source = LatencySummary::Source::kProbe,
                                          .origin = "probe",
                                          .count = quantiles.count,
                                          .window = ProbeWindow::kWindow,
                                          .p50_ms = in_ms(quantiles.p50),
                                          .p95_ms = in_ms(quantiles.p95),
                                          .p99_ms = in_ms(quantiles.p99)});
}

}  // namespace etcdmon::collect
