#include "collect/scrape/wanted_series.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace etcdmon::collect {

namespace {

using series::SeriesId;

constexpr SeriesId kNone = std::numeric_limits<SeriesId>::max();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kUpName = "up";
constexpr std::string_view kOwnPrefix = "etcdmon_member_";
constexpr Duration kLeastRetention = std::chrono::minutes(10);

series::MemberSeries::Options series_options() {
  return {.retention = kLeastRetention, .max_columns = WantedSeries::kMostSeries};
}

// How a line begins, as a name and labels.
std::pair<std::string, series::LabelledSeries::Labels> taken_apart(std::string_view head) {
  const std::string line = std::string(head) + "0\n";
  ExpositionReader reader(line);
  Sample sample;
  std::pair<std::string, series::LabelledSeries::Labels> out;
  if (!reader.next(sample)) return out;
  out.first = sample.name;
  sample.labels.for_each([&](std::string_view name, std::string_view value) {
    out.second[std::string(name)] = unescape(value);
  });
  return out;
}

}  // namespace

WantedPtr Wanted::of(MetricNames metrics, Duration retention) {
  if (metrics.empty()) return nullptr;
  auto names = std::make_shared<const MetricNames>(metrics);
  auto pool = std::make_shared<LinePool>(Dictionary(std::move(names)));
  return std::make_shared<const Wanted>(
      Wanted{std::move(metrics), std::max(retention, kLeastRetention), std::move(pool)});
}

WantedSeries::WantedSeries()
    : series_(std::make_shared<series::LabelledSeries>(series_options())), shown_(series_) {}

void WantedSeries::want(WantedPtr wanted) {
  wanted_ = std::move(wanted);
  reader_ = wanted_ ? std::make_unique<PageReader>(wanted_->pool) : nullptr;
  own_.clear();
  up_.reset();
  slots_.clear();
  if (!wanted_) return;
  series_->set_retention(wanted_->retention);
  add_own_columns();
}

void WantedSeries::set_own_labels(series::LabelledSeries::Labels labels) {
  series_->set_own_labels(std::move(labels));
}

void WantedSeries::add_own_columns() {
  const auto column_of = [this](const std::string& metric) -> std::optional<SeriesId> {
    if (!wanted_->metrics.contains(metric)) return std::nullopt;
    const auto known = known_.find(metric);
    if (known != known_.end()) return known->second.column;
    const auto fresh = series_->add_column(metric, {});
    if (fresh) known_.emplace(metric, Known{*fresh, SteadyTime::max()});
    return fresh;
  };
  up_ = column_of(std::string(kUpName));
  for (const auto& doc : model::metric_docs()) {
    const auto column = column_of(std::string(kOwnPrefix) + std::string(doc.name));
    if (column) own_.push_back({doc.metric, *column});
  }
}

void WantedSeries::on_scrape(std::string_view page, Now at, const model::MetricValues& own) {
  if (!wanted_) return;
  PageReader::Outcome outcome;
  if (!page.empty()) {
    outcome = reader_->read(page);
    if (outcome.relearned) learn(at.steady);
  }
  row_.assign(series_->columns(), kNaN);
  for (std::size_t slot = 0; slot < slots_.size() && slot < outcome.values.size(); ++slot) {
    if (slots_[slot] != kNone) row_[slots_[slot]] = outcome.values[slot];
  }
  if (up_) row_[*up_] = page.empty() ? 0 : 1;
  for (const auto& [metric, column] : own_) {
    if (const auto value = own.get(metric)) row_[column] = *value;
  }
  series_->append(at.steady, at.wall, row_);
}

// Which column each line of the page belongs to. Series that no page has had for longer than any
// window give their place back.
void WantedSeries::learn(SteadyTime now) {
  slots_.assign(reader_->slots(), kNone);
  left_out_ = 0;
  reader_->for_each_head([&](std::size_t slot, std::string_view head) {
    auto known = known_.find(head);
    if (known == known_.end()) {
      const auto [metric, labels] = taken_apart(head);
      const auto fresh = metric.empty() ? std::nullopt : series_->add_column(metric, labels);
      if (!fresh) {
        ++left_out_;
        return;
      }
      known = known_.emplace(std::string(head), Known{*fresh, now}).first;
    }
    if (known->second.seen != SteadyTime::max()) known->second.seen = now;
    slots_[slot] = known->second.column;
  });
  std::erase_if(known_, [&](const auto& entry) {
    const auto& [column, seen] = entry.second;
    const bool over = seen != SteadyTime::max() && now - seen > wanted_->retention;
    if (over) series_->drop_column(column);
    return over;
  });
}

std::size_t WantedSeries::memory_bytes() const {
  constexpr std::size_t kLine = 160;  // about: a node of the tree with its text
  return series_->memory_bytes() + known_.size() * kLine + (reader_ ? reader_->memory_bytes() : 0);
}

}  // namespace etcdmon::collect
