#include "bench/load/pacer.hpp"

#include <algorithm>
#include <cmath>

namespace etcdmon::bench {

namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Pacer::Pacer(const PacerOptions& options, SteadyTime start)
    : options_(options), start_(start), next_(start), random_(options.seed) {
  at_ = options_.phase / options_.rate;
  next_ = start_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at_));
}

void Pacer::advance() {
  const double rate = rate_at(next_);
  double interval = 1 / rate;
  if (options_.arrivals == Load::Arrivals::kPoisson) interval *= -std::log(1 - random_.unit());
  at_ += interval;
  next_ = start_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(at_));
}

double Pacer::rate_at(SteadyTime when) const {
  if (options_.ramp_to <= 0 || options_.ramp.count() <= 0) return options_.rate;
  const double share =
      std::clamp(seconds(when - start_ - options_.ramp_from) / seconds(options_.ramp), 0.0, 1.0);
  return std::max(options_.rate + (options_.ramp_to - options_.rate) * share, 0.001);
}

double Pacer::backlog(SteadyTime now) const {
  return now < next_ ? 0 : seconds(now - next_) * rate_at(next_) + 1;
}

}  // namespace etcdmon::bench
