#include "bench/workload/data.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

namespace etcdmon::bench {

namespace {

// Coprime to every space that is smaller, so that k -> k * p mod n meets every key once: the most
// frequent keys are then no neighbours.
constexpr std::uint64_t kScatter = 2'654'435'761;
constexpr std::size_t kSpareBytes = 1U << 20U;

}  // namespace

Zipfian::Zipfian(std::uint64_t n, double skew)
    : n_(static_cast<double>(n)),
      skew_(skew),
      h_half_(h(1.5) - 1),
      h_last_(h(n_ + 0.5)),
      cut_(2 - h_inverse(h(2.5) - std::pow(2, -skew))) {}

// The integral of x^-skew, and back.
double Zipfian::h(double x) const {
  return (std::pow(x, 1 - skew_) - 1) / (1 - skew_);
}
double Zipfian::h_inverse(double x) const {
  return std::pow(1 + x * (1 - skew_), 1 / (1 - skew_));
}

std::uint64_t Zipfian::operator()(Random& random) const {
  for (;;) {
    const double u = h_last_ + random.unit() * (h_half_ - h_last_);
    const double x = h_inverse(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, n_);
    if (k - x <= cut_ || u >= h(k + 0.5) - std::pow(k, -skew_))
      return static_cast<std::uint64_t>(k) - 1;
  }
}

KeyChooser::KeyChooser(const Keys& keys, Keys::Order order, Share share)
    : order_(order),
      space_(keys.space),
      next_(share.worker),
      stride_(share.workers),
      zipfian_(keys.space, keys.skew) {}

std::uint64_t KeyChooser::operator()(Random& random) {
  switch (order_) {
    case Keys::Order::kSequential: {
      const auto number = next_ % space_;
      next_ += stride_;
      return number;
    }
    case Keys::Order::kUniform:
      return random.below(space_);
    case Keys::Order::kZipfian:
      return zipfian_(random) * kScatter % space_;
  }
  return 0;
}

KeyText::KeyText(const RunSpec& spec, std::string_view folder)
    : text_(spec.prefix), digits_at_(0), end_(end_of_prefix(spec.prefix + std::string(folder))) {
  text_ += folder;
  text_.append(spec.keys.size, '0');
  digits_at_ = text_.size() - std::min<std::size_t>(spec.keys.size, 20);
}

std::string_view KeyText::operator()(std::uint64_t number) {
  auto* at = text_.data() + text_.size();
  auto* const first = text_.data() + digits_at_;
  while (at != first) {
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return text_;
}

Values::Values(const Sizes& sizes, std::uint64_t seed)
    : sizes_(sizes), bytes_(sizes.max + kSpareBytes) {
  Random random(seed ^ 0x76616c756573U);
  for (std::size_t at = 0; at + 8 <= bytes_.size(); at += 8) {
    const auto word = random.next();
    std::memcpy(bytes_.data() + at, &word, 8);
  }
}

std::span<const std::byte> Values::operator()(Random& random) const {
  const auto length = size(random);
  return std::span(bytes_).subspan(random.below(bytes_.size() - length), length);
}

std::uint32_t Values::size(Random& random) const {
  switch (sizes_.kind) {
    case Sizes::Kind::kFixed:
      return sizes_.min;
    case Sizes::Kind::kUniform:
      return sizes_.min + static_cast<std::uint32_t>(random.below(sizes_.max - sizes_.min + 1ULL));
    case Sizes::Kind::kLogNormal: {
      // Box and Muller; sigma 1: the 95th percentile is five times the median.
      const double normal = std::sqrt(-2 * std::log(1 - random.unit())) *
                            std::cos(2 * std::numbers::pi * random.unit());
      return static_cast<std::uint32_t>(
          std::min(std::exp(normal) * sizes_.min, static_cast<double>(sizes_.max)));
    }
  }
  return sizes_.min;
}

std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace etcdmon::bench
