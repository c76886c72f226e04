// collect/scrape/page_reader.hpp: reads the kept lines of a page, fast while the page's lines stay
// the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collect/scrape/dictionary.hpp"

namespace etcdmon::collect {

/// Consecutive kept lines of one family: how they begin (up to the value) and what they mean.
struct LineBlock {
  std::string heads;                        ///< one behind the other
  std::vector<std::uint16_t> head_lengths;  ///< one a line
  std::vector<Meaning> meanings;            ///< one a line
};

/// Shares equal blocks between members: in a fleet of one version nearly every block is the same,
/// and what is compared a thousand times stays in the processor's cache. Also lends its readers one
/// buffer.
///
/// Threads:  one owner (the loop).
/// Lifetime: shared by its readers.
class LinePool {
 public:
  explicit LinePool(Dictionary dictionary = Dictionary()) : dictionary_(std::move(dictionary)) {}

  const Dictionary& dictionary() const { return dictionary_; }
  std::shared_ptr<const LineBlock> intern(LineBlock block);
  std::vector<double>& values() { return values_; }
  std::size_t blocks() const { return blocks_.size(); }

 private:
  void purge();

  Dictionary dictionary_;
  std::unordered_multimap<std::size_t, std::weak_ptr<const LineBlock>> blocks_;
  std::size_t purge_at_ = 256;
  std::vector<double> values_;
};

/// One member's pages, one after the other.
///
/// The lines of the last page are remembered; while the next page has the same ones, reading is a
/// comparison and a number per kept line, and what lies between is not looked at. Otherwise, and
/// for every kRelearnEvery-th page, the page is parsed in full. So a kept line that takes the place
/// of unknown ones of the same length is seen that late; forget() after a restart, when lines
/// change. A page with malformed lines is never remembered, so that they are counted each time.
///
/// Threads: one owner.
class PageReader {
 public:
  static constexpr unsigned kRelearnEvery = 256;
  /// Kept lines above this are dropped: no etcd has so many, a page that is none may.
  static constexpr std::size_t kMaxLines = 16'384;

  explicit PageReader(std::shared_ptr<LinePool> pool) : pool_(std::move(pool)) {}

  struct Outcome {
    bool relearned = false;       ///< slots may mean something else than before
    std::uint64_t malformed = 0;  ///< lines of this page
    /// The value of each slot; valid until a reader of the same pool reads again.
    std::span<const double> values;
  };
  Outcome read(std::string_view page);
  /// The next page is parsed in full.
  void forget() { remembered_ = false; }

  /// Calls f(slot, meaning) for each slot of the last page, in order.
  template <class F>
  void for_each_slot(const F& f) const {
    std::size_t slot = 0;
    for (const auto& run : runs_) {
      for (const auto& meaning : run.block->meanings) f(slot++, meaning);
    }
  }
  /// Calls f(slot, head) for each slot: how its line begins, up to the value.
  template <class F>
  void for_each_head(const F& f) const {
    std::size_t slot = 0;
    for (const auto& run : runs_) {
      std::string_view heads = run.block->heads;
      for (const std::size_t length : run.block->head_lengths) {
        f(slot++, heads.substr(0, length));
        heads.remove_prefix(length);
      }
    }
  }
  std::size_t slots() const { return slots_; }
  std::size_t memory_bytes() const { return sizeof(*this) + runs_.capacity() * sizeof(Run); }

 private:
  /// A block and what lies before it: as many lines, and last time as many bytes.
  struct Run {
    std::shared_ptr<const LineBlock> block;
    std::uint32_t gap_bytes = 0;
    std::uint32_t gap_lines = 0;
  };

  bool read_known(std::string_view page);
  std::uint64_t learn(std::string_view page);
  void add_run(LineBlock& block, std::string_view gap);

  std::shared_ptr<LinePool> pool_;
  std::vector<Run> runs_;
  std::size_t slots_ = 0;
  std::size_t last_gap_bytes_ = 0;
  std::size_t last_gap_lines_ = 0;
  unsigned since_learned_ = 0;
  bool remembered_ = false;
};

}  // namespace etcdmon::collect
