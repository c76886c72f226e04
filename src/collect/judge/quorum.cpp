// Whether a majority of the voters can still agree, and how many more may be lost.
#include <algorithm>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"
#include "etcd/client.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Reach;
using model::Severity;
using std::chrono::seconds;

namespace {

// All members hang at once, with their connections standing: for as long it may still be our
// network.
constexpr seconds kAllHung{15};

struct Count {
  int alive = 0;
  int unknown = 0;  ///< may be alive: never asked, or out of our reach only
  int dead = 0;
};

Count count_voters(const Look& look, MemberMemories members, const std::vector<bool>& peers_see) {
  Count count;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!look.subjects[i].voter) continue;
    const auto& reach = members[i].reach;
    if (model::is_alive(reach.reach) || peers_see[i]) {
      ++count.alive;
    } else if (is_proven_dead(reach) || reach.reach == Reach::kUnstarted) {
      ++count.dead;
    } else {
      ++count.unknown;
    }
  }
  // Voters of the list that are not watched yet.
  count.unknown += std::max(0, look.voters - count.alive - count.dead - count.unknown);
  return count;
}

// What the voters' linearizable reads say.
struct Reads {
  std::optional<SteadyTime> ok_sent;    ///< the youngest that succeeded
  std::optional<SteadyTime> fail_sent;  ///< the youngest that failed
  int asked = 0;
  int failing = 0;      ///< voters whose last one failed for want of quorum
  int not_allowed = 0;  ///< voters that do not let us ask
};

// "Too many requests" or "corrupt cluster" say nothing about agreement among the voters.
bool is_for_want_of_quorum(const Error& error) {
  return error.cause != Cause::kNone || error.code == ErrorCode::kUnavailable ||
         error.code == ErrorCode::kDeadlineExceeded || etcd::is_no_leader(error);
}

Reads read_outcomes(const Look& look, MemberMemories members) {
  Reads reads;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& subject = look.subjects[i];
    const auto& read = subject.facts->linearizable_read;
    if (!subject.voter || !model::is_alive(members[i].reach.reach)) continue;
    if (members[i].reach.reach == Reach::kNotAuthorised && !read) ++reads.not_allowed;
    if (!read) continue;
    if (read->error && etcd::is_not_authorised(*read->error)) {
      ++reads.not_allowed;
      continue;
    }
    if (!read->ok() && !is_for_want_of_quorum(*read->error)) continue;
    ++reads.asked;
    auto& youngest = read->ok() ? reads.ok_sent : reads.fail_sent;
    youngest = std::max(youngest.value_or(read->sent), read->sent);
    if (!read->ok()) ++reads.failing;
  }
  return reads;
}

// Where reads are not allowed, /metrics of the voters judges: some has a leader, or none has.
std::optional<bool> leader_by_metrics(const Look& look, MemberMemories members, SteadyTime since) {
  std::optional<bool> found;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& page = look.subjects[i].facts->metrics;
    if (!look.subjects[i].voter || !model::is_alive(members[i].reach.reach)) continue;
    if (!page || !page->has_leader || page->at < since || look.now - page->at > look.page_window())
      continue;
    found = found.value_or(false) || *page->has_leader;
  }
  return found;
}

std::optional<bool> all_silent_verdict(const Look& look, MemberMemories members,
                                       const MonitorMemory& monitor, std::optional<bool> before) {
  if (monitor.held_back) return before;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (look.subjects[i].voter && members[i].reach.reach != Reach::kHung) return std::nullopt;
  }
  if (look.now - *monitor.silent_since < kAllHung) return std::nullopt;
  return false;
}

// How long reads may fail before that is a loss. Too few alive cannot elect anybody: two election
// timeouts, as a read needs. A majority may split its votes in one round of randomised timeouts
// (each between one and two) and elect in the next; the pulse after that proves it.
Duration patience(const Look& look, const Count& count) {
  if (count.alive < look.quorum) return look.two_elections();
  return 2 * look.two_elections() + look.pulse();
}

// What the reads prove since doubts began: true, false, or nothing yet.
std::optional<bool> resolve_doubt(const Look& look, const Count& count, const Reads& reads,
                                  const QuorumMemory& memory) {
  const SteadyTime since = *memory.doubt_since;
  // While in doubt, the read is repeated with every pulse: an old success proves nothing any more.
  const SteadyTime oldest =
      std::max(since, look.now - look.two_elections() - 2 * look.pulse() - seconds(1));
  if (reads.ok_sent && *reads.ok_sent >= oldest) return true;
  if (look.now - since < patience(look, count)) return memory.has_quorum;
  const bool failed = reads.fail_sent && *reads.fail_sent >= since;
  const bool majority_dead = count.alive + count.unknown < look.quorum;
  if (failed || majority_dead) return false;
  // Too few of them within our reach, and nothing that speaks for or against the others.
  return count.alive < look.quorum ? std::nullopt : memory.has_quorum;
}

std::optional<bool> find_quorum(const Look& look, MemberMemories members, const Count& count,
                                const LeaderMemory& leader, QuorumMemory& memory) {
  const Reads reads = read_outcomes(look, members);
  const bool too_few = count.alive + count.unknown < look.quorum ||
                       (count.unknown > 0 && memory.has_quorum && count.alive < look.quorum);
  const bool all_fail = reads.asked > 0 && reads.failing == reads.asked;
  // Lost quorum is back only with a read that proves it.
  const bool doubt = too_few || all_fail || leader.leaderless_since || memory.has_quorum == false;
  if (!doubt) {
    memory.doubt_since.reset();
    const auto valid = 2 * Duration(look.options.health_check_interval) + seconds(10);
    if (reads.ok_sent && look.now - *reads.ok_sent <= valid) return true;
    if (count.alive < look.quorum) return std::nullopt;
    if (reads.not_allowed > 0 && reads.asked == 0) {
      const auto has_leader = leader_by_metrics(look, members, SteadyTime{});
      if (!has_leader) return leader.current.none() ? std::nullopt : std::optional(true);
      if (*has_leader) return true;
    }
    return std::nullopt;
  }
  if (!memory.doubt_since) memory.doubt_since = look.now;
  if (reads.not_allowed > 0 && reads.asked == 0 && !too_few) {
    const auto has_leader = leader_by_metrics(look, members, *memory.doubt_since);
    const bool long_enough = look.now - *memory.doubt_since >= patience(look, count);
    return has_leader && (*has_leader || long_enough) ? has_leader : memory.has_quorum;
  }
  return resolve_doubt(look, count, reads, memory);
}

std::vector<std::string> missing_voters(const Sight& sight) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < sight.members.size(); ++i) {
    const auto& subject = sight.look.subjects[i];
    const auto& reach = sight.members[i].reach;
    if (!subject.voter || model::is_alive(reach.reach) || sight.peers_see[i]) continue;
    missing.push_back(describe(subject, reach));
  }
  return missing;
}

}  // namespace

model::QuorumAssessment judge_quorum(const Look& look, MemberMemories members,
                                     const std::vector<bool>& peers_see,
                                     const MonitorMemory& monitor, const LeaderMemory& leader,
                                     QuorumMemory& memory) {
  model::QuorumAssessment found;
  found.voters = look.voters;
  found.learners = look.learners;
  found.quorum_size = look.quorum;
  if (look.seen.membership.confirmed_at) {
    found.member_list_age = std::max(Duration(0), look.now - *look.seen.membership.confirmed_at);
  }
  const Count count = count_voters(look, members, peers_see);
  found.available = count.alive;
  if (look.voters == 0) {
    memory = QuorumMemory{};
    return found;
  }
  if (monitor.silent_since) {
    memory.has_quorum = all_silent_verdict(look, members, monitor, memory.has_quorum);
    if (memory.has_quorum == false && !memory.doubt_since)
      memory.doubt_since = monitor.silent_since;
  } else if (!look.lagged) {
    memory.has_quorum = find_quorum(look, members, count, leader, memory);
  }
  found.has_quorum = memory.has_quorum;
  if (found.has_quorum != false) found.failures_tolerated = std::max(0, count.alive - look.quorum);
  return found;
}

void report_quorum(const Sight& sight, Findings& findings) {
  const auto& quorum = sight.quorum;
  if (quorum.has_quorum != false) return;
  const auto missing = missing_voters(sight);
  std::string summary = fmt::format("quorum lost: {} of {} voters alive, {} needed",
                                    quorum.available, quorum.voters, quorum.quorum_size);
  if (quorum.available >= quorum.quorum_size) {
    summary =
        fmt::format("quorum lost: {} of {} voters alive, but none completes a linearizable read",
                    quorum.available, quorum.voters);
  }
  std::string detail = missing.empty() ? std::string() : join_names(missing) + "; ";
  detail += "writes and linearizable reads fail";
  detail += quorum.available > 0
                ? "; serializable reads may still work on the members that are alive"
                : "";
  findings.add({Check::kQuorumLost,
                Severity::kCritical,
                {},
                {},
                std::move(summary),
                std::move(detail),
                sight.quorum_memory.doubt_since.value_or(sight.look.now)});
}

}  // namespace etcdmon::collect
