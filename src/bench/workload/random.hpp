// bench/workload/random.hpp: fast numbers by chance, the same ones for the same seed.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace etcdmon::bench {

/// xoshiro256**: four words of state, a nanosecond a number.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    // splitmix64, so that near seeds give far states.
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15U;
      auto z = seed;
      z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9U;
      z = (z ^ z >> 27U) * 0x94d049bb133111ebU;
      word = z ^ z >> 31U;
    }
  }

  std::uint64_t next() {
    const auto result = std::rotl(state_[1] * 5, 7) * 9;
    const auto shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  /// 0 to `bound` - 1, evenly to one part in 2^32 for bounds below that.
  std::uint64_t below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(next()) * bound >> 64U);
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  bool chance(double share) { return unit() < share; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace etcdmon::bench
