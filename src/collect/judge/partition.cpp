// What kind of cut the peer matrix shows.
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "collect/judge/links.hpp"

namespace etcdmon::collect {

using model::Check;
using model::LinkState;
using model::PartitionKind;
using model::Severity;

namespace {

// The matrix with its rows as indices into the subjects.
struct Graph {
  const Look& look;
  MemberMemories members;
  model::PeerMatrix& peers;
  std::vector<std::size_t> subject_of;  ///< by row
  std::vector<bool> part;               ///< by row: alive, as far as anybody can tell

  std::size_t size() const { return peers.members.size(); }
  const std::string& name(std::size_t row) const { return peers.names[row]; }
  bool is_cut(std::size_t a, std::size_t b) const { return peers.at(a, b) == LinkState::kCut; }
  bool broken(std::size_t a, std::size_t b) const { return is_cut(a, b) || is_cut(b, a); }
};

Graph make_graph(const Look& look, MemberMemories members, const std::vector<bool>& peers_see,
                 model::PeerMatrix& peers) {
  Graph graph{look, members, peers, {}, {}};
  for (const MemberId id : peers.members) {
    const auto subject = *look.index_of(id);
    graph.subject_of.push_back(subject);
    graph.part.push_back(model::is_alive(members[subject].reach.reach) || peers_see[subject]);
  }
  return graph;
}

void remember_cuts(const Graph& graph, std::vector<CutMemory>& cuts) {
  std::vector<CutMemory> present;
  for (std::size_t a = 0; a < graph.size(); ++a) {
    for (std::size_t b = 0; b < graph.size(); ++b) {
      if (!graph.is_cut(a, b)) continue;
      CutMemory cut{graph.peers.members[a], graph.peers.members[b], graph.look.now};
      const auto known = std::ranges::find_if(
          cuts, [&](const CutMemory& c) { return c.from == cut.from && c.to == cut.to; });
      if (known != cuts.end()) cut.since = known->since;
      present.push_back(cut);
    }
  }
  cuts = std::move(present);
}

// Components of members that see each other, directly or through others; largest first.
std::vector<std::vector<std::size_t>> components(const Graph& graph) {
  std::vector<std::size_t> group(graph.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  const auto join = [&](std::size_t a, std::size_t b) {
    const auto from = group[a];
    const auto to = group[b];
    if (from != to) std::ranges::replace(group, from, to);
  };
  for (std::size_t a = 0; a < graph.size(); ++a) {
    for (std::size_t b = a + 1; b < graph.size(); ++b) {
      if (graph.part[a] && graph.part[b] && !graph.broken(a, b)) join(a, b);
    }
  }
  std::vector<std::vector<std::size_t>> found;
  for (std::size_t g = 0; g < graph.size(); ++g) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < graph.size(); ++row) {
      if (graph.part[row] && group[row] == g) rows.push_back(row);
    }
    if (!rows.empty()) found.push_back(std::move(rows));
  }
  std::ranges::stable_sort(found, [](const auto& x, const auto& y) { return x.size() > y.size(); });
  return found;
}

std::vector<std::string> names_of(const Graph& graph, const std::vector<std::size_t>& rows) {
  std::vector<std::string> names;
  for (const auto row : rows) names.push_back(graph.name(row));
  return names;
}

// The other end has looked since the cut had time to show there, and sees nothing wrong.
bool is_one_way(const Graph& graph, const std::vector<CutMemory>& cuts, std::size_t from,
                std::size_t to) {
  if (graph.is_cut(to, from)) return false;
  const auto cut = std::ranges::find_if(cuts, [&](const CutMemory& c) {
    return c.from == graph.peers.members[from] && c.to == graph.peers.members[to];
  });
  const auto& other = graph.members[graph.subject_of[to]];
  return cut != cuts.end() && tells(graph.look, other) &&
         other.page.at >= cut->since + kLinksSettle &&
         is_active(find_peer(other.page.peers, graph.peers.members[from]));
}

void name_pairs(const Graph& graph, const std::vector<CutMemory>& cuts,
                model::PartitionAssessment& found) {
  std::vector<std::string> pairs;
  bool one_way = true;
  for (std::size_t a = 0; a < graph.size(); ++a) {
    for (std::size_t b = a + 1; b < graph.size(); ++b) {
      if (!graph.broken(a, b)) continue;
      const auto [from, to] = graph.is_cut(a, b) ? std::pair(a, b) : std::pair(b, a);
      if (is_one_way(graph, cuts, from, to)) {
        pairs.push_back(
            fmt::format("{} does not see {}, which sees it", graph.name(from), graph.name(to)));
      } else {
        one_way = false;
        pairs.push_back(
            fmt::format("{} and {} do not see each other", graph.name(a), graph.name(b)));
      }
    }
  }
  found.kind = one_way ? PartitionKind::kOneWay : PartitionKind::kPairwise;
  found.text = join_names(pairs);
}

void name_split(const Graph& graph, const std::vector<std::vector<std::size_t>>& groups,
                model::PartitionAssessment& found) {
  for (const auto& rows : groups) {
    auto& ids = found.groups.emplace_back();
    for (const auto row : rows) ids.push_back(graph.peers.members[row]);
  }
  if (groups.size() == 2 && groups[1].size() == 1 && groups[0].size() > 1) {
    found.kind = PartitionKind::kIsolatedMember;
    found.text = fmt::format("{} is cut off from {}", graph.name(groups[1].front()),
                             join_names(names_of(graph, groups[0])));
    return;
  }
  if (groups.size() == 2 && groups[0].size() == 1) {
    found.kind = PartitionKind::kPairwise;
    found.text = fmt::format("{} and {} do not see each other", graph.name(groups[0].front()),
                             graph.name(groups[1].front()));
    return;
  }
  found.kind = PartitionKind::kSplit;
  for (const auto& rows : groups) {
    if (!found.text.empty()) found.text += " | ";
    found.text += join_names(names_of(graph, rows));
  }
  found.text = fmt::format("the cluster is split: {}", found.text);
}

void suspect(const Graph& graph, MemberId leader, model::PartitionAssessment& found) {
  std::vector<std::size_t> cut_off;
  std::size_t leader_row = graph.size();
  for (std::size_t row = 0; row < graph.size(); ++row) {
    if (graph.peers.members[row] == leader) leader_row = row;
    const auto subject = graph.subject_of[row];
    if (is_leaderless(graph.look, subject, graph.members[subject])) cut_off.push_back(row);
  }
  if (leader_row == graph.size() || cut_off.empty()) return;
  for (const auto row : cut_off) {
    for (auto* cell : {&graph.peers.cells[row * graph.size() + leader_row],
                       &graph.peers.cells[leader_row * graph.size() + row]}) {
      if (*cell != LinkState::kCut) *cell = LinkState::kSuspect;
    }
  }
  found.suspected = true;
  found.kind = cut_off.size() == 1 ? PartitionKind::kIsolatedMember : PartitionKind::kSplit;
  found.text = fmt::format("{} may be cut off: knows no leader, while {} leads the others",
                           join_names(names_of(graph, cut_off)), graph.name(leader_row));
}

// Members that are alive lost a connection to each other: worth a closer look, no more. Failures to
// send alone colour the cell: they come with load as well.
bool links_stir(const Graph& graph) {
  for (std::size_t a = 0; a < graph.size(); ++a) {
    const auto& from = graph.members[graph.subject_of[a]];
    for (std::size_t b = 0; b < graph.size(); ++b) {
      if (graph.peers.at(a, b) != LinkState::kSuspect) continue;
      const MemberId to = graph.peers.members[b];
      if (!is_active(find_peer(from.page.peers, to)) ||
          grew(from.page, to, &Peer::disconnected_total))
        return true;
    }
  }
  return false;
}

void name_unreachable_from_us(const Look& look, const std::vector<bool>& peers_see,
                              model::PartitionAssessment& found) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < peers_see.size(); ++i) {
    if (peers_see[i]) names.push_back(look.subjects[i].label);
  }
  if (names.empty()) return;
  auto text =
      fmt::format("{} cannot be reached from here, but its peers see it", join_names(names));
  if (names.size() > 1)
    text =
        fmt::format("{} cannot be reached from here, but their peers see them", join_names(names));
  if (found.kind != PartitionKind::kNone) {
    found.text += "; " + text;
    return;
  }
  found.kind = PartitionKind::kUnreachableFromUs;
  found.text = std::move(text);
}

}  // namespace

model::PartitionAssessment judge_partition(const Look& look, MemberMemories members,
                                           const std::vector<bool>& peers_see,
                                           const LeaderMemory& leader, model::PeerMatrix& peers,
                                           LinkMemory& links) {
  model::PartitionAssessment found;
  const Graph graph = make_graph(look, members, peers_see, peers);
  auto& cuts = links.cuts;
  remember_cuts(graph, cuts);
  for (const auto& cut : cuts) found.cut_links.emplace_back(cut.from, cut.to);
  std::ranges::sort(found.cut_links);
  if (!cuts.empty()) {
    const auto groups = components(graph);
    if (groups.size() > 1) {
      name_split(graph, groups, found);
    } else {
      name_pairs(graph, cuts, found);
    }
  } else {
    if (!leader.current.none()) suspect(graph, leader.current, found);
    found.suspected = found.suspected || links.stirring || links_stir(graph);
  }
  name_unreachable_from_us(look, peers_see, found);
  return found;
}

void report_partition(const Sight& sight, Findings& findings) {
  const auto& partition = sight.partition;
  // "Unreachable from us only" is told by the verdict about that member.
  if (partition.kind == PartitionKind::kNone || partition.kind == PartitionKind::kUnreachableFromUs)
    return;
  const bool serving = sight.quorum.has_quorum != false && !sight.electing();
  std::string detail;
  for (const auto& [from, to] : partition.cut_links) {
    if (!detail.empty()) detail += ", ";
    detail += fmt::format("{} -> {}", sight.look.label_of(from), sight.look.label_of(to));
  }
  detail =
      partition.suspected ? "not confirmed by the members' metrics yet" : "cut links: " + detail;
  findings.add(
      {Check::kPartition,
       serving ? Severity::kWarning : Severity::kCritical,
       {},
       {},
       partition.suspected ? partition.text : fmt::format("network partition: {}", partition.text),
       std::move(detail),
       {}});
}

}  // namespace etcdmon::collect
