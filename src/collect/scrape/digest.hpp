// collect/scrape/digest.hpp: from a page's lines to a row of series, and to the facts that
// judgements need.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "collect/scrape/dictionary.hpp"
#include "collect/scrape/page_reader.hpp"
#include "model/member.hpp"
#include "series/member_series.hpp"

namespace etcdmon::collect {

/// Where the lines of one histogram are kept. The series of a bucket counts what fell into it
/// alone: most buckets then stand still, and cost nothing.
struct HistogramColumns {
  Family family = Family::kCount;
  Group group = Group::kAll;
  std::uint64_t peer = 0;
  std::vector<series::SeriesId> buckets;  ///< by bound, increasing
  std::optional<series::SeriesId> sum;    ///< kept to the microsecond
  std::optional<series::SeriesId> count;
};

/// Maps the slots of a member's pages to columns of its series.
///
/// Lines of equal meaning share a column. A column that no page has had for longer than the series'
/// retention is given back.
/// Threads: one owner.
class Digest {
 public:
  /// To be called after every page that was learned anew.
  void bind(const PageReader& reader, series::MemberSeries& series, SteadyTime now);

  /// A value for each column of `series`, NaN where the page has none.
  void fill(std::span<const double> slots, std::vector<double>& row) const;

  std::optional<series::SeriesId> column(Family family, Group group = Group::kAll,
                                         std::uint64_t peer = 0) const;
  /// Of the present page.
  std::span<const HistogramColumns> histograms() const { return histograms_; }
  double bound_of(series::SeriesId bucket) const { return columns_[bucket].meaning.bound; }
  /// Members that the present page names as peers, sorted.
  std::span<const std::uint64_t> peers() const { return peers_; }

  /// `row` is what fill() gave.
  model::MetricsFacts facts(SteadyTime at, std::span<const double> row) const;

  std::size_t memory_bytes() const;

 private:
  static constexpr series::SeriesId kNone = UINT16_MAX;
  struct Column {
    Meaning meaning;  ///< family kCount: not in use
    bool present = false;
    SteadyTime absent_since;
  };

  void retire(series::MemberSeries& series, SteadyTime now);
  void group_columns();

  std::vector<Column> columns_;          ///< by SeriesId
  std::vector<series::SeriesId> slots_;  ///< column of each slot; kNone: not kept as a series
  std::array<series::SeriesId, kFamilyCount> plain_{};  ///< column of a family's only value
  std::vector<HistogramColumns> histograms_;
  std::vector<std::uint64_t> peers_;
  std::uint64_t server_id_ = 0;
};

}  // namespace etcdmon::collect
