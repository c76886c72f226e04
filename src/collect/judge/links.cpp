// Who hears whom: the peer matrix from the members' pages of /metrics.
//
// etcd_network_active_peers says it where it can: the streams from a peer end some seconds after
// its packets stop. In 3.5 they do not, and a peer counts as active for many minutes. There, the
// bytes that came from it tell: raft's messages, counted for each peer, where one of the two leads
// or looks for a leader; and elsewhere the beats that keep streams alive (beats.cpp).
#include "collect/judge/links.hpp"

#include <algorithm>

namespace etcdmon::collect {

using model::LinkState;
using model::Reach;
using std::chrono::seconds;

namespace {

// "No leader" in as many answers in a row, over an election timeout, is a sign.
constexpr std::uint32_t kSteadyAnswers = 2;
constexpr Duration kLeastSilence = seconds(4);
constexpr Duration kBeatGap = seconds(2);
constexpr Duration kBeatsKept = seconds(30);
// Beats cannot be counted in less: a new member gets its first pages quickly.
constexpr Duration kFirstWindow = seconds(5);
// What is not decided by then, more pages do not decide either.
constexpr Duration kCloserFor = seconds(20);

bool is_down(Reach reach) {
  return reach == Reach::kUnreachable || reach == Reach::kHung;
}

bool takes_part(const MemberMemory& member, bool peers_see) {
  return model::is_alive(member.reach.reach) || peers_see;
}

bool failures_grew(const PageMemory& page, MemberId to) {
  return grew(page, to, &Peer::disconnected_total) || grew(page, to, &Peer::sent_failures_total);
}

// `from`'s own view of `to`, by the connections that etcd counts. One page that says "inactive" is
// only a sign, as a connection that is lost and made anew looks the same: later pages or the other
// end must confirm it.
LinkState view(const Look& look, const MemberMemory& from, const MemberMemory& to) {
  if (!tells(look, from) || !settled_at(to.reach, from.page.at)) return LinkState::kUnknown;
  const bool comparable = from.page.before_at && settled_at(from.reach, *from.page.before_at) &&
                          settled_at(to.reach, *from.page.before_at);
  if (is_active(find_peer(from.page.peers, to.id))) {
    return comparable && failures_grew(from.page, to.id) ? LinkState::kSuspect : LinkState::kUp;
  }
  const auto quiet = std::ranges::find(from.page.inactive, to.id, &InactiveMemory::id);
  const bool lasts = comparable && quiet != from.page.inactive.end() &&
                     from.page.at - quiet->since >= kLeastSilence;
  const bool other_end = tells(look, to) && settled_at(from.reach, to.page.at) &&
                         !is_active(find_peer(to.page.peers, from.id));
  return lasts || other_end ? LinkState::kCut : LinkState::kSuspect;
}

std::optional<double> rtt_of(const PageMemory& page, MemberId to) {
  const Peer* now = find_peer(page.peers, to);
  if (!now || !now->rtt_count || !now->rtt_sum_seconds) return std::nullopt;
  double count = *now->rtt_count;
  double sum = *now->rtt_sum_seconds;
  const Peer* before = find_peer(page.before, to);
  if (before && before->rtt_count && before->rtt_sum_seconds && *before->rtt_count <= count) {
    count -= *before->rtt_count;
    sum -= *before->rtt_sum_seconds;
  }
  if (count <= 0) return std::nullopt;
  return 1e3 * sum / count;
}

void note_inactive(const model::MetricsFacts& metrics, PageMemory& page) {
  std::vector<InactiveMemory> inactive;
  for (const auto& peer : metrics.peers) {
    if (is_active(&peer)) continue;
    const auto known = std::ranges::find(page.inactive, peer.id, &InactiveMemory::id);
    inactive.push_back({peer.id, known == page.inactive.end() ? metrics.at : known->since});
  }
  page.inactive = std::move(inactive);
}

void note_heard(const model::MetricsFacts& metrics, PageMemory& page) {
  std::vector<HeardMemory> heard;
  if (metrics.link_beat_bytes) {
    heard.reserve(metrics.peers.size());
    for (const auto& peer : metrics.peers) {
      const auto known = std::ranges::find(page.heard, peer.id, &HeardMemory::id);
      const bool still = known != page.heard.end() && known->bytes == peer.received_bytes_total;
      heard.push_back(
          {peer.id, peer.received_bytes_total, still ? known->still_since : metrics.at});
    }
  }
  page.heard = std::move(heard);
}

void note_beats(const model::MemberFacts& facts, PageMemory& page) {
  const auto& metrics = *facts.metrics;
  auto& beats = page.beats;
  const bool restarted =
      !beats.empty() && metrics.link_beat_bytes && *metrics.link_beat_bytes < beats.back().bytes;
  if (!metrics.link_beat_bytes || restarted) beats.clear();
  if (!metrics.link_beat_bytes) return;
  const bool timed = facts.scrape && facts.scrape->ok() && facts.scrape->sent <= metrics.at;
  if (beats.size() >= 2 && beats.back().at - beats[beats.size() - 2].at < kBeatGap)
    beats.pop_back();
  beats.push_back({timed ? facts.scrape->sent : metrics.at, metrics.at, *metrics.link_beat_bytes});
  std::erase_if(beats, [&](const BeatMark& mark) { return metrics.at - mark.at > kBeatsKept; });
}

}  // namespace

const Peer* find_peer(const std::vector<Peer>& peers, MemberId id) {
  const auto found = std::ranges::find(peers, id, &Peer::id);
  return found == peers.end() ? nullptr : &*found;
}

bool is_active(const Peer* peer) {
  return peer && peer->active.value_or(0) > 0;
}

bool grew(const PageMemory& page, MemberId to, double Peer::* counter) {
  const Peer* now = find_peer(page.peers, to);
  const Peer* before = find_peer(page.before, to);
  return now && before && now->*counter > before->*counter;
}

bool settled_at(const ReachMemory& reach, SteadyTime at) {
  return !reach.stirred || at >= *reach.stirred + kLinksSettle;
}

bool tells(const Look& look, const MemberMemory& member) {
  return model::is_alive(member.reach.reach) && member.page.at != SteadyTime{} &&
         look.now - member.page.at <= look.page_window() &&
         settled_at(member.reach, member.page.at);
}

bool is_leaderless(const Look& look, std::size_t subject, const MemberMemory& member) {
  const auto& answer = member.answer;
  return is_fresh(look, look.subjects[subject], member) && answer.leader.none() &&
         answer.agreeing >= kSteadyAnswers &&
         look.now - answer.leader_since >= Duration(look.options.election_timeout) &&
         settled_at(member.reach, look.now);
}

Duration silence_limit(const Look& look) {
  return std::max(kLeastSilence, 3 * Duration(look.options.election_timeout));
}

std::optional<Duration> raft_silence(const Look& look, MemberMemories members,
                                     const LeaderMemory& leader, std::size_t from, std::size_t to) {
  const auto& hearer = members[from];
  const auto& sender = members[to];
  const auto heard = std::ranges::find(hearer.page.heard, sender.id, &HeardMemory::id);
  if (heard == hearer.page.heard.end() || !tells(look, hearer)) return std::nullopt;
  if (!settled_at(sender.reach, hearer.page.at)) return std::nullopt;
  // Its process may just be dying.
  if (sender.reach.reach == Reach::kSuspect) return std::nullopt;
  const bool one_leads =
      !leader.current.none() && (hearer.id == leader.current || sender.id == leader.current);
  const bool seeks = is_leaderless(look, to, sender) && look.subjects[to].voter;
  if (!one_leads && !(seeks && look.subjects[from].voter)) return std::nullopt;
  SteadyTime since = heard->still_since;
  if (one_leads) since = std::max(since, leader.since);
  // Links of one that lost its leader are told together, not one after the other.
  for (const auto i : {from, to}) {
    if (is_leaderless(look, i, members[i])) since = std::max(since, members[i].answer.leader_since);
  }
  return std::max(Duration(0), hearer.page.at - since);
}

void remember_pages(const Look& look, std::span<MemberMemory> members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& metrics = look.subjects[i].facts->metrics;
    auto& page = members[i].page;
    if (!metrics || metrics->at == page.at) continue;
    if (page.at != SteadyTime{}) {
      page.before_at = page.at;
      page.before.swap(page.peers);
    }
    page.at = metrics->at;
    page.peers = metrics->peers;
    note_inactive(*metrics, page);
    note_heard(*metrics, page);
    note_beats(*look.subjects[i].facts, page);
  }
}

namespace {

// What witnesses say about a member since we lost it.
struct Sighted {
  bool active = true;     ///< everybody who tells counts it among its peers
  bool probed = false;    ///< somebody measured a round trip to it
  bool speaking = false;  ///< somebody had messages of raft's from it
};

Sighted sighted(const Look& look, MemberMemories members, const MemberMemory& lost) {
  Sighted found;
  for (const auto& witness : members) {
    const auto& page = witness.page;
    // Both pages must be younger than our trouble, or they tell of better days.
    if (&witness == &lost || !tells(look, witness)) continue;
    if (!page.before_at || *page.before_at < *lost.reach.down_since) continue;
    const Peer* now = find_peer(page.peers, lost.id);
    const Peer* before = find_peer(page.before, lost.id);
    found.active = found.active && is_active(now);
    found.probed = found.probed ||
                   (now && before && now->rtt_count.value_or(0) > before->rtt_count.value_or(0));
    found.speaking = found.speaking || grew(page, lost.id, &Peer::received_bytes_total);
  }
  return found;
}

}  // namespace

std::vector<bool> seen_by_peers(const Look& look, MemberMemories members) {
  std::vector<bool> seen(members.size(), false);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& reach = members[i].reach;
    if (!is_down(reach.reach) || !reach.down_since || !look.subjects[i].listed) continue;
    const auto found = sighted(look, members, members[i]);
    // A process that is stopped keeps its connections, and answers no message.
    seen[i] =
        found.speaking || (reach.reach == Reach::kUnreachable && found.active && found.probed);
  }
  return seen;
}

namespace {

// True: some are silent, and not yet for long enough.
bool judge_silence(const Links& links) {
  bool stirring = false;
  const auto limit = silence_limit(links.look);
  const auto silence = [&](std::size_t from, std::size_t to) {
    return raft_silence(links.look, links.members, links.leader, links.rows[from], links.rows[to]);
  };
  for (std::size_t a = 0; a < links.size(); ++a) {
    for (std::size_t b = a + 1; b < links.size(); ++b) {
      if (!links.part[a] || !links.part[b]) continue;
      const auto there = silence(a, b);
      const auto back = silence(b, a);
      if (!there && !back) continue;
      // Both ends where both can tell: one whose disk is stuck hears, and does not answer.
      const auto both = std::min(there.value_or(Duration::max()), back.value_or(Duration::max()));
      const bool confirmed = (there && back) ||
                             is_leaderless(links.look, links.rows[a], links.member(a)) ||
                             is_leaderless(links.look, links.rows[b], links.member(b));
      if (both >= limit && confirmed) {
        links.mark(a, b, LinkState::kCut);
      } else if (both >= limit / 2) {
        stirring = true;
        for (auto* cell : {&links.cell(a, b), &links.cell(b, a)}) {
          if (*cell == LinkState::kUp) *cell = LinkState::kSuspect;
        }
      }
    }
  }
  return stirring;
}

}  // namespace

model::PeerMatrix peer_matrix(const Look& look, MemberMemories members,
                              const std::vector<bool>& peers_see, const LeaderMemory& leader,
                              LinkMemory& memory) {
  model::PeerMatrix peers;
  Links links{look, members, leader, {}, {}, peers};
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (look.subjects[i].listed && members[i].reach.reach != Reach::kUnstarted)
      links.rows.push_back(i);
  }
  std::ranges::sort(links.rows, {}, [&](std::size_t i) { return members[i].id; });
  const auto n = links.size();
  peers.members.reserve(n);
  peers.names.reserve(n);
  peers.cells.assign(n * n, LinkState::kUnknown);
  peers.rtt_ms.assign(n * n, std::nullopt);
  for (const auto i : links.rows) {
    peers.members.push_back(members[i].id);
    peers.names.push_back(look.subjects[i].label);
    links.part.push_back(takes_part(members[i], peers_see[i]));
  }
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = 0; b < n; ++b) {
      // The links of a dead member are down because it is: they say nothing about the network.
      if (!links.part[a] || !links.part[b]) continue;
      if (a == b) {
        links.cell(a, b) = LinkState::kUp;
        continue;
      }
      const auto own = view(look, links.member(a), links.member(b));
      links.cell(a, b) =
          own == LinkState::kUnknown ? view(look, links.member(b), links.member(a)) : own;
      if (tells(look, links.member(a)))
        peers.rtt_ms[a * n + b] = rtt_of(links.member(a).page, links.member(b).id);
    }
  }
  memory.stirring = judge_silence(links);
  judge_beats(links, memory);
  return peers;
}

bool wants_closer_look(const Look& look, MemberMemories members, const std::vector<bool>& peers_see,
                       const model::PartitionAssessment& partition, LinkMemory& links) {
  bool wanted = partition.suspected || links.stirring || links.quiet_since;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& reach = members[i].reach;
    // Whoever refuses is gone; of others their peers may know better.
    const auto& beats = members[i].page.beats;
    wanted = wanted || (!beats.empty() && beats.back().at - beats.front().at < kFirstWindow);
    wanted = wanted || (look.subjects[i].listed && is_down(reach.reach) && !peers_see[i] &&
                        reach.cause != Cause::kRefused);
  }
  if (!wanted) {
    links.closer_since.reset();
    return false;
  }
  links.closer_since = links.closer_since.value_or(look.now);
  return look.now - *links.closer_since <= kCloserFor;
}

}  // namespace etcdmon::collect
