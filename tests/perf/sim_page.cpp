#include "perf/sim_page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace etcdmon::perf {

namespace {

// How long the real member had counted, roughly: what it had counted by then is added once more in
// each such time.
constexpr double kCountedSeconds = 600;
constexpr char kOwn = '\1';
constexpr char kPeer = '\2';

template <std::size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(
      words, [text](auto word) { return text.find(word) != std::string_view::npos; });
}

// A fleet in good health: what counts trouble stands still.
constexpr std::array<std::string_view, 5> kTrouble = {"fail", "disconnected", "leader_changes",
                                                      "slow_", "process_start_time"};
// Gauges by their type, but they only grow.
constexpr std::array<std::string_view, 3> kGrowing = {"proposals_committed", "proposals_applied",
                                                      "wal_write_bytes"};
constexpr std::array<std::string_view, 6> kRestless = {
    "go_memstats_",     "go_goroutines",    "go_threads",
    "process_resident", "process_open_fds", "etcd_mvcc_db_total_size_in_use"};

std::string_view label_value(std::string_view line, std::string_view label) {
  const auto at = line.find(label);
  if (at == std::string_view::npos) return {};
  const auto begin = at + label.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

std::string_view peer_of(std::string_view line) {
  for (const std::string_view label : {"Remote=\"", "To=\"", "From=\""}) {
    const auto value = label_value(line, label);
    if (!value.empty()) return value;
  }
  return {};
}

std::vector<std::string_view> lines_of(std::string_view page) {
  std::vector<std::string_view> lines;
  while (!page.empty()) {
    const auto end = page.find('\n');
    if (end != 0) lines.push_back(page.substr(0, end));
    page = end == std::string_view::npos ? std::string_view() : page.substr(end + 1);
  }
  return lines;
}

// The peer about which most is said speaks for all.
std::string busiest_peer(const std::vector<std::string_view>& lines) {
  std::map<std::string_view, int> counts;
  for (const auto line : lines) {
    if (const auto peer = peer_of(line); peer.size() > 1) ++counts[peer];
  }
  if (counts.empty()) return {};
  return std::string(
      std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; })->first);
}

void replace_all(std::string& text, std::string_view what, char by) {
  if (what.empty()) return;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    text.replace(at, what.size(), 1, by);
}

// Work comes in bursts, but counts never fall: the slope stays between 0.7 and 1.3.
double worked_seconds(double seconds, double phase) {
  return seconds + 2.1 * (std::sin(seconds / 7 + phase) - std::sin(phase));
}

bool is_whole(double value) {
  return value == std::floor(value);
}

}  // namespace

void append_number(double value, std::string& out) {
  if (value != value) {
    out.append("NaN");
    return;
  }
  std::array<char, 64> digits{};
  const double size = std::abs(value);
  const bool scientific = value != 0 && (size < 1e-4 || size >= 1e6);
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format).ptr;
  out.append(digits.data(), end);
}

PageTemplate::PageTemplate(std::string_view page) {
  const auto id_line = page.find("\netcd_server_id{");
  if (id_line != std::string_view::npos)
    own_id_ = label_value(page.substr(id_line), "server_id=\"");
  const auto lines = lines_of(page);
  model_peer_ = busiest_peer(lines);
  std::string comments;
  for (const auto line : lines) read_line(line, comments);
  tail_ = std::move(comments);
}

void PageTemplate::read_line(std::string_view line, std::string& comments) {
  if (line.starts_with('#')) {
    if (line.starts_with("# TYPE ")) type_ = line.substr(line.rfind(' ') + 1);
    comments.append(line).push_back('\n');
    return;
  }
  const auto peer = peer_of(line);
  if (!peer.empty() && peer != model_peer_) return;

  const auto space = line.rfind(' ');
  const auto value = line.substr(space + 1);
  Line out;
  if (std::from_chars(value.data(), value.data() + value.size(), out.value).ec != std::errc{})
    out.value = std::numeric_limits<double>::quiet_NaN();
  out.text = std::exchange(comments, {});
  out.text.append(line.substr(0, space + 1));
  out.kind = kind_of(line.substr(0, line.find_first_of("{ ")));
  out.of_peer = !peer.empty();
  if (out.of_peer) replace_all(out.text, model_peer_, kPeer);
  replace_all(out.text, own_id_, kOwn);
  out.has_ids = out.text.find_first_of("\1\2") != std::string::npos;
  lines_.push_back(std::move(out));
}

PageTemplate::Kind PageTemplate::kind_of(std::string_view name) const {
  if (name == "etcd_server_is_leader") return Kind::kIsLeader;
  if (name == "etcd_debugging_mvcc_current_revision") return Kind::kRevision;
  if (contains_any(name, kTrouble)) return Kind::kConstant;
  if (type_ == "counter" || type_ == "histogram" || contains_any(name, kGrowing))
    return Kind::kCounter;
  return contains_any(name, kRestless) ? Kind::kRestless : Kind::kConstant;
}

double PageTemplate::value_of(const Line& line, const Member& member, double worked) const {
  switch (line.kind) {
    case Kind::kConstant:
      return line.value;
    case Kind::kCounter: {
      const double value = line.value * (1 + worked / kCountedSeconds);
      return is_whole(line.value) ? std::floor(value) : value;
    }
    case Kind::kRestless:
      return std::floor(line.value * (1 + 0.05 * std::sin(worked / 13 + member.phase)));
    case Kind::kIsLeader:
      return member.leader ? 1 : 0;
    case Kind::kRevision:
      return static_cast<double>(member.revision);
  }
  return line.value;
}

void PageTemplate::append_line(const Line& line, const Member& member, std::string_view peer,
                               double worked, std::string& out) const {
  if (!line.has_ids) {
    out.append(line.text);
  } else {
    for (const char c : line.text) {
      if (c == kOwn) {
        out.append(member.id);
      } else if (c == kPeer) {
        out.append(peer);
      } else {
        out.push_back(c);
      }
    }
  }
  append_number(value_of(line, member, worked), out);
  out.push_back('\n');
}

void PageTemplate::render(const Member& member, double seconds, std::string& out) const {
  const double worked = worked_seconds(seconds, member.phase);
  for (std::size_t i = 0; i < lines_.size();) {
    if (!lines_[i].of_peer) {
      append_line(lines_[i++], member, {}, worked, out);
      continue;
    }
    // All lines of a family about one peer stand together: the block once for each peer. Only its
    // first line has comments before it, and they belong there once.
    std::size_t end = i + 1;
    while (end < lines_.size() && lines_[end].of_peer && !lines_[end].text.starts_with('#')) ++end;
    const auto comments = lines_[i].text.rfind('\n') + 1;
    out.append(lines_[i].text, 0, comments);
    for (const auto& peer : member.peers) {
      for (std::size_t k = i; k < end; ++k) {
        if (k == i) {
          auto first = lines_[i];
          first.text.erase(0, comments);
          append_line(first, member, peer, worked, out);
        } else {
          append_line(lines_[k], member, peer, worked, out);
        }
      }
    }
    i = end;
  }
  out.append(tail_);
}

}  // namespace etcdmon::perf
