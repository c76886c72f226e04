// alert/scenario/memory_source.hpp: series that were written down, at equal steps from 0 on.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alert/expr/value.hpp"
#include "alert/scenario/series_notation.hpp"

namespace etcdmon::alert::scenario {

class MemorySource final : public expr::Source {
 public:
  explicit MemorySource(expr::Millis interval) : interval_(interval) {}

  /// `series` is `metric{…}`, `values` as parse_steps() has them. Errors: kInvalidArgument.
  Result<void> add(std::string_view series, std::string_view values);

  void newest(const expr::Selector& selector, expr::Millis at,
              const TakeNewest& take) const override;
  void between(const expr::Selector& selector, expr::Millis from, expr::Millis to,
               const TakeRange& take) const override;

 private:
  struct Series {
    expr::LabelsPtr labels;
    std::vector<expr::Point> points;
    std::vector<expr::Millis> ends;  ///< where it ended, and may have begun again later
  };

  expr::Millis interval_;
  std::map<std::string, std::vector<Series>, std::less<>> series_;  ///< by metric
};

}  // namespace etcdmon::alert::scenario
