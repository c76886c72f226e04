// collect/judge/links.hpp: what the members' pages of /metrics prove about the links between them.
#pragma once

#include <optional>
#include <vector>

#include "collect/judge/parts.hpp"

namespace etcdmon::collect {

/// A member that has just come up, and TCP noticing a cut, both need a moment before a link says
/// something.
inline constexpr std::chrono::seconds kLinksSettle{10};

using Peer = model::MetricsFacts::Peer;

const Peer* find_peer(const std::vector<Peer>& peers, MemberId id);
bool is_active(const Peer* peer);
/// A counter about `to`, from the page before to this one.
bool grew(const PageMemory& page, MemberId to, double Peer::* counter);

bool settled_at(const ReachMemory& reach, SteadyTime at);
/// This member's last page tells about its peers now.
bool tells(const Look& look, const MemberMemory& member);
/// Knows no leader, for longer than an election without a cut takes.
bool is_leaderless(const Look& look, std::size_t subject, const MemberMemory& member);

/// How long `from` has had nothing of raft's messages from `to`, where there must have been some;
/// nullopt: there need not have been any, or the pages do not tell.
std::optional<Duration> raft_silence(const Look& look, MemberMemories members,
                                     const LeaderMemory& leader, std::size_t from, std::size_t to);
/// Raft's messages come several times in that long, from a leader, to it, and from whoever looks
/// for one.
Duration silence_limit(const Look& look);

/// The matrix while it is made: rows are indices into the subjects.
struct Links {
  const Look& look;
  MemberMemories members;
  const LeaderMemory& leader;
  std::vector<std::size_t> rows;
  std::vector<bool> part;  ///< by row: alive, as far as anybody can tell
  model::PeerMatrix& peers;

  std::size_t size() const { return rows.size(); }
  const MemberMemory& member(std::size_t row) const { return members[rows[row]]; }
  model::LinkState& cell(std::size_t from, std::size_t to) const {
    return peers.cells[from * size() + to];
  }
  void mark(std::size_t a, std::size_t b, model::LinkState state) const {
    cell(a, b) = cell(b, a) = state;
  }
};

/// Names cut links among members of which none leads: raft is silent there also on a good day, and
/// only the number of peers heard from is known of each member.
void judge_beats(const Links& links, LinkMemory& memory);

}  // namespace etcdmon::collect
