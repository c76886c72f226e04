#include "model/metric.hpp"

#include <algorithm>

namespace etcdmon::model {

namespace {

using enum Metric;

// In the order of the enumeration.
constexpr std::array kDocs = std::to_array<MetricDoc>({
    {kUp, "up", "1 if the member is alive as it is judged, 0 if not."},
    {kHasLeader, "has_leader", "1 if the member knows a leader, 0 if not."},
    {kIsLeader, "is_leader", "1 if the member is the leader."},
    {kIsLearner, "is_learner", "1 if the member is a learner, which has no vote."},
    {kCpuCores, "cpu_cores", "CPU cores that the member keeps busy."},
    {kResidentMemory, "resident_memory_bytes", "Memory of the member's process that is in RAM."},
    {kVirtualMemory, "virtual_memory_bytes", "Address space of the member's process."},
    {kGoroutines, "goroutines", "Goroutines of the member's process."},
    {kHeapInUse, "heap_in_use_bytes", "Go heap in use."},
    {kOpenFds, "open_fds", "Open file descriptors of the member's process."},
    {kMaxFds, "max_fds", "Limit of open file descriptors of the member's process."},
    {kDiskTotal, "disk_total_bytes",
     "Size of the data directory's file system, from the node source."},
    {kDiskFree, "disk_free_bytes",
     "Free space of the data directory's file system, from the node source."},
    {kClientReceiveRate, "client_receive_bytes_per_second", "Received from gRPC clients."},
    {kClientSendRate, "client_send_bytes_per_second", "Sent to gRPC clients."},
    {kPeerReceiveRate, "peer_receive_bytes_per_second", "Received from peers."},
    {kPeerSendRate, "peer_send_bytes_per_second", "Sent to peers."},
    {kHostReceiveRate, "host_receive_bytes_per_second",
     "Received by the host, from the node source."},
    {kHostSendRate, "host_send_bytes_per_second", "Sent by the host, from the node source."},
    {kRequestRate, "requests_per_second", "Unary gRPC requests started."},
    {kReadRequestRate, "read_requests_per_second", "Range requests started."},
    {kWriteRequestRate, "write_requests_per_second", "Put, DeleteRange and Txn requests started."},
    {kErrorRatio, "error_ratio",
     "Requests that ended with a server-side error code, of all that ended; 0 to 1."},
    {kPutRate, "puts_per_second", "Keys put, as the store counts them."},
    {kRangeRate, "ranges_per_second", "Ranges read, as the store counts them."},
    {kDeleteRate, "deletes_per_second", "Keys deleted, as the store counts them."},
    {kTxnRate, "txns_per_second", "Transactions, as the store counts them."},
    {kWalFsyncP50, "wal_fsync_p50_seconds", "Median time of an fsync of the write-ahead log."},
    {kWalFsyncP95, "wal_fsync_p95_seconds", "95th percentile of an fsync of the write-ahead log."},
    {kWalFsyncP99, "wal_fsync_p99_seconds", "99th percentile of an fsync of the write-ahead log."},
    {kBackendCommitP50, "backend_commit_p50_seconds", "Median time of a commit of the database."},
    {kBackendCommitP95, "backend_commit_p95_seconds",
     "95th percentile of a commit of the database."},
    {kBackendCommitP99, "backend_commit_p99_seconds",
     "99th percentile of a commit of the database."},
    {kApplyP50, "apply_p50_seconds", "Median time to apply a request; etcd 3.5 and newer."},
    {kApplyP95, "apply_p95_seconds", "95th percentile to apply a request; etcd 3.5 and newer."},
    {kApplyP99, "apply_p99_seconds", "99th percentile to apply a request; etcd 3.5 and newer."},
    {kServerReadP50, "server_read_p50_seconds", "Median time of a read as the server measures it."},
    {kServerReadP95, "server_read_p95_seconds",
     "95th percentile of a read as the server measures it."},
    {kServerReadP99, "server_read_p99_seconds",
     "99th percentile of a read as the server measures it."},
    {kServerWriteP50, "server_write_p50_seconds",
     "Median time of a write as the server measures it."},
    {kServerWriteP95, "server_write_p95_seconds",
     "95th percentile of a write as the server measures it."},
    {kServerWriteP99, "server_write_p99_seconds",
     "99th percentile of a write as the server measures it."},
    {kProbeReadP50, "probe_read_p50_seconds", "Median time of our linearizable read."},
    {kProbeReadP95, "probe_read_p95_seconds", "95th percentile of our linearizable read."},
    {kProbeReadP99, "probe_read_p99_seconds", "99th percentile of our linearizable read."},
    {kProbeSerializableP50, "probe_serializable_p50_seconds",
     "Median time of our serializable read."},
    {kProbeSerializableP95, "probe_serializable_p95_seconds",
     "95th percentile of our serializable read."},
    {kProbeSerializableP99, "probe_serializable_p99_seconds",
     "99th percentile of our serializable read."},
    {kProbeStatusP50, "probe_status_p50_seconds", "Median time of our Status call."},
    {kProbeStatusP95, "probe_status_p95_seconds", "95th percentile of our Status call."},
    {kProbeStatusP99, "probe_status_p99_seconds", "99th percentile of our Status call."},
    {kProbeWriteP50, "probe_write_p50_seconds", "Median time of our write probe, where turned on."},
    {kProbeWriteP95, "probe_write_p95_seconds",
     "95th percentile of our write probe, where turned on."},
    {kProbeWriteP99, "probe_write_p99_seconds",
     "99th percentile of our write probe, where turned on."},
    {kPeerRttP99, "peer_rtt_p99_seconds", "99th percentile of the round trip to the slowest peer."},
    {kDbSize, "db_size_bytes", "Size of the database file."},
    {kDbSizeInUse, "db_size_in_use_bytes", "Part of the database file that is in use."},
    {kDbQuota, "db_quota_bytes", "Size of the database at which etcd refuses writes."},
    {kDbGrowthRate, "db_growth_bytes_per_second", "Growth of the database over the last hour."},
    {kDbSizeIn4h, "db_size_in_4h_bytes",
     "Size of the database four hours from now, on a line through the last four hours."},
    {kProposalsCommittedRate, "proposals_committed_per_second", "Raft proposals committed."},
    {kProposalsAppliedRate, "proposals_applied_per_second", "Raft proposals applied."},
    {kProposalsPending, "proposals_pending", "Raft proposals waiting to be committed."},
    {kProposalsFailedRate, "proposals_failed_per_second", "Raft proposals that failed."},
    {kApplyLag, "apply_lag_entries",
     "Raft entries committed but not applied yet; etcd refuses writes at 5000."},
    {kRaftTerm, "raft_term", "Raft term of the last applied entry."},
    {kRaftIndex, "raft_index", "Raft index of the last committed entry."},
    {kRaftAppliedIndex, "raft_applied_index", "Raft index of the last applied entry."},
    {kRevision, "revision", "Revision of the store."},
    {kSlowApplyRate, "slow_applies_per_second", "Requests that took too long to apply."},
    {kSlowReadIndexRate, "slow_read_indexes_per_second",
     "Linearizable reads whose read index came late."},
    {kReadIndexFailedRate, "read_indexes_failed_per_second",
     "Linearizable reads whose read index never came."},
    {kHeartbeatFailureRate, "heartbeat_failures_per_second",
     "Heartbeats that the leader sent too late."},
    {kLeaderChangesSeen, "leader_changes_seen_total",
     "Changes of leader since the member's start."},
    {kWatchers, "watchers", "Watchers."},
    {kWatchStreams, "watch_streams", "Watch streams."},
    {kSlowWatchers, "slow_watchers", "Watchers that have fallen behind."},
    {kPendingEvents, "pending_events", "Events that wait to be sent to watchers."},
    {kEventRate, "events_per_second", "Events sent to watchers."},
    {kClientConnections, "client_connections", "Connections of clients, where etcd tells."},
    {kKeys, "keys", "Keys in the store."},
    {kCompactRevision, "compact_revision", "Revision up to which history was compacted."},
    {kLeases, "leases", "Leases granted since the member's start and neither revoked nor expired."},
    {kDefragInflight, "defrag_inflight", "1 while the member defragments its database."},
    {kScrapeDuration, "scrape_duration_seconds", "Time to fetch and parse the member's metrics."},
    {kScrapeBytes, "scrape_size_bytes", "Size of the member's metrics page."},
    {kProcessStartTime, "process_start_time_seconds", "Start of the member's process, unix time."},
});

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kDocs.size(); ++i) {
    if (static_cast<std::size_t>(kDocs[i].metric) != i) return false;
  }
  return true;
}
static_assert(kDocs.size() == kMetricCount);
static_assert(in_enum_order());

}  // namespace

std::span<const MetricDoc> metric_docs() {
  return kDocs;
}

std::optional<Metric> parse_metric(std::string_view name) {
  const auto found = std::ranges::find(kDocs, name, &MetricDoc::name);
  if (found == kDocs.end()) return std::nullopt;
  return found->metric;
}

}  // namespace etcdmon::model
