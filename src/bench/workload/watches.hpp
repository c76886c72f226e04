// bench/workload/watches.hpp: watch requests, and values that say when they were sent.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "bench/workload/data.hpp"

namespace etcdmon::bench {

/// A watch of the keys in [key, end); end empty: of the one key. From `revision` on; 0: from now.
/// `id` 0: etcd chooses one.
inline void write_watch_create(Body& body, std::string_view key, std::string_view end,
                               std::uint64_t revision, std::uint64_t id = 0) {
  body.clear();
  const auto create = body.begin(1);
  body.text(1, key);
  if (!end.empty()) body.text(2, end);
  body.number(3, revision);
  body.number(7, id);
  body.end(create);
}

inline void write_watch_cancel(Body& body, std::uint64_t id) {
  body.clear();
  const auto cancel = body.begin(2);
  body.number(1, id);
  body.end(cancel);
}

struct WatchReply {
  bool created = false;
  bool canceled = false;
  std::uint64_t events = 0;
};
/// Calls f(value) for every event.
template <class F>
WatchReply read_watch(std::span<const std::byte> message, F&& f) {
  WatchReply reply;
  Fields fields(message);
  while (const auto field = fields.next()) {
    if (field->number == 3) reply.created = field->value != 0;
    if (field->number == 4) reply.canceled = field->value != 0;
    if (field->number != 11) continue;
    ++reply.events;
    std::span<const std::byte> value;
    Fields event(field->bytes);
    while (const auto part = event.next()) {
      if (part->number != 2) continue;
      Fields kv(part->bytes);
      while (const auto inner = kv.next()) {
        if (inner->number == 5) value = inner->bytes;
      }
    }
    f(value);
  }
  return reply;
}

/// Values whose first bytes are the moment they were sent, on this process's steady clock: so an
/// event tells its own latency.
class Stamps {
 public:
  static constexpr std::uint32_t kSize = 16;

  explicit Stamps(std::uint64_t seed) : mark_(Random(seed).next()) {}

  /// Copies `value`, at least kSize bytes long, with the stamp. Valid until the next call.
  std::span<const std::byte> stamp(std::span<const std::byte> value, SteadyTime sent) {
    scratch_.assign(value.begin(), value.end());
    if (scratch_.size() < kSize) scratch_.resize(kSize);
    const std::int64_t time = sent.time_since_epoch().count();
    std::memcpy(scratch_.data(), &mark_, 8);
    std::memcpy(scratch_.data() + 8, &time, 8);
    return scratch_;
  }
  /// False: it is not one of this run's.
  bool read(std::span<const std::byte> value, SteadyTime& sent) const {
    if (value.size() < kSize || std::memcmp(value.data(), &mark_, 8) != 0) return false;
    std::int64_t time = 0;
    std::memcpy(&time, value.data() + 8, 8);
    sent = SteadyTime(Duration(time));
    return true;
  }

 private:
  std::uint64_t mark_;
  std::vector<std::byte> scratch_;
};

}  // namespace etcdmon::bench
