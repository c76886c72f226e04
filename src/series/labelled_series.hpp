// series/labelled_series.hpp: one member's series under the names and labels that its pages give
// them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "series/member_series.hpp"

namespace etcdmon::series {

/// Rows of a MemberSeries whose columns have names. Every series also has the member's own labels;
/// where a page uses one of these names itself, its label is called exported_<name>, as in
/// Prometheus.
///
/// A value that is NaN counts as none. Threads: one owner.
class LabelledSeries {
 public:
  using Labels = std::map<std::string, std::string>;
  using LabelsPtr = std::shared_ptr<const Labels>;

  explicit LabelledSeries(MemberSeries::Options options) : rows_(options) {}

  /// The labels of the member itself. Series that are there keep their values.
  void set_own_labels(Labels own);
  /// A place for one more series, whose labels no other of the metric has; nullopt when there are
  /// too many.
  std::optional<SeriesId> add_column(std::string_view metric, const Labels& labels);
  void drop_column(SeriesId column);
  void set_retention(Duration retention) { rows_.set_retention(retention); }
  /// One value per column; NaN where there is none.
  bool append(SteadyTime at, WallTime wall, std::span<const double> row);

  std::span<const SeriesId> columns_of(std::string_view metric) const;
  std::size_t columns() const { return rows_.columns(); }
  const LabelsPtr& labels(SeriesId column) const { return columns_[column].labels; }
  const MemberSeries& rows() const { return rows_; }
  /// Grows whenever columns or labels change, and with every row.
  std::uint64_t layout() const { return layout_; }
  std::uint64_t version() const { return version_; }
  std::size_t memory_bytes() const;

 private:
  struct Column {
    std::string metric;  ///< empty: not in use
    Labels from_page;
    LabelsPtr labels;
  };

  LabelsPtr with_own(const Labels& labels) const;

  MemberSeries rows_;
  Labels own_;
  std::vector<Column> columns_;
  std::map<std::string, std::vector<SeriesId>, std::less<>> by_metric_;
  std::uint64_t layout_ = 0;
  std::uint64_t version_ = 0;
};

}  // namespace etcdmon::series
