// How many peers each member hears: which of the links are cut that raft never uses.
//
// Every stream between two members carries a beat each 5/3 s, so that neither end gives it up. A
// member counts the bytes of all of them in one sum: one peer fallen silent takes its share from
// it. The leader's links are known one by one, so its sum is the measure; where the members that
// hear too few leave only one way to place the cuts, the links have names.
#include <algorithm>
#include <array>
#include <cmath>

#include "collect/judge/links.hpp"

namespace etcdmon::collect {

using model::LinkState;
using std::chrono::seconds;

namespace {

constexpr double kBeatSeconds = 5.0 / 3;
constexpr int kStreams = 2;  ///< from each peer
/// Bytes of one beat: etcd 3.4 and 3.5; from 3.6 on a message carries no empty snapshot.
constexpr std::array kBeatSizes = {30.0, 18.0};
/// What a beat may come too early or too late, at both ends of a window together.
constexpr double kJitter = 0.5;
constexpr double kShortest = 4.9;

double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

struct Heard {
  int least = 0;
  int most = 0;
  bool certain() const { return least == most; }
};

/// The beats between two pages: between how many peers that is, of `peers`.
Heard heard_between(const BeatMark& from, const BeatMark& to, double size, int peers) {
  const double fewest = std::floor((in_seconds(to.sent - from.at) - kJitter) / kBeatSeconds);
  const double most = std::ceil((in_seconds(to.at - from.sent) + kJitter) / kBeatSeconds);
  const double beats = (to.bytes - from.bytes) / size / kStreams;
  return {static_cast<int>(std::ceil(beats / most)),
          std::min(peers, static_cast<int>(beats / std::max(1.0, fewest)))};
}

/// Not even the beats that must have come in the last window; one peer's may be late.
bool seems_short(const PageMemory& page, double size, int peers, SteadyTime after) {
  constexpr double kTolerance = 0.1;
  const auto& beats = page.beats;
  if (beats.size() < 2 || beats[beats.size() - 2].sent < after) return false;
  const auto& from = beats[beats.size() - 2];
  const double due = std::floor(in_seconds(beats.back().at - from.at) / kBeatSeconds + kTolerance);
  const double missing = kStreams * peers * due - (beats.back().bytes - from.bytes) / size;
  return missing > kStreams;
}

/// The youngest window that leaves one number only; else what is certain of them all.
Heard heard_peers(const PageMemory& page, double size, int peers, SteadyTime after) {
  Heard found{0, peers};
  const auto& beats = page.beats;
  if (beats.empty()) return found;
  for (std::size_t i = beats.size() - 1; i-- > 0;) {
    const auto& from = beats[i];
    if (from.sent < after) break;
    if (in_seconds(beats.back().sent - from.at) < kShortest) continue;
    const auto heard = heard_between(from, beats.back(), size, peers);
    if (heard.certain()) return heard;
    found.most = std::min(found.most, std::max(0, heard.most));
  }
  return found;
}

/// Windows may begin here: since then nobody came, went, or was reconnected. nullopt: not yet.
std::optional<SteadyTime> quiet_days_since(const Links& links) {
  SteadyTime since{};
  for (std::size_t row = 0; row < links.size(); ++row) {
    const auto& reach = links.member(row).reach;
    if (reach.reach == model::Reach::kSuspect) return std::nullopt;
    if (links.part[row]) {
      if (reach.stirred) since = std::max(since, *reach.stirred + kLinksSettle);
    } else if (is_proven_dead(reach)) {
      since = std::max(since, reach.since);
    } else {
      return std::nullopt;
    }
  }
  return since;
}

std::string_view minor_version(const Links& links, std::size_t row) {
  const auto& status = links.look.subjects[links.rows[row]].facts->status;
  if (!status) return {};
  const std::string_view version = status->version;
  return version.substr(0, version.find('.', version.find('.') + 1));
}

enum class Place : std::uint8_t { kOpen, kAlive, kSilent };

/// Which links are alive, as far as it is known: by row and column.
struct Puzzle {
  std::size_t rows = 0;
  std::vector<Place> places;
  std::vector<std::optional<Heard>> heard;  ///< by row; nullopt: it does not tell

  Place at(std::size_t a, std::size_t b) const { return places[a * rows + b]; }
  void set(std::size_t a, std::size_t b, Place place) {
    places[a * rows + b] = places[b * rows + a] = place;
  }
  int count(std::size_t row, Place place) const {
    const auto first = places.begin() + static_cast<std::ptrdiff_t>(row * rows);
    return static_cast<int>(std::count(first, first + static_cast<std::ptrdiff_t>(rows), place));
  }
  int open() const { return static_cast<int>(std::ranges::count(places, Place::kOpen)) / 2; }
  /// It does not hear everybody that may be alive.
  bool is_short(std::size_t row) const {
    return heard[row] && heard[row]->most < count(row, Place::kAlive) + count(row, Place::kOpen);
  }
  /// It counts, and what was placed is what it counted.
  bool fits(std::size_t row) const {
    return heard[row] && heard[row]->certain() && heard[row]->most == count(row, Place::kAlive);
  }
};

/// What raft's own messages tell about a link that has some; nullopt: wait.
std::optional<Place> by_raft(const Links& links, std::size_t a, std::size_t b) {
  if (links.cell(a, b) == LinkState::kCut || links.cell(b, a) == LinkState::kCut)
    return Place::kSilent;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    const auto silence =
        raft_silence(links.look, links.members, links.leader, links.rows[from], links.rows[to]);
    if (silence && *silence < silence_limit(links.look) / 2) return Place::kAlive;
  }
  return std::nullopt;
}

std::optional<Puzzle> lay_out(const Links& links, std::size_t lead) {
  Puzzle puzzle{links.size(), {}, {}};
  puzzle.places.assign(links.size() * links.size(), Place::kSilent);
  puzzle.heard.resize(links.size());
  const auto has_raft = [&](std::size_t row) {
    return row == lead || is_leaderless(links.look, links.rows[row], links.member(row));
  };
  for (std::size_t a = 0; a < links.size(); ++a) {
    for (std::size_t b = a + 1; b < links.size(); ++b) {
      if (!links.part[a] || !links.part[b]) continue;
      const bool cut = links.cell(a, b) == LinkState::kCut || links.cell(b, a) == LinkState::kCut;
      const auto place = has_raft(a) || has_raft(b)
                             ? by_raft(links, a, b)
                             : std::optional(cut ? Place::kSilent : Place::kOpen);
      if (!place) return std::nullopt;
      puzzle.set(a, b, *place);
    }
  }
  return puzzle;
}

/// Bytes of a beat, by what the leader heard: it must have heard everybody that raft says.
std::optional<double> beat_size(const Links& links, const Puzzle& puzzle, std::size_t lead,
                                SteadyTime after) {
  const int alive = puzzle.count(lead, Place::kAlive);
  const int peers = static_cast<int>(links.size()) - 1;
  for (const double size : kBeatSizes) {
    const auto heard = heard_peers(links.member(lead).page, size, peers, after);
    if (alive > 0 && heard.certain() && heard.most == alive) return size;
  }
  return std::nullopt;
}

void count_heard(const Links& links, std::size_t lead, double size, SteadyTime after,
                 Puzzle& puzzle) {
  const int peers = static_cast<int>(links.size()) - 1;
  for (std::size_t row = 0; row < links.size(); ++row) {
    puzzle.heard[row].reset();
    const bool counts = row != lead && links.part[row] && tells(links.look, links.member(row)) &&
                        minor_version(links, row) == minor_version(links, lead);
    if (counts && puzzle.count(row, Place::kOpen) > 0)
      puzzle.heard[row] = heard_peers(links.member(row).page, size, peers, after);
  }
}

/// Places what only one way is left for. False: the counts contradict each other.
bool solve(Puzzle& puzzle) {
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t row = 0; row < puzzle.rows; ++row) {
      if (!puzzle.heard[row] || !puzzle.heard[row]->certain()) continue;
      const int open = puzzle.count(row, Place::kOpen);
      const int alive = puzzle.heard[row]->most - puzzle.count(row, Place::kAlive);
      if (alive < 0 || alive > open) return false;
      if (open == 0 || (alive > 0 && alive < open)) continue;
      for (std::size_t other = 0; other < puzzle.rows; ++other) {
        if (puzzle.at(row, other) == Place::kOpen)
          puzzle.set(row, other, alive > 0 ? Place::kAlive : Place::kSilent);
      }
      moved = true;
    }
  }
  return true;
}

void remember_quiet(const Links& links, const Puzzle& puzzle, double size, SteadyTime after,
                    LinkMemory& memory) {
  bool any_short = false;
  bool any_sign = false;
  bool all_whole = true;
  for (std::size_t row = 0; row < puzzle.rows; ++row) {
    if (!puzzle.heard[row]) continue;
    const int due = puzzle.count(row, Place::kAlive) + puzzle.count(row, Place::kOpen);
    any_short = any_short || puzzle.is_short(row);
    any_sign = any_sign || seems_short(links.member(row).page, size, due, after);
    all_whole = all_whole && puzzle.heard[row]->certain() && !puzzle.is_short(row);
  }
  if (any_short) memory.quiet_seen = links.look.now;
  if (any_short || any_sign) {
    memory.quiet_since = memory.quiet_since.value_or(links.look.now);
  } else if (all_whole) {
    memory.quiet_since.reset();
  }
}

/// The links without raft's messages, placed; nullopt: nothing can be said now.
std::optional<Puzzle> place_links(const Links& links, LinkMemory& memory) {
  const auto lead = static_cast<std::size_t>(
      std::ranges::find(links.peers.members, links.leader.current) - links.peers.members.begin());
  if (lead == links.size() || !tells(links.look, links.member(lead))) return std::nullopt;
  const auto after = quiet_days_since(links);
  auto puzzle = lay_out(links, lead);
  if (!after || !puzzle || puzzle->open() == 0) return std::nullopt;
  const auto size = beat_size(links, *puzzle, lead, *after);
  if (!size) return std::nullopt;
  count_heard(links, lead, *size, *after, *puzzle);

  remember_quiet(links, *puzzle, *size, *after, memory);
  // With several ways to place the cuts, a window that reaches back before them would mislead.
  if (memory.quiet_since && puzzle->open() > 1)
    count_heard(links, lead, *size, std::max(*after, *memory.quiet_since), *puzzle);
  return solve(*puzzle) ? puzzle : std::nullopt;
}

}  // namespace

void judge_beats(const Links& links, LinkMemory& memory) {
  const auto puzzle = place_links(links, memory);
  const auto now = links.look.now;
  const auto last_sign = std::max(memory.quiet_seen, memory.quiet_since.value_or(now));
  if (now - last_sign > links.look.page_window()) memory.quiet_since.reset();
  memory.stirring =
      memory.stirring || (memory.quiet_since && memory.quiet_seen >= *memory.quiet_since);
  if (!puzzle && memory.quiet.empty()) return;
  std::vector<QuietLink> quiet;
  for (std::size_t a = 0; a < links.size(); ++a) {
    for (std::size_t b = a + 1; b < links.size(); ++b) {
      if (!links.part[a] || !links.part[b] || links.cell(a, b) == LinkState::kCut) continue;
      QuietLink link{links.peers.members[a], links.peers.members[b], now};
      const auto place = puzzle ? puzzle->at(a, b) : Place::kOpen;
      if (place == Place::kAlive) continue;
      if (place == Place::kOpen || !puzzle->fits(a) || !puzzle->fits(b)) {
        const auto known = std::ranges::find_if(memory.quiet, [&](const QuietLink& other) {
          return other.a == link.a && other.b == link.b;
        });
        // A page that decides nothing does not heal what others have shown.
        if (known == memory.quiet.end() || now - known->proven > links.look.page_window()) continue;
        link.proven = known->proven;
      }
      links.mark(a, b, LinkState::kCut);
      quiet.push_back(link);
    }
  }
  memory.quiet = std::move(quiet);
}

}  // namespace etcdmon::collect
