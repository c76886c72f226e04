#include "series/labelled_series.hpp"

#include <algorithm>
#include <utility>

namespace etcdmon::series {

void LabelledSeries::set_own_labels(Labels own) {
  if (own == own_) return;
  own_ = std::move(own);
  for (auto& column : columns_) {
    if (!column.metric.empty()) column.labels = with_own(column.from_page);
  }
  ++layout_;
}

LabelledSeries::LabelsPtr LabelledSeries::with_own(const Labels& labels) const {
  auto out = own_;
  for (const auto& [name, value] : labels) {
    if (value.empty()) continue;
    out[own_.contains(name) ? "exported_" + name : name] = value;
  }
  return std::make_shared<const Labels>(std::move(out));
}

std::optional<SeriesId> LabelledSeries::add_column(std::string_view metric, const Labels& labels) {
  const auto fresh = rows_.add_column();
  if (!fresh) return std::nullopt;
  if (*fresh >= columns_.size()) columns_.resize(*fresh + std::size_t{1});
  columns_[*fresh] = {std::string(metric), labels, with_own(labels)};
  by_metric_[std::string(metric)].push_back(*fresh);
  ++layout_;
  return fresh;
}

void LabelledSeries::drop_column(SeriesId column) {
  auto& dropped = columns_[column];
  const auto found = by_metric_.find(dropped.metric);
  if (found != by_metric_.end()) {
    std::erase(found->second, column);
    if (found->second.empty()) by_metric_.erase(found);
  }
  dropped = {};
  rows_.drop_column(column);
  ++layout_;
}

bool LabelledSeries::append(SteadyTime at, WallTime wall, std::span<const double> row) {
  ++version_;
  return rows_.append(at, wall, row);
}

std::span<const SeriesId> LabelledSeries::columns_of(std::string_view metric) const {
  const auto found = by_metric_.find(metric);
  if (found == by_metric_.end()) return {};
  return found->second;
}

std::size_t LabelledSeries::memory_bytes() const {
  constexpr std::size_t kLabel = 96;  // about, in a tree of short strings
  std::size_t bytes = rows_.memory_bytes() + columns_.capacity() * sizeof(Column);
  for (const auto& column : columns_) {
    bytes += kLabel * (column.from_page.size() + (column.labels ? column.labels->size() : 0));
  }
  return bytes;
}

}  // namespace etcdmon::series
