// model/member.hpp: what is known of one etcd member: facts as they were observed, without
// judgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"

namespace etcdmon::model {

/// One row of a member list, as some member told it.
struct MemberEntry {
  MemberId id;
  std::string name;  ///< empty: added, but never started
  std::vector<std::string> peer_urls;
  std::vector<std::string> client_urls;
  bool learner = false;

  bool started() const { return !name.empty(); }
  bool operator==(const MemberEntry&) const = default;
};

/// An answer to Maintenance.Status. Fields that a version does not send are nullopt.
struct StatusSample {
  SteadyTime sent;      ///< when the request left
  SteadyTime received;  ///< when the answer was complete
  ClusterId cluster_id;
  MemberId member_id;   ///< who really answered
  std::string version;  ///< "3.5.16"
  MemberId leader;      ///< none(): this member knows no leader
  std::uint64_t raft_term =
      0;  ///< term of the last *applied* entry: lags behind `leader` in an election
  std::uint64_t raft_index = 0;
  std::uint64_t raft_applied_index = 0;
  std::int64_t revision = 0;
  std::uint64_t db_size = 0;                    ///< bytes
  std::optional<std::uint64_t> db_size_in_use;  ///< bytes
  std::optional<std::uint64_t> db_size_quota;   ///< bytes; 3.6+
  std::optional<std::string> storage_version;   ///< 3.6+
  bool learner = false;
  std::vector<std::string> errors;  ///< "etcdserver: no leader", "memberID:123 alarm:NOSPACE "

  Duration rtt() const { return received - sent; }
  bool is_leader() const { return !leader.none() && leader == member_id; }
};

/// A question that was answered or failed.
struct ProbeOutcome {
  SteadyTime sent;
  SteadyTime finished;
  std::optional<Error> error;  ///< nullopt: answered well

  bool ok() const { return !error; }
  Duration rtt() const { return finished - sent; }
};

/// The state of the gRPC connection to a member. An ended connection is news, but only a suspicion.
struct LinkFacts {
  enum class State : std::uint8_t { kNever, kConnecting, kUp, kDown };

  State state = State::kNever;
  SteadyTime since;                   ///< of `state`
  std::optional<Error> last_error;    ///< why the last attempt or connection ended
  std::optional<SteadyTime> last_up;  ///< when it was last established
  std::optional<SteadyTime>
      last_ended;              ///< when an established connection last ended (EOF, RST, GOAWAY)
  std::uint64_t connects = 0;  ///< established connections so far
  std::uint64_t failures = 0;  ///< failed attempts since the last success
};

/// What `/metrics` says that judgements need. Values absent from this etcd version are nullopt.
struct MetricsFacts {
  SteadyTime at;                             ///< when the page was complete
  std::optional<double> process_start_time;  ///< unix seconds; a change means a restart
  std::optional<bool> has_leader;
  std::optional<bool> is_leader;
  std::optional<bool> is_learner;
  std::optional<bool> defrag_inflight;
  std::optional<bool> snapshot_apply_inflight;
  std::optional<double> leader_changes_seen;  ///< counter since the member's start
  std::optional<MemberId> server_id;
  std::optional<std::uint64_t> quota;  ///< bytes
  std::optional<double> compact_revision;
  std::optional<double> auth_revision;

  /// How this member sees one peer.
  struct Peer {
    MemberId id;
    std::optional<double> active;    ///< etcd_network_active_peers
    std::optional<double> known;     ///< etcd_network_known_peers, 3.6+
    double disconnected_total = 0;   ///< etcd_network_disconnected_peers_total, 0 when absent
    double sent_failures_total = 0;  ///< etcd_network_peer_sent_failures_total, summed over types
    double received_failures_total = 0;
    /// etcd_network_peer_received_bytes_total: raft's messages; 0 while there were none.
    double received_bytes_total = 0;
    std::optional<double> rtt_count;  ///< etcd_network_peer_round_trip_time_seconds_count
    std::optional<double> rtt_sum_seconds;
  };
  std::vector<Peer> peers;
  /// etcd_network_peer_received_bytes_total{From="0"}: what keeps the streams from all peers alive,
  /// also where raft has nothing to say.
  std::optional<double> link_beat_bytes;
};

/// HashKV of one member at one revision.
struct HashSample {
  SteadyTime at;
  std::int64_t revision = 0;
  std::int64_t compact_revision = 0;
  std::uint32_t hash = 0;
};

/// A certificate met while connecting to a member.
struct CertificateFacts {
  std::string where;  ///< "client url", "metrics url", "our client certificate"
  std::string subject;
  std::string issuer;
  WallTime not_before;
  WallTime not_after;
};

/// Everything observed of one member.
///
/// Threads: a value; owned by the loop, copied into views.
struct MemberFacts {
  MemberEntry
      entry;  ///< from the quorum's member list, else the last known; id none() while unidentified
  std::string endpoint;  ///< "https://10.0.0.1:2379": where it is asked
  bool fallback =
      false;  ///< the advertised client URLs could not be reached; `endpoint` is a configured one
  std::string fallback_why;

  LinkFacts link;

  // Pulse: Status, every `pulse_interval`.
  std::optional<StatusSample> status;  ///< the last good answer
  std::uint64_t answers = 0;  ///< good answers so far: tells a fresh one from a repeated look
  std::uint32_t missed = 0;   ///< consecutive pulses without a good answer
  std::optional<ProbeOutcome> pulse;      ///< the last finished pulse, good or not
  std::optional<SteadyTime> asked_since;  ///< a pulse is under way since then
  std::optional<ProbeOutcome>
      second_probe;  ///< asked on a new connection when a pulse hung for 900 ms

  // Health check.
  std::optional<ProbeOutcome> linearizable_read;
  std::optional<ProbeOutcome> serializable_read;
  std::optional<ProbeOutcome> write_probe;  ///< only where turned on
  std::optional<std::vector<MemberEntry>>
      local_members;  ///< the member list as this member sees it
  SteadyTime local_members_at;
  std::optional<HashSample> hash;
  std::vector<HashSample> hash_history;  ///< the last few, newest last
  std::vector<CertificateFacts> certificates;

  // Metrics.
  std::optional<MetricsFacts> metrics;  ///< the last good page
  std::optional<ProbeOutcome> scrape;   ///< the last finished scrape
  std::string metrics_url;

  /// Who answered at `endpoint` although somebody else was expected there: a load balancer, or
  /// `localhost` advertised. Set together; both none() otherwise.
  MemberId answered_by;
  ClusterId answered_cluster;
};

}  // namespace etcdmon::model
