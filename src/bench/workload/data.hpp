// bench/workload/data.hpp: which keys, which values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/spec.hpp"
#include "bench/wire.hpp"
#include "bench/workload/random.hpp"
#include "bench/workload/workload.hpp"

namespace etcdmon::bench {

/// Numbers 0 to n-1 of which the first are the most frequent: k has weight (k+1)^-skew. By
/// rejection-inversion (Hörmann and Derflinger 1996): constant time and no table, whatever n is.
class Zipfian {
 public:
  Zipfian(std::uint64_t n, double skew);
  std::uint64_t operator()(Random& random) const;

 private:
  double h(double x) const;
  double h_inverse(double x) const;

  double n_;
  double skew_;
  double h_half_;
  double h_last_;
  double cut_;
};

/// Chooses keys by number.
class KeyChooser {
 public:
  KeyChooser(const Keys& keys, Keys::Order order, Share share);
  std::uint64_t operator()(Random& random);

 private:
  Keys::Order order_;
  std::uint64_t space_;
  std::uint64_t next_;
  std::uint64_t stride_;
  Zipfian zipfian_;
};

/// Keys as text: the prefix, zeros, the number.
class KeyText {
 public:
  explicit KeyText(const RunSpec& spec, std::string_view folder = {});
  /// Valid until the next call.
  std::string_view operator()(std::uint64_t number);
  std::size_t size() const { return text_.size(); }
  /// The first key that does not begin with the prefix.
  const std::string& end() const { return end_; }

 private:
  std::string text_;
  std::size_t digits_at_;
  std::string end_;
};

/// Incompressible values: cut from one block of random bytes.
class Values {
 public:
  Values(const Sizes& sizes, std::uint64_t seed);
  /// Valid as long as this.
  std::span<const std::byte> operator()(Random& random) const;

 private:
  std::uint32_t size(Random& random) const;

  Sizes sizes_;
  std::vector<std::byte> bytes_;
};

/// The first text that does not begin with `prefix`; "\0", which is etcd's word for the end of all
/// keys, where there is none.
std::string end_of_prefix(std::string prefix);

}  // namespace etcdmon::bench
