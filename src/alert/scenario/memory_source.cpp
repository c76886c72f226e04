#include "alert/scenario/memory_source.hpp"

#include <algorithm>
#include <utility>

namespace etcdmon::alert::scenario {

using expr::Millis;
using expr::Point;

Result<void> MemorySource::add(std::string_view series, std::string_view values) {
  ETCDMON_TRY(auto name, parse_series_name(series));
  ETCDMON_TRY(const auto steps, parse_steps(values));
  Series made;
  made.labels = std::make_shared<const Labels>(std::move(name.labels));
  Millis at = 0;
  for (const auto& step : steps) {
    if (step.what == Step::What::kValue) made.points.push_back({at, step.value});
    if (step.what == Step::What::kEnded) made.ends.push_back(at);
    at += interval_;
  }
  series_[name.metric].push_back(std::move(made));
  return {};
}

void MemorySource::newest(const expr::Selector& selector, Millis at, const TakeNewest& take) const {
  const auto found = series_.find(selector.metric);
  if (found == series_.end()) return;
  for (const auto& one : found->second) {
    if (!all_match(selector.matchers, *one.labels)) continue;
    const auto behind = std::ranges::upper_bound(one.points, at, {}, &Point::at);
    if (behind == one.points.begin()) continue;
    const auto& newest = *std::prev(behind);
    const auto ended = std::ranges::upper_bound(one.ends, newest.at);
    const bool over = ended != one.ends.end() && *ended <= at;
    if (newest.at > at - kLookback && !over) take(one.labels, newest);
  }
}

void MemorySource::between(const expr::Selector& selector, Millis from, Millis to,
                           const TakeRange& take) const {
  const auto found = series_.find(selector.metric);
  if (found == series_.end()) return;
  for (const auto& one : found->second) {
    if (!all_match(selector.matchers, *one.labels)) continue;
    const auto first = std::ranges::lower_bound(one.points, from, {}, &Point::at);
    const auto last = std::ranges::upper_bound(one.points, to, {}, &Point::at);
    if (first < last) take(one.labels, std::span(first, last));
  }
}

}  // namespace etcdmon::alert::scenario
