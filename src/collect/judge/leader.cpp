// Who leads, who led, and whether two claim to.
#include <algorithm>

#include <fmt/format.h>

#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

using model::Check;
using model::Severity;

namespace {

constexpr std::size_t kHistory = 1'000;
// Changes that only the members' counters saw, told one by one up to here.
constexpr std::uint64_t kUnseenAtOnce = 50;

struct Candidate {
  MemberId id;
  int votes = 0;
  bool steady = true;  ///< everyone who names it has named it twice in a row
  std::uint64_t term = 0;
};

struct Views {
  std::vector<Candidate> candidates;
  int fresh = 0;
  int leaderless = 0;  ///< of them: name nobody, or somebody who died too recently for them to know
  bool says_none = false;
};

// A follower gives up a leader within two election timeouts; who still names it after that hears
// it.
bool names_the_dead(const Look& look, std::span<const MemberMemory> members,
                    const model::StatusSample& status) {
  const auto index = look.index_of(status.leader);
  if (!index || !is_proven_dead(members[*index].reach)) return false;
  const auto down = members[*index].reach.down_since;
  return down && status.sent < *down + look.two_elections();
}

bool votes_here(const Look& look, const Subject& subject) {
  return look.voters > 0 ? subject.voter : subject.identified;
}

Views read_views(const Look& look, std::span<const MemberMemory> members) {
  Views views;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& subject = look.subjects[i];
    if (!votes_here(look, subject) || !is_fresh(look, subject, members[i])) continue;
    const auto& status = *subject.facts->status;
    ++views.fresh;
    if (status.leader.none() || names_the_dead(look, members, status)) {
      views.says_none = views.says_none || status.leader.none();
      ++views.leaderless;
      continue;
    }
    auto candidate = std::ranges::find(views.candidates, status.leader, &Candidate::id);
    if (candidate == views.candidates.end()) {
      views.candidates.push_back({status.leader});
      candidate = std::prev(views.candidates.end());
    }
    ++candidate->votes;
    candidate->steady = candidate->steady && members[i].answer.agreeing >= 2;
    candidate->term = std::max(candidate->term, status.raft_term);
  }
  return views;
}

// Where Status may not be asked, or not yet, /metrics still tells.
Views read_views_from_metrics(const Look& look, std::span<const MemberMemory> members) {
  Views views;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& subject = look.subjects[i];
    const auto& page = subject.facts->metrics;
    if (!votes_here(look, subject) || members[i].reach.reach != model::Reach::kNotAuthorised)
      continue;
    if (!page || !page->has_leader || look.now - page->at > look.page_window()) continue;
    ++views.fresh;
    if (!*page->has_leader) {
      ++views.leaderless;
      views.says_none = true;
    }
    if (page->is_leader.value_or(false))
      views.candidates.push_back({subject.facts->entry.id, 1, true, 0});
  }
  // Followers cannot name their leader on /metrics, but they confirm that there is one.
  if (views.candidates.size() == 1) views.candidates.front().votes = views.fresh - views.leaderless;
  return views;
}

const Candidate* elected(const Look& look, const Views& views, const LeaderMemory& memory) {
  const Candidate* best = nullptr;
  for (const auto& candidate : views.candidates) {
    if (!best || candidate.votes > best->votes ||
        (candidate.votes == best->votes && candidate.term > best->term)) {
      best = &candidate;
    }
  }
  if (!best) return nullptr;
  const int quorum = look.quorum > 0 ? look.quorum : views.fresh / 2 + 1;
  if (best->votes >= quorum) return best;
  if (best->votes > views.leaderless && best->steady) return best;
  if (best->id == memory.current && 2 * views.leaderless <= views.fresh) return best;
  return nullptr;
}

std::string why_changed(const Look& look, std::span<const MemberMemory> members, MemberId old,
                        const std::string& lost_why) {
  const auto index = look.index_of(old);
  if (!index)
    return old.none() ? std::string()
                      : fmt::format("old leader {} left the cluster", look.label_of(old));
  const auto reach = members[*index].reach.reach;
  if (reach == model::Reach::kReachable || reach == model::Reach::kNotAuthorised) {
    return lost_why;
  }
  if (reach == model::Reach::kUnknown || reach == model::Reach::kSuspect) return lost_why;
  return fmt::format("old leader {}", describe(look.subjects[*index], members[*index].reach));
}

void record(LeaderMemory& memory, model::LeaderChange change) {
  ++memory.changes;
  if (memory.history.size() >= kHistory) memory.history.erase(memory.history.begin());
  memory.history.push_back(std::move(change));
}

void accept(const Look& look, std::span<const MemberMemory> members, const Candidate& winner,
            LeaderMemory& memory) {
  const auto& at = look.seen.at;
  if (memory.last.none()) {
    // The first leader seen is no change; it is dated only if we saw that there was none before.
    if (memory.leaderless_since) memory.since_wall = at.wall;
    memory.since = look.now;
    memory.term = winner.term;
  } else if (winner.id != memory.last) {
    record(memory, {memory.last, winner.id, winner.term, at.wall, at.steady,
                    why_changed(look, members, memory.last, memory.lost_why)});
    memory.since = look.now;
    memory.since_wall = at.wall;
    memory.term = winner.term;
  } else if (winner.term > memory.term) {
    // Status tells the term of the last *applied* entry: right after an election it still grows.
    const bool settling = look.now - memory.since < look.two_elections();
    if (settling && !memory.history.empty() && memory.history.back().to == winner.id) {
      memory.history.back().term = winner.term;
    } else if (!settling) {
      record(memory, {winner.id, winner.id, winner.term, at.wall, at.steady,
                      fmt::format("re-elected in term {}", winner.term)});
      memory.since = look.now;
      memory.since_wall = at.wall;
    }
    memory.term = winner.term;
  }
  memory.current = winner.id;
  memory.last = winner.id;
  memory.leaderless_since.reset();
  memory.lost_why.clear();
}

void lose(const Look& look, std::span<const MemberMemory> members, LeaderMemory& memory) {
  memory.current = MemberId{};
  if (memory.leaderless_since) return;
  const auto index = look.index_of(memory.last);
  const bool dead = index && is_proven_dead(members[*index].reach);
  // A follower says "none" only after an election timeout without a heartbeat.
  memory.leaderless_since = dead ? look.now : look.now - Duration(look.options.election_timeout);
  memory.lost_why =
      dead ? fmt::format("old leader {}", describe(look.subjects[*index], members[*index].reach))
           : "";
}

bool no_leader_for_long(const Look& look, const LeaderMemory& memory) {
  return memory.leaderless_since && look.now - *memory.leaderless_since >= look.two_elections();
}

// Two members that each say in a fresh answer of their own that they lead.
void watch_claims(const Look& look, std::span<const MemberMemory> members, LeaderMemory& memory) {
  std::pair<MemberId, MemberId> claimants;
  int claims = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& subject = look.subjects[i];
    if (!votes_here(look, subject) || !is_fresh(look, subject, members[i])) continue;
    if (subject.facts->missed > 0 || !subject.facts->status->is_leader()) continue;
    ++claims;
    (claims == 1 ? claimants.first : claimants.second) = subject.facts->entry.id;
  }
  if (claims < 2) {
    memory.claims_since.reset();
    return;
  }
  if (!memory.claims_since || memory.claimants != claimants) {
    memory.claims_since = look.now;
    memory.claimants = claimants;
  }
}

bool reads_through_quorum_since(const Look& look, MemberId id, SteadyTime since) {
  const auto index = look.index_of(id);
  if (!index) return false;
  const auto& read = look.subjects[*index].facts->linearizable_read;
  return read && read->ok() && read->sent >= since;
}

// Counters of a majority that moved further than the changes we saw: some fell between two looks.
// Judged one page late, so that a change seen first by the counter has been seen by us as well.
std::uint64_t unseen_changes(const Look& look, std::span<MemberMemory> members,
                             const LeaderMemory& memory) {
  std::vector<double> excess;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& subject = look.subjects[i];
    const auto& page = subject.facts->metrics;
    if (!votes_here(look, subject) || !page || !page->leader_changes_seen) continue;
    auto& counter = members[i].elections;
    const double value = *page->leader_changes_seen;
    if (counter.pages == 0 || value < counter.last) {
      counter = {page->at, value, memory.changes, value, value, 1};
    } else if (page->at != counter.page_at) {
      counter.page_at = page->at;
      counter.before = counter.last;
      counter.last = value;
      ++counter.pages;
    }
    if (counter.pages < 3) continue;
    excess.push_back(counter.before - counter.base -
                     static_cast<double>(memory.changes - counter.counted_at_base));
  }
  const auto quorum = static_cast<std::size_t>(std::max(look.quorum, 1));
  if (look.quorum == 0 || excess.size() < quorum) return 0;
  std::ranges::sort(excess, std::greater<>());
  const double agreed = excess[quorum - 1];
  return agreed >= 1 ? static_cast<std::uint64_t>(agreed) : 0;
}

}  // namespace

model::LeaderAssessment judge_leader(const Look& look, std::span<MemberMemory> members,
                                     LeaderMemory& memory) {
  Views views = read_views(look, members);
  if (views.fresh == 0) views = read_views_from_metrics(look, members);
  memory.says_none = views.says_none;
  watch_claims(look, members, memory);

  const auto last = look.index_of(memory.current);
  const bool leader_died = last && is_proven_dead(members[*last].reach);
  if (const auto* winner = elected(look, views, memory)) {
    accept(look, members, *winner, memory);
  } else if (2 * views.leaderless > views.fresh || (views.fresh == 0 && leader_died)) {
    lose(look, members, memory);
  }
  for (auto unseen = std::min(unseen_changes(look, members, memory), kUnseenAtOnce); unseen > 0;
       --unseen) {
    record(memory, {MemberId{}, memory.current, memory.term, look.seen.at.wall, look.seen.at.steady,
                    "between two looks: seen by etcd_server_leader_changes_seen_total only"});
  }

  model::LeaderAssessment found;
  const Duration claimed = memory.claims_since ? look.now - *memory.claims_since : Duration(0);
  found.disputed = claimed > Duration(look.options.election_timeout) + 2 * look.pulse();
  found.split_brain =
      memory.claims_since && claimed >= 3 * Duration(look.options.election_timeout) &&
      reads_through_quorum_since(look, memory.claimants.first, *memory.claims_since) &&
      reads_through_quorum_since(look, memory.claimants.second, *memory.claims_since);
  found.disputed = found.disputed || found.split_brain;
  found.term = memory.term;
  if (!memory.current.none() && !found.disputed) {
    found.leader = memory.current;
    found.name = look.label_of(memory.current);
    found.since = memory.since_wall;
  }
  found.changes = memory.changes;
  found.history = memory.history;
  const auto hour_ago = look.now - std::chrono::hours(1);
  found.changes_1h = static_cast<std::uint64_t>(std::ranges::count_if(
      memory.history,
      [&](const model::LeaderChange& change) { return change.at_steady >= hour_ago; }));
  return found;
}

void report_leader(const Sight& sight, Findings& findings) {
  const auto& look = sight.look;
  const auto& memory = sight.leader_memory;
  if (sight.leader.disputed) {
    const auto first = look.label_of(memory.claimants.first);
    const auto second = look.label_of(memory.claimants.second);
    if (sight.leader.split_brain) {
      findings.add(
          {Check::kSplitBrain,
           Severity::kCritical,
           {},
           {},
           fmt::format("split brain: {} and {} both lead and both serve reads through quorum",
                       first, second),
           "stop all writers now; two histories of the data are growing",
           *memory.claims_since});
    } else {
      findings.add({Check::kLeaderDisputed,
                    Severity::kWarning,
                    {},
                    {},
                    fmt::format("{} and {} both claim leadership", first, second),
                    "not proven to both serve: a linearizable read has not succeeded on both",
                    *memory.claims_since});
    }
  }
  // With too few voters alive there can be no leader: the loss of quorum says it all.
  const bool explained =
      sight.quorum.has_quorum == false && sight.quorum.available < sight.quorum.quorum_size;
  if (!no_leader_for_long(look, memory) || !memory.says_none || explained) return;
  findings.add(
      {Check::kNoLeader,
       Severity::kCritical,
       {},
       {},
       memory.lost_why.empty() ? "the cluster has no leader"
                               : fmt::format("the cluster has no leader: {}", memory.lost_why),
       fmt::format(
           "{} of {} voters are alive, and no election has succeeded for two election timeouts; "
           "writes and linearizable reads fail",
           sight.quorum.available, sight.quorum.voters),
       *memory.leaderless_since});
}

}  // namespace etcdmon::collect
