// bench/workload/guarded.hpp: transactions that write only what nobody changed meanwhile.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bench/workload/data.hpp"

namespace etcdmon::bench {

/// What an answer says: whether it was written, and the revision that the first key has now; 0:
/// it is not there.
struct GuardedReply {
  bool written = false;
  std::uint64_t revision = 0;
};

/// If every key still has `revision` (0: is not there), put all; else read the first one, so that
/// the next try knows more.
class Guarded {
 public:
  explicit Guarded(Body& body) : body_(body) { body.clear(); }

  /// Comparisons first, then puts, then the question.
  void compare(std::string_view key, std::uint64_t revision) {
    const auto compare = body_.begin(1);
    body_.number(2, 2);  // MOD, EQUAL
    body_.text(3, key);
    body_.number(6, revision);
    body_.end(compare);
  }
  void put(std::string_view key, std::span<const std::byte> value, std::uint64_t lease = 0) {
    const auto success = body_.begin(2);
    const auto put = body_.begin(2);
    body_.text(1, key);
    body_.bytes(2, value);
    body_.number(3, lease);
    body_.end(put);
    body_.end(success);
  }
  void otherwise_get(std::string_view key) {
    const auto failure = body_.begin(3);
    const auto range = body_.begin(1);
    body_.text(1, key);
    body_.end(range);
    body_.end(failure);
  }

  static GuardedReply read(std::span<const std::byte> message);

 private:
  Body& body_;
};

/// The mod revision of the first key of a range's answer; 0: there is none.
std::uint64_t first_revision(std::span<const std::byte> range_answer);

}  // namespace etcdmon::bench
