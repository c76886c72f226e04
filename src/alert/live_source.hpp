// alert/live_source.hpp: what is kept of the members' pages, as expressions look at it.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "alert/expr/value.hpp"
#include "base/clock.hpp"
#include "series/labelled_series.hpp"

namespace etcdmon::alert {

/// Which series a selector means is looked up once, and again when a member's series change.
///
/// Threads: one owner.
class LiveSource final : public expr::Source {
 public:
  using Members = std::vector<std::shared_ptr<const series::LabelledSeries>>;

  /// The members as they are now, before a round of evaluations.
  void look_at(Members members, Now now);
  expr::Millis now() const;
  /// Changes with every page of every member.
  std::uint64_t version() const;
  /// Members without any page yet, good or failed.
  bool all_seen() const;

  void newest(const expr::Selector& selector, expr::Millis at,
              const TakeNewest& take) const override;
  void between(const expr::Selector& selector, expr::Millis from, expr::Millis to,
               const TakeRange& take) const override;
  /// Whether any member has, or had within the last minutes, a series of this metric that belongs
  /// to the members a selector means: conditions on other labels do not count, since a counter of
  /// errors begins with the first one.
  bool is_fed(const expr::Selector& selector) const;

 private:
  using Columns = std::vector<series::SeriesId>;
  struct Place {
    std::uint64_t layout = 0;
    Columns columns;
  };
  using Key = std::pair<const expr::Selector*, const series::LabelledSeries*>;

  const Columns& columns_of(const expr::Selector& selector,
                            const series::LabelledSeries& member) const;
  SteadyTime steady(expr::Millis at) const;
  expr::Millis millis(SteadyTime at) const;

  Members members_;
  Now now_;
  mutable std::map<Key, Place> places_;
};

}  // namespace etcdmon::alert
