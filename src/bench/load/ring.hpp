// bench/load/ring.hpp: numbers in the order they came, at most as many as there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace etcdmon::bench {

/// Never allocates after reserve().
class Ring {
 public:
  void reserve(std::size_t most) {
    places_.resize(most + 1);
    clear();
  }
  void clear() { begin_ = end_ = 0; }
  bool empty() const { return begin_ == end_; }
  void push(std::uint32_t number) {
    places_[end_] = number;
    end_ = next(end_);
  }
  std::uint32_t pop() {
    const auto number = places_[begin_];
    begin_ = next(begin_);
    return number;
  }

 private:
  std::size_t next(std::size_t at) const { return at + 1 == places_.size() ? 0 : at + 1; }

  std::vector<std::uint32_t> places_{0};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace etcdmon::bench
