// perf/sim_page.hpp: a real /metrics page whose counters go on, for members that do not exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace etcdmon::perf {

/// Learned from the page that a real member served.
///
/// Counters and histograms grow in proportion to what the real member had counted, so that buckets
/// stay in order and idle methods stay at 0; the heap, the goroutines and the like waver; what
/// counts trouble stands still. Lines about a peer are repeated for each peer of the simulated
/// member.
class PageTemplate {
 public:
  explicit PageTemplate(std::string_view page);

  struct Member {
    std::string_view id;                 ///< as etcd prints it: hexadecimal
    std::span<const std::string> peers;  ///< the others' ids
    bool leader = false;
    std::int64_t revision = 0;
    double phase = 0;  ///< sets members apart from each other
  };
  /// Appends the page of `member` after `seconds` of its life.
  void render(const Member& member, double seconds, std::string& out) const;

 private:
  enum class Kind : std::uint8_t { kConstant, kCounter, kRestless, kIsLeader, kRevision };
  /// `text` is all up to the value, with the comments before the line. In it '\1' stands for the
  /// member itself and '\2' for the peer.
  struct Line {
    std::string text;
    double value = 0;
    Kind kind = Kind::kConstant;
    bool of_peer = false;
    bool has_ids = false;
  };

  void read_line(std::string_view line, std::string& comments);
  Kind kind_of(std::string_view name) const;
  double value_of(const Line& line, const Member& member, double worked) const;
  void append_line(const Line& line, const Member& member, std::string_view peer, double worked,
                   std::string& out) const;

  std::vector<Line> lines_;
  std::string tail_;        ///< comments after the last sample
  std::string type_;        ///< of the family being read
  std::string own_id_;      ///< in the real page
  std::string model_peer_;  ///< whose lines stand for those of all peers
};

/// As Go prints a float64 in an exposition: 1234, 1.234567e+06, 0.000294874.
void append_number(double value, std::string& out);

}  // namespace etcdmon::perf
