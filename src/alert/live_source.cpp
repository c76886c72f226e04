#include "alert/live_source.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace etcdmon::alert {

using expr::Millis;
using expr::Point;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

void LiveSource::look_at(Members members, Now now) {
  now_ = now;
  if (members == members_) return;
  members_ = std::move(members);
  std::erase_if(places_, [this](const auto& place) {
    return std::ranges::none_of(
        members_, [&](const auto& member) { return member.get() == place.first.second; });
  });
}

Millis LiveSource::now() const {
  return duration_cast<milliseconds>(now_.wall.time_since_epoch()).count();
}

SteadyTime LiveSource::steady(Millis at) const {
  return now_.steady - milliseconds(now() - at);
}

Millis LiveSource::millis(SteadyTime at) const {
  return now() - duration_cast<milliseconds>(now_.steady - at).count();
}

std::uint64_t LiveSource::version() const {
  std::uint64_t sum = members_.size();
  for (const auto& member : members_) sum += member->version() + member->layout();
  return sum;
}

bool LiveSource::all_seen() const {
  return !members_.empty() &&
         std::ranges::none_of(members_, [](const auto& member) { return member->rows().empty(); });
}

const LiveSource::Columns& LiveSource::columns_of(const expr::Selector& selector,
                                                  const series::LabelledSeries& member) const {
  auto& place = places_[{&selector, &member}];
  // The layout of a series without columns is 0, as that of a place that was never looked up.
  if (place.layout == member.layout()) return place.columns;
  place.layout = member.layout();
  place.columns.clear();
  for (const auto column : member.columns_of(selector.metric)) {
    if (all_match(selector.matchers, *member.labels(column))) place.columns.push_back(column);
  }
  return place.columns;
}

void LiveSource::newest(const expr::Selector& selector, Millis at, const TakeNewest& take) const {
  const auto until = steady(at);
  const auto after = until - milliseconds(kLookback);
  for (const auto& member : members_) {
    const auto& columns = columns_of(selector, *member);
    const auto last = member->rows().last_at();
    if (columns.empty() || !last) continue;
    if (*last <= until) {
      if (*last <= after) continue;
      for (const auto column : columns) {
        const double value = member->rows().last(column);
        if (!std::isnan(value)) take(member->labels(column), {millis(*last), value});
      }
      continue;
    }
    const series::SeriesWindow window(member->rows(), after, until);
    const auto row = window.last_at();
    if (!row) continue;
    for (const auto column : columns) {
      Point newest;
      bool is_there = false;
      window.for_each(column, [&](SteadyTime when, double value) {
        is_there = when == *row;
        newest = {millis(when), value};
      });
      if (is_there) take(member->labels(column), newest);
    }
  }
}

void LiveSource::between(const expr::Selector& selector, Millis from, Millis to,
                         const TakeRange& take) const {
  std::vector<Point> points;
  for (const auto& member : members_) {
    const auto& columns = columns_of(selector, *member);
    if (columns.empty()) continue;
    const series::SeriesWindow window(member->rows(), steady(from), steady(to));
    for (const auto column : columns) {
      points.clear();
      window.for_each(
          column, [&](SteadyTime when, double value) { points.push_back({millis(when), value}); });
      if (!points.empty()) take(member->labels(column), points);
    }
  }
}

bool LiveSource::is_fed(const expr::Selector& selector) const {
  static constexpr std::array<std::string_view, 5> kOwn{"cluster", "job", "instance", "member",
                                                        "member_id"};
  for (const auto& member : members_) {
    for (const auto column : member->columns_of(selector.metric)) {
      const auto& labels = *member->labels(column);
      const bool meant = std::ranges::all_of(selector.matchers, [&](const LabelMatcher& matcher) {
        return std::ranges::find(kOwn, matcher.name()) == kOwn.end() || matcher.matches(labels);
      });
      if (meant) return true;
    }
  }
  return false;
}

}  // namespace etcdmon::alert
