#include "bench/load/rate_search.hpp"

#include <algorithm>

namespace etcdmon::bench {

std::optional<double> RateSearch::next() const {
  if (over_) return std::nullopt;
  return rate_;
}

void RateSearch::tell(bool held) {
  if (held) {
    best_ = rate_;
  } else {
    failed_ = rate_;
  }
  if (!failed_) {
    over_ = rate_ >= search_.max;
    rate_ = std::min(rate_ * 2, search_.max);
  } else if (!best_) {
    over_ = rate_ <= kLowest;
    rate_ = std::max(rate_ / 2, kLowest);
  } else {
    over_ = *failed_ - *best_ <= search_.precision * *best_;
    rate_ = (*best_ + *failed_) / 2;
  }
}

}  // namespace etcdmon::bench
