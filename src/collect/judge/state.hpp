// collect/judge/state.hpp: what the judgements remember from one look to the next.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collect/judge/judge.hpp"
#include "model/event.hpp"
#include "model/observation.hpp"
#include "model/verdict.hpp"

namespace etcdmon::collect {

/// How a member answers (reach.cpp).
struct ReachMemory {
  model::Reach reach = model::Reach::kUnknown;
  Cause cause = Cause::kNone;
  std::string reason;
  SteadyTime since;
  bool silent = false;                   ///< no answer, and nothing that proves the way to it
  std::optional<SteadyTime> down_since;  ///< unreachable or hung since then
  /// It came up, or a connection to it ended: until its links have settled they say nothing.
  std::optional<SteadyTime> stirred;
  std::optional<SteadyTime> last_ended;
  std::optional<SteadyTime> first_miss;  ///< when the first pulse left that this connection missed
  std::uint64_t connects = 0;
  std::uint32_t missed_before_connect = 0;
  SteadyTime last_pulse;
  std::uint32_t error_answers = 0;  ///< consecutive pulses answered with a gRPC error
};

/// What a member said in its last answers to Status, and how steadily.
struct AnswerMemory {
  std::uint64_t answers = 0;
  MemberId leader;
  std::uint64_t applied = 0;
  SteadyTime leader_since;     ///< when it was first named
  std::uint32_t agreeing = 0;  ///< consecutive answers that name the same leader
  std::uint32_t still = 0;     ///< consecutive answers with the same applied index
};

/// One kind of read against a member.
struct ReadMemory {
  SteadyTime sent;
  std::uint32_t failures = 0;  ///< consecutive
  SteadyTime failing_since;
  std::uint32_t refusals = 0;  ///< consecutive, for want of permission
};

/// A peer that is not active, by the pages of /metrics.
struct InactiveMemory {
  MemberId id;
  SteadyTime since;  ///< the first page that said so
};

/// What raft sent us from one peer, by the pages of /metrics.
struct HeardMemory {
  MemberId id;
  double bytes = 0;
  SteadyTime still_since;  ///< the first page with this count
};

/// MetricsFacts::link_beat_bytes at some moment between `sent` and `at`.
struct BeatMark {
  SteadyTime sent;
  SteadyTime at;
  double bytes = 0;
};

/// The last two pages of /metrics, as far as they tell of peers, and what grew over more of them.
struct PageMemory {
  SteadyTime at;
  std::vector<model::MetricsFacts::Peer> peers;
  std::optional<SteadyTime> before_at;
  std::vector<model::MetricsFacts::Peer> before;
  std::vector<InactiveMemory> inactive;
  std::vector<HeardMemory> heard;  ///< empty where bytes are not counted
  std::vector<BeatMark> beats;     ///< of the last half minute, newest last
};

/// Starts of the member's process.
struct StartMemory {
  std::optional<double> start_time;  ///< as the last page said, unix seconds
  SteadyTime page_at;
  std::uint64_t connects_at_page = 0;
  std::optional<SteadyTime> ended_at_page;
  bool was_refused = false;
  std::uint32_t revivals = 0;          ///< refused, then back, since that page
  std::uint32_t revivals_counted = 0;  ///< of them: counted as starts already
  std::uint64_t total = 0;
  std::vector<SteadyTime> recent;      ///< in the last 15 minutes
  std::optional<Duration> clock_step;  ///< of the member's host, news of this look only
};

/// etcd_server_leader_changes_seen_total, to find changes that fell between two looks.
struct ElectionCounter {
  SteadyTime page_at;
  double base = 0;
  std::uint64_t counted_at_base = 0;
  double before = 0;  ///< of the page before the last
  double last = 0;
  std::uint32_t pages = 0;
};

/// Progress of a learner.
struct LearnerMemory {
  std::optional<std::uint64_t> best_lag;
  SteadyTime progress_at;
};

struct MemberMemory {
  MemberId id;
  std::string endpoint;  ///< tells unidentified endpoints apart
  ReachMemory reach;
  AnswerMemory answer;
  ReadMemory linearizable;
  ReadMemory serializable;
  ReadMemory scrape;
  PageMemory page;
  StartMemory starts;
  ElectionCounter elections;
  LearnerMemory learner;
  SteadyTime first_seen;

  // What was told as an event.
  bool told_down = false;
  std::uint64_t told_connects = 0;
  std::uint64_t told_starts = 0;
  std::string told_version;
  bool told_defrag = false;
};

/// Silence of all members at once (reach.cpp), and lateness of this process (monitor.cpp).
struct MonitorMemory {
  std::optional<SteadyTime> silent_since;
  std::uint64_t silent_round = 0;
  bool held_back = false;  ///< verdicts about members wait: it may be us
  std::uint64_t asleep_until_round = 0;
  std::optional<std::uint64_t> stalled_round;
  Duration lag{0};
};

struct QuorumMemory {
  std::optional<SteadyTime> doubt_since;
  std::optional<bool> has_quorum;
};

struct LeaderMemory {
  MemberId current;  ///< none(): there is none
  MemberId last;     ///< the last one there was
  std::uint64_t term = 0;
  SteadyTime since;
  std::optional<WallTime> since_wall;
  std::optional<SteadyTime> leaderless_since;
  std::string lost_why;
  bool says_none = false;  ///< some voter's present answer is that there is no leader
  std::uint64_t changes = 0;
  std::vector<model::LeaderChange> history;
  std::optional<SteadyTime> claims_since;  ///< two members claim leadership since then
  std::pair<MemberId, MemberId> claimants;
};

/// When a directed link was first seen cut.
struct CutMemory {
  MemberId from;
  MemberId to;
  SteadyTime since;
};

/// A link that is cut by the number of peers its ends hear (beats.cpp).
struct QuietLink {
  MemberId a;
  MemberId b;
  SteadyTime proven;  ///< when pages last said so
};

struct LinkMemory {
  std::vector<CutMemory> cuts;
  std::vector<QuietLink> quiet;
  std::optional<SteadyTime> quiet_since;  ///< some member seems to hear too few peers
  SteadyTime quiet_seen;                  ///< when that was last certain
  bool stirring = false;  ///< it is, or raft fell silent somewhere, not yet for long enough
  std::optional<SteadyTime> closer_since;  ///< pages are wanted sooner since then
};

struct AlarmMemory {
  std::vector<model::AlarmEntry> present;  ///< sorted
  std::optional<SteadyTime> listed_at;     ///< the answer of the Alarm RPC that was taken in
};

/// Something that counts only once it was seen again: one entry per (check, subject).
struct PendingEntry {
  model::Check check{};
  std::string subject;
  SteadyTime since;
  std::uint64_t stamp = 0;  ///< of the sample it was last seen in
  std::uint32_t samples = 0;
  bool touched = false;
};

class Pending {
 public:
  /// `stamp` tells one sample from the next. Entries not seen during a look are forgotten.
  const PendingEntry& seen(model::Check check, std::string_view subject, std::uint64_t stamp,
                           SteadyTime now);
  void begin_look();
  void end_look();

 private:
  std::vector<PendingEntry> entries_;
};

/// What was told as events, and the last findings (events.cpp).
struct EventMemory {
  std::optional<Now> at;
  std::vector<model::Verdict> verdicts;
  std::vector<model::MemberEntry> members;
  std::uint64_t changes = 0;
  bool leader_lost = false;
  bool auth_required = false;
};

struct JudgeState {
  std::vector<MemberMemory> members;  ///< same order as in the last Observation
  MonitorMemory monitor;
  QuorumMemory quorum;
  LeaderMemory leader;
  LinkMemory links;
  AlarmMemory alarms;
  std::optional<SteadyTime> mixed_versions_since;
  Pending pending;
  EventMemory told;
};

}  // namespace etcdmon::collect
