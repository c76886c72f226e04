// collect/scrape/dictionary.hpp: which lines of etcd's /metrics are kept, and what they mean.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "collect/scrape/exposition.hpp"

namespace etcdmon::collect {

/// What is kept of etcd 3.4 to 3.7. In groups by shape: see shape_of().
enum class Family : std::uint8_t {
  // One value each.
  kHasLeader,
  kIsLeader,
  kIsLearner,
  kLeaderChanges,
  kHeartbeatSendFailures,
  kProposalsCommitted,
  kProposalsApplied,
  kProposalsPending,
  kProposalsFailed,
  kSlowApply,
  kSlowReadIndexes,
  kReadIndexesFailed,
  kQuota,
  kSnapshotApplyInflight,
  kDefragInflight,
  kDbSize,
  kDbSizeInUse,
  kPuts,
  kDeletes,
  kTxns,
  kRanges,
  kKeys,
  kRevision,
  kCompactRevision,
  kAuthRevision,
  kWatchers,
  kWatchStreams,
  kSlowWatchers,
  kPendingEvents,
  kEvents,
  kLeasesGranted,
  kLeasesRevoked,
  kClientReceived,
  kClientSent,
  kCpuSeconds,
  kResidentMemory,
  kVirtualMemory,
  kOpenFds,
  kMaxFds,
  kStartTime,
  kGoroutines,
  kHeapInUse,
  // One value a peer.
  kPeerActive,
  kPeerKnown,
  kPeerDisconnected,
  kPeerSent,
  kPeerReceived,
  kPeerSentFailures,
  kPeerReceivedFailures,
  // Histograms: plain, one a peer, and summed over label sets into a few groups.
  kWalFsync,
  kBackendCommit,
  kPeerRtt,
  kApply,         // 3.5+
  kRange,         // 3.6+: reading the store, without the wait for quorum
  kRequest,       // 3.7+: whole requests, by type
  kGrpcHandling,  // only with --metrics=extensive
  // gRPC calls, summed into groups.
  kGrpcStarted,
  kGrpcHandled,
  // The member's own id, in a label.
  kServerId,
  kCount
};
inline constexpr std::size_t kFamilyCount = static_cast<std::size_t>(Family::kCount);

enum class Shape : std::uint8_t {
  kValue,
  kPeerValue,
  kHistogram,
  kPeerHistogram,
  kGroupedHistogram,
  kGroupedValue,
  kIdentity
};
Shape shape_of(Family family);
/// Without _bucket, _sum and _count.
std::string_view name_of(Family family);

enum class Part : std::uint8_t { kValue, kBucket, kSum, kCount };

/// The groups that label sets are summed into. Writes are Put, DeleteRange and Txn; reads are Range
/// (and read-only transactions where the family tells them apart).
enum class Group : std::uint8_t {
  kAll,
  kRead,
  kWrite,
  kOther,
  kStream,  ///< calls that stay open: watches, lease keep-alives, snapshots
  kFailed,  ///< of handled unary calls: ended with a code that blames the server
};

/// What a line's value counts towards. Lines with equal meaning are summed.
struct Meaning {
  Family family = Family::kCount;
  Part part = Part::kValue;
  Group group = Group::kAll;
  std::uint64_t peer =
      0;             ///< member id; 0: none (etcd itself writes "0" for bytes of an unknown peer)
  double bound = 0;  ///< of a bucket; may be +Inf

  auto operator<=>(const Meaning&) const = default;
  bool operator==(const Meaning&) const = default;
};

using MetricNames = std::set<std::string, std::less<>>;

/// Decides about lines. A value: it holds nothing but the scope.
class Dictionary {
 public:
  enum class Scope : std::uint8_t {
    kCore,  ///< without the gRPC families, which are half of a page
    kFull,
  };
  explicit Dictionary(Scope scope = Scope::kFull) : scope_(scope) {}
  /// Lines of these metrics, one by one: what they mean is in how they begin.
  explicit Dictionary(std::shared_ptr<const MetricNames> by_name) : by_name_(std::move(by_name)) {}

  /// nullopt: not kept.
  std::optional<Meaning> meaning_of(const Sample& sample) const;

 private:
  Scope scope_ = Scope::kFull;
  std::shared_ptr<const MetricNames> by_name_;
};

}  // namespace etcdmon::collect
