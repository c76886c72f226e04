// bench/workload/puts.hpp: the two questions that most workloads are made of.
#pragma once

#include <string_view>

#include "bench/workload/data.hpp"

namespace etcdmon::bench {

/// Puts of chosen keys with random values.
class Puts {
 public:
  Puts(const RunSpec& spec, const Keys& keys, Keys::Order order, Share share)
      : random_(spec.seed * 31 + share.worker),
        choose_(keys, order, share),
        key_(spec),
        values_(spec.values, spec.seed) {}

  Request ask(Body& body, std::uint8_t operation) {
    body.clear();
    body.text(1, key_(choose_(random_)));
    body.bytes(2, values_(random_));
    return {.path = path::kPut, .operation = operation};
  }

 private:
  Random random_;
  KeyChooser choose_;
  KeyText key_;
  Values values_;
};

/// Ranges of one chosen key, which must be there.
class Gets {
 public:
  Gets(const RunSpec& spec, Keys::Order order, Share share)
      : random_(spec.seed * 37 + share.worker),
        choose_(spec.keys, order, share),
        key_(spec),
        serializable_(spec.shape.serializable) {}

  Request ask(Body& body, std::uint8_t operation) {
    body.clear();
    body.text(1, key_(choose_(random_)));
    body.number(7, serializable_ ? 1 : 0);
    return {.path = path::kRange, .operation = operation};
  }
  static Meaning judge(std::span<const std::byte> message);

 private:
  Random random_;
  KeyChooser choose_;
  KeyText key_;
  bool serializable_;
};

/// What a workload says of a key that it prepared and does not find.
inline constexpr std::string_view kGone =
    "a key that was prepared is gone: does somebody else delete under the prefix?";

}  // namespace etcdmon::bench
