#include "bench/report/bootstrap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

namespace etcdmon::bench::report {

namespace {

constexpr std::size_t kReplicates = 2'000;
constexpr double kTail = 0.025;
constexpr double kNormal = 1.959964;  // of the normal distribution, at 1 - kTail
constexpr double kStrongest = 0.95;   // beyond, blocks would be as long as any run

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double middle_of(std::vector<double>& values, Middle middle) {
  if (middle == Middle::kMean) return mean(values);
  const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), half, values.end());
  if (values.size() % 2 == 1) return *half;
  return (*half + *std::max_element(values.begin(), half)) / 2;
}

// Uniform below `bound`, the same on every platform, which std::uniform_int_distribution is not.
std::size_t below(std::mt19937_64& random, std::size_t bound) {
  constexpr int kHalf = 32;
  return static_cast<std::size_t>(((random() >> kHalf) * bound) >> kHalf);
}

// Student's quantile at 1 - kTail, by the Cornish-Fisher expansion.
double student(double degrees) {
  const double z = kNormal;
  const double z3 = z * z * z;
  const double z5 = z3 * z * z;
  return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees * degrees);
}

// The runs of one side that are long enough, and what is drawn from them.
class Side {
 public:
  Side(std::span<const Samples> runs, Middle middle) : middle_(middle) {
    for (const auto& run : runs) {
      if (run.size() < kFewestSamples) continue;
      runs_.push_back({run, block_length(run)});
      blocks_ += static_cast<double>(run.size()) / static_cast<double>(runs_.back().block);
    }
  }

  /// What is drawn independently: runs where there are several, else blocks.
  double units() const { return runs_.size() > 1 ? static_cast<double>(runs_.size()) : blocks_; }
  bool empty() const { return runs_.empty(); }

  double observed() {
    pool_.clear();
    for (const auto& run : runs_) pool_.insert(pool_.end(), run.samples.begin(), run.samples.end());
    return middle_of(pool_, middle_);
  }

  double draw(std::mt19937_64& random) {
    pool_.clear();
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const auto& run = runs_[runs_.size() == 1 ? 0 : below(random, runs_.size())];
      const auto size = run.samples.size();
      const auto end = pool_.size() + size;
      while (pool_.size() < end) {
        const auto start = below(random, size);
        for (std::size_t k = 0; k < run.block && pool_.size() < end; ++k)
          pool_.push_back(run.samples[(start + k) % size]);
      }
    }
    return middle_of(pool_, middle_);
  }

 private:
  struct Run {
    std::span<const double> samples;
    std::size_t block;
  };

  Middle middle_;
  std::vector<Run> runs_;
  double blocks_ = 0;
  std::vector<double> pool_;
};

// Few independent units make the bootstrap too sure of itself: wider, as Student's test is.
double widening(double before, double after) {
  const double degrees = std::max(1.0, before + after - 2);
  const double fewest = std::max(2.0, std::min(before, after));
  return student(degrees) / kNormal * std::sqrt(fewest / (fewest - 1));
}

}  // namespace

std::size_t block_length(std::span<const double> samples) {
  const auto size = static_cast<double>(samples.size());
  if (samples.size() < kFewestSamples) return 1;
  const double average = mean(samples);
  double variance = 0;
  double covariance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double off = samples[i] - average;
    variance += off * off;
    if (i > 0) covariance += off * (samples[i - 1] - average);
  }
  if (variance <= 0) return 1;
  double likeness = covariance / variance;
  likeness += (1 + 4 * likeness) / size;  // a short series shows less than there is
  likeness = std::clamp(likeness, 0.0, kStrongest);
  const double rule = std::pow(2 * likeness / (1 - likeness * likeness), 2.0 / 3) * std::cbrt(size);
  return static_cast<std::size_t>(std::clamp(std::ceil(rule), 1.0, std::floor(size / 3)));
}

std::optional<Interval> ratio_of(std::span<const Samples> before, std::span<const Samples> after,
                                 Middle middle, std::uint64_t seed) {
  Side one(before, middle);
  Side other(after, middle);
  if (one.empty() || other.empty()) return std::nullopt;
  const double base = one.observed();
  const double now = other.observed();
  if (base <= 0 || now <= 0) return std::nullopt;

  std::mt19937_64 random(seed);
  std::vector<double> drawn;
  drawn.reserve(kReplicates);
  for (std::size_t i = 0; i < kReplicates; ++i) {
    const double was = one.draw(random);
    const double is = other.draw(random);
    if (was > 0) drawn.push_back(is / was);
  }
  if (drawn.size() < kReplicates / 2) return std::nullopt;
  std::ranges::sort(drawn);
  const auto at = [&](double share) {
    return drawn[static_cast<std::size_t>(share * static_cast<double>(drawn.size() - 1))];
  };
  const double ratio = now / base;
  const double wider = widening(one.units(), other.units());
  const auto stretched = [&](double bound) {
    return ratio * std::pow(std::max(bound, 1e-9) / ratio, wider);
  };
  return Interval{.ratio = ratio,
                  .low = std::min(ratio, stretched(at(kTail))),
                  .high = std::max(ratio, stretched(at(1 - kTail)))};
}

}  // namespace etcdmon::bench::report
