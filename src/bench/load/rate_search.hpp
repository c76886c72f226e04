// bench/load/rate_search.hpp: which rate to try next.
#pragma once

#include <optional>

#include "bench/spec.hpp"

namespace etcdmon::bench {

/// Doubles the rate while it holds (halves it while it does not), then halves the gap until it is
/// small. Pure.
class RateSearch {
 public:
  explicit RateSearch(const Search& search) : search_(search), rate_(search.from) {}

  /// The rate to try; nullopt: it is found, or there is none.
  std::optional<double> next() const;
  /// What came of next().
  void tell(bool held);
  /// The highest that held.
  std::optional<double> best() const { return best_; }

 private:
  static constexpr double kLowest = 1;

  Search search_;
  double rate_;
  std::optional<double> best_;
  std::optional<double> failed_;  // the lowest that did not hold
  bool over_ = false;
};

}  // namespace etcdmon::bench
