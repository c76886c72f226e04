// model/verdict.hpp: judgements: what is wrong with a cluster or member, how badly, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"

namespace etcdmon::model {

enum class Severity : std::uint8_t { kInfo, kWarning, kCritical };
std::string_view name_of(Severity severity);  ///< "info", "warning", "critical"

/// Every kind of verdict; its name is the alert's name, the runbook's file name and a label value.
enum class Check : std::uint8_t {
  kMemberUnreachable,      ///< no answer, with its cause
  kMemberHung,             ///< 3 missed pulses and no answer from /metrics either
  kBackendBusy,            ///< /metrics answers, Status does not: defrag, hash scan or slow commit
  kDefragmenting,          ///< the same, while etcd_disk_defrag_inflight is 1
  kNotAuthorised,          ///< reachable, but our user may not ask
  kMisAddressed,           ///< somebody else answers there
  kLoadBalancer,           ///< one endpoint, changing member ids
  kDuplicateEndpoint,      ///< two configured endpoints are one member
  kEndpointUnusable,       ///< a configured endpoint that is no etcd, or cannot be reached at all
  kAdvertisedUnreachable,  ///< the advertised client URL cannot be reached; asked at the configured
                           ///< endpoint
  kMetricsUnavailable,     ///< /metrics cannot be had
  kQuorumLost,
  kNoLeader,
  kLeaderDisputed,  ///< two members claim leadership, not proven to both serve
  kSplitBrain,      ///< … and a linearizable read succeeds on both sides
  kPartition,       ///< with its kind and the cut links
  kAlarmNospace,
  kAlarmCorrupt,
  kVersionSkew,  ///< more than one minor apart, or mixed for longer than an upgrade takes
  kClusterIdMismatch,
  kMemberListDisagreement,
  kLeaderViewDisagreement,
  kRevisionDivergence,
  kDataDivergence,  ///< different hashes at the same revision, seen at two revisions
  kMemberRestarted,
  kCrashLoop,
  kLearnerLagging,
  kMemberUnstarted,  ///< in the list, never started; counts as a voter
  kReadFailing,      ///< Status answers, linearizable or serializable read does not
  kMonitorStalled,   ///< this process lagged
  kMonitorIsolated,  ///< all members silent at once: suspect ourselves first
  kCertificateExpiry,
};
/// "MemberUnreachable": the enumerator without its k.
std::string_view name_of(Check check);
std::optional<Check> parse_check(std::string_view name);

/// One finding. Equal (check, subject) is the same finding as before.
struct Verdict {
  Check check{};
  Severity severity = Severity::kWarning;
  MemberId member;      ///< none(): about the whole cluster, or `subject`
  std::string subject;  ///< member name or hex id, endpoint URL, or empty for the cluster
  std::string summary;  ///< one line, no trailing period: "member infra1 is unreachable (refused)"
  std::string detail;   ///< evidence and numbers for a person at 3 a.m.; may be empty
  SteadyTime since;     ///< when it began to hold

  bool operator==(const Verdict&) const = default;
};

/// How a member answers. Seeing is immediate; paging is the rules' business.
enum class Reach : std::uint8_t {
  kUnknown,  ///< not asked yet
  kReachable,
  kSuspect,  ///< a connection ended or a pulse is late; not yet decided
  kUnreachable,
  kHung,
  kBackendBusy,
  kDefragmenting,
  kNotAuthorised,  ///< alive, may not be asked
  kMisAddressed,
  kUnstarted,
};
std::string_view name_of(Reach reach);  ///< "reachable", "backend_busy", …
/// True where the member process is alive and takes part: reachable, busy, defragmenting, not
/// authorised.
bool is_alive(Reach reach);

struct MemberAssessment {
  MemberId id;
  std::string name;
  Reach reach = Reach::kUnknown;
  Cause cause = Cause::kNone;
  std::string reason;  ///< "connection refused by 10.0.0.1:2379"
  SteadyTime since;    ///< of `reach`
  bool voter = true;
  bool leader = false;
  std::optional<bool> healthy;  ///< nullopt: not known yet
  std::uint64_t restarts_15m = 0;
  std::optional<std::uint64_t> lag;  ///< leader's applied index − this one's, entries
};

struct QuorumAssessment {
  int voters = 0;  ///< voting members, unstarted ones too
  int learners = 0;
  int quorum_size = 0;                      ///< voters / 2 + 1; 0 when the members are unknown
  int available = 0;                        ///< voters that are alive
  int failures_tolerated = 0;               ///< how many more may be lost, never negative
  std::optional<bool> has_quorum;           ///< nullopt: not known yet
  std::optional<Duration> member_list_age;  ///< since quorum last confirmed the list
};

/// One change of leadership.
struct LeaderChange {
  MemberId from;  ///< none(): there was no leader, or it was not seen
  MemberId to;
  std::uint64_t term = 0;
  WallTime at;
  SteadyTime at_steady;
  std::string reason;  ///< if known: "old leader unreachable (refused)"; else empty
};

struct LeaderAssessment {
  std::optional<MemberId> leader;  ///< nullopt: none, or disputed
  std::string name;
  std::uint64_t term = 0;
  std::optional<WallTime>
      since;  ///< when this leader was first seen; nullopt: since before we watched
  bool disputed = false;
  bool split_brain = false;
  std::uint64_t changes = 0;  ///< seen since this monitor started watching
  std::uint64_t changes_1h = 0;
  std::vector<LeaderChange> history;  ///< newest last, at most 1000
};

/// How a directed link from one member to another looks.
enum class LinkState : std::uint8_t {
  kUnknown,  ///< no metrics from either end
  kUp,
  kSuspect,  ///< fast signs only: "no leader" in one member's Status, growing failures
  kCut,
};
std::string_view name_of(LinkState state);

/// The N×N matrix of peers as a value: `at(i, j)` is how member i's view of j looks.
struct PeerMatrix {
  std::vector<MemberId> members;  ///< rows and columns, sorted by id
  std::vector<std::string> names;
  std::vector<LinkState> cells;               ///< row-major
  std::vector<std::optional<double>> rtt_ms;  ///< mean of the last window, row-major

  LinkState at(std::size_t from, std::size_t to) const { return cells[from * members.size() + to]; }
};

enum class PartitionKind : std::uint8_t {
  kNone,
  kUnreachableFromUs,  ///< only our own path is cut: its peers still see it
  kIsolatedMember,     ///< cut off from all its peers
  kPairwise,           ///< A and B do not see each other, others see both
  kOneWay,             ///< only one direction is cut
  kSplit,              ///< two or more groups
};
std::string_view name_of(PartitionKind kind);  ///< "none", "unreachable_from_us", …

struct PartitionAssessment {
  PartitionKind kind = PartitionKind::kNone;
  bool suspected = false;  ///< fast signs, the matrix does not name the links yet
  std::vector<std::pair<MemberId, MemberId>> cut_links;  ///< directed, sorted
  std::vector<std::vector<MemberId>>
      groups;        ///< of a split: members that see each other; largest first
  std::string text;  ///< "infra1 is cut off from infra2 and infra3"
};

/// The whole judgement over one Observation.
struct Assessment {
  Now at;
  std::optional<bool> healthy;  ///< nullopt: not known yet. false: any warning or critical verdict
                                ///< about the cluster
  std::vector<Verdict> verdicts;          ///< sorted: most severe first, then check, then subject
  std::vector<MemberAssessment> members;  ///< same order as Observation::members
  QuorumAssessment quorum;
  LeaderAssessment leader;
  PeerMatrix peers;
  PartitionAssessment partition;
};

}  // namespace etcdmon::model
