#include "collect/scrape/dictionary.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/assert.hpp"
#include "base/ids.hpp"
#include "collect/scrape/number.hpp"

namespace etcdmon::collect {

namespace {

using enum Family;
using enum Shape;

struct Row {
  Family family;
  std::string_view name;
  Shape shape = kValue;
  std::string_view label = {};  ///< that names the peer, or that groups go by
};

// In the order of the enumeration.
constexpr std::array kRows = std::to_array<Row>({
    {kHasLeader, "etcd_server_has_leader"},
    {kIsLeader, "etcd_server_is_leader"},
    {kIsLearner, "etcd_server_is_learner"},
    {kLeaderChanges, "etcd_server_leader_changes_seen_total"},
    {kHeartbeatSendFailures, "etcd_server_heartbeat_send_failures_total"},
    {kProposalsCommitted, "etcd_server_proposals_committed_total"},
    {kProposalsApplied, "etcd_server_proposals_applied_total"},
    {kProposalsPending, "etcd_server_proposals_pending"},
    {kProposalsFailed, "etcd_server_proposals_failed_total"},
    {kSlowApply, "etcd_server_slow_apply_total"},
    {kSlowReadIndexes, "etcd_server_slow_read_indexes_total"},
    {kReadIndexesFailed, "etcd_server_read_indexes_failed_total"},
    {kQuota, "etcd_server_quota_backend_bytes"},
    {kSnapshotApplyInflight, "etcd_server_snapshot_apply_in_progress_total"},
    {kDefragInflight, "etcd_disk_defrag_inflight"},
    {kDbSize, "etcd_mvcc_db_total_size_in_bytes"},
    {kDbSizeInUse, "etcd_mvcc_db_total_size_in_use_in_bytes"},
    {kPuts, "etcd_mvcc_put_total"},
    {kDeletes, "etcd_mvcc_delete_total"},
    {kTxns, "etcd_mvcc_txn_total"},
    {kRanges, "etcd_mvcc_range_total"},
    {kKeys, "etcd_debugging_mvcc_keys_total"},
    {kRevision, "etcd_debugging_mvcc_current_revision"},
    {kCompactRevision, "etcd_debugging_mvcc_compact_revision"},
    {kAuthRevision, "etcd_debugging_auth_revision"},
    {kWatchers, "etcd_debugging_mvcc_watcher_total"},
    {kWatchStreams, "etcd_debugging_mvcc_watch_stream_total"},
    {kSlowWatchers, "etcd_debugging_mvcc_slow_watcher_total"},
    {kPendingEvents, "etcd_debugging_mvcc_pending_events_total"},
    {kEvents, "etcd_debugging_mvcc_events_total"},
    {kLeasesGranted, "etcd_debugging_lease_granted_total"},
    {kLeasesRevoked, "etcd_debugging_lease_revoked_total"},
    {kClientReceived, "etcd_network_client_grpc_received_bytes_total"},
    {kClientSent, "etcd_network_client_grpc_sent_bytes_total"},
    {kCpuSeconds, "process_cpu_seconds_total"},
    {kResidentMemory, "process_resident_memory_bytes"},
    {kVirtualMemory, "process_virtual_memory_bytes"},
    {kOpenFds, "process_open_fds"},
    {kMaxFds, "process_max_fds"},
    {kStartTime, "process_start_time_seconds"},
    {kGoroutines, "go_goroutines"},
    {kHeapInUse, "go_memstats_heap_inuse_bytes"},
    {kPeerActive, "etcd_network_active_peers", kPeerValue, "Remote"},
    {kPeerKnown, "etcd_network_known_peers", kPeerValue, "Remote"},
    {kPeerDisconnected, "etcd_network_disconnected_peers_total", kPeerValue, "Remote"},
    {kPeerSent, "etcd_network_peer_sent_bytes_total", kPeerValue, "To"},
    {kPeerReceived, "etcd_network_peer_received_bytes_total", kPeerValue, "From"},
    {kPeerSentFailures, "etcd_network_peer_sent_failures_total", kPeerValue, "To"},
    {kPeerReceivedFailures, "etcd_network_peer_received_failures_total", kPeerValue, "From"},
    {kWalFsync, "etcd_disk_wal_fsync_duration_seconds", kHistogram},
    {kBackendCommit, "etcd_disk_backend_commit_duration_seconds", kHistogram},
    {kPeerRtt, "etcd_network_peer_round_trip_time_seconds", kPeerHistogram, "To"},
    {kApply, "etcd_server_apply_duration_seconds", kGroupedHistogram, "op"},
    {kRange, "etcd_server_range_duration_seconds", kGroupedHistogram, "success"},
    {kRequest, "etcd_server_request_duration_seconds", kGroupedHistogram, "type"},
    {kGrpcHandling, "grpc_server_handling_seconds", kGroupedHistogram, "grpc_method"},
    {kGrpcStarted, "grpc_server_started_total", kGroupedValue, "grpc_method"},
    {kGrpcHandled, "grpc_server_handled_total", kGroupedValue, "grpc_method"},
    {kServerId, "etcd_server_id", kIdentity, "server_id"},
});
static_assert(kRows.size() == kFamilyCount);

const Row& row_of(Family family) {
  return kRows[static_cast<std::size_t>(family)];
}

bool is_histogram(Shape shape) {
  return shape == kHistogram || shape == kPeerHistogram || shape == kGroupedHistogram;
}

struct NamedPart {
  Family family;
  Part part;
};
using NameTable = std::unordered_map<std::string_view, NamedPart>;

// Names with the suffixes of a histogram's lines; the strings live as long as the program.
const NameTable& name_table() {
  static const auto kNames = [] {
    std::array<std::array<std::string, 3>, kFamilyCount> out;
    for (const auto& row : kRows) {
      auto& own = out[static_cast<std::size_t>(row.family)];
      const std::string name(row.name);
      if (is_histogram(row.shape)) own = {name + "_bucket", name + "_sum", name + "_count"};
    }
    return out;
  }();
  static const NameTable kTable = [] {
    NameTable out;
    for (const auto& row : kRows) {
      if (!is_histogram(row.shape)) {
        out[row.name] = {row.family, Part::kValue};
        continue;
      }
      const auto& own = kNames[static_cast<std::size_t>(row.family)];
      out[own[0]] = {row.family, Part::kBucket};
      out[own[1]] = {row.family, Part::kSum};
      out[own[2]] = {row.family, Part::kCount};
    }
    return out;
  }();
  return kTable;
}

bool set_bound(const Labels& labels, Meaning& out) {
  const auto le = labels.find("le");
  if (!le) return false;
  const char* const end = le->data() + le->size();
  return parse_number(le->data(), end, out.bound) == end && out.bound == out.bound;
}

bool set_peer(const Labels& labels, std::string_view label, Meaning& out) {
  const auto text = labels.find(label);
  if (!text) return false;
  const auto id = parse_hex(*text);
  if (!id) return false;
  out.peer = *id;
  // From 3.6 on a member lists itself among the peers it knows.
  return labels.find("Local") != *text;
}

bool is_write(std::string_view method) {
  return method == "Put" || method == "DeleteRange" || method == "Txn";
}
bool is_read(std::string_view method) {
  return method == "Range" || method == "ReadonlyTxn";
}

Group group_of(std::string_view method) {
  if (is_read(method)) return Group::kRead;
  return is_write(method) ? Group::kWrite : Group::kOther;
}

// What blames the server, as etcd's own alert rules have it; NotFound and its like are answers.
bool is_server_error(std::string_view code) {
  static constexpr std::array kCodes =
      std::to_array<std::string_view>({"Unknown", "FailedPrecondition", "ResourceExhausted",
                                       "Internal", "Unavailable", "DataLoss", "DeadlineExceeded"});
  return std::ranges::find(kCodes, code) != kCodes.end();
}

bool set_grpc_group(const Labels& labels, Meaning& out) {
  const auto method = labels.find("grpc_method");
  const auto type = labels.find("grpc_type");
  if (!method || !type) return false;
  if (*type != "unary") {
    out.group = Group::kStream;
    return out.family != kGrpcHandling;
  }
  out.group = labels.find("grpc_service") == "etcdserverpb.KV" ? group_of(*method) : Group::kOther;
  if (out.family == kGrpcHandled) {
    const auto code = labels.find("grpc_code");
    out.group = code && is_server_error(*code) ? Group::kFailed : Group::kOther;
  }
  return out.family != kGrpcHandling || out.group != Group::kOther;
}

bool set_group(const Labels& labels, Meaning& out) {
  switch (out.family) {
    case kGrpcStarted:
    case kGrpcHandled:
    case kGrpcHandling:
      return set_grpc_group(labels, out);
    case kRequest: {
      const auto type = labels.find("type");
      if (!type) return false;
      out.group = group_of(*type);
      return out.group != Group::kOther;
    }
    case kApply:
      return labels.find("version") != "v2";  // the v2 store only holds membership
    default:
      return true;
  }
}

}  // namespace

Shape shape_of(Family family) {
  return row_of(family).shape;
}
std::string_view name_of(Family family) {
  return row_of(family).name;
}

std::optional<Meaning> Dictionary::meaning_of(const Sample& sample) const {
  if (by_name_) return by_name_->contains(sample.name) ? std::optional(Meaning{}) : std::nullopt;
  const auto& table = name_table();
  const auto found = table.find(sample.name);
  if (found == table.end()) return std::nullopt;
  Meaning out{.family = found->second.family, .part = found->second.part};
  const auto& row = row_of(out.family);
  const bool grpc =
      out.family == kGrpcStarted || out.family == kGrpcHandled || out.family == kGrpcHandling;
  if (grpc && scope_ == Scope::kCore) return std::nullopt;

  bool kept = true;
  switch (row.shape) {
    case kValue:
    case kHistogram:
      break;
    case kPeerValue:
    case kPeerHistogram:
    case kIdentity:
      kept = set_peer(sample.labels, row.label, out);
      break;
    case kGroupedHistogram:
    case kGroupedValue:
      kept = set_group(sample.labels, out);
      break;
  }
  if (out.part == Part::kBucket) kept = kept && set_bound(sample.labels, out);
  if (!kept) return std::nullopt;
  return out;
}

}  // namespace etcdmon::collect
