// Messages come from the peer: whatever the bytes and however they are split, the same messages
// come out, and each is what the prefix announced.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "rpc/framing.hpp"

namespace {

using namespace etcdmon::rpc;
using Step = MessageReader::Step;

constexpr std::size_t kMaxMessage = 2'000;

struct Outcome {
  std::vector<std::string> messages;
  std::string refused;
  bool between = true;
  bool operator==(const Outcome&) const = default;
};

Outcome read_all(std::span<const std::byte> bytes, std::size_t piece) {
  Outcome outcome;
  MessageReader reader(kMaxMessage);
  while (!bytes.empty()) {
    auto part = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(part.size());
    while (!part.empty()) {
      const auto step = reader.read(part);
      if (step == Step::kBad) {
        outcome.refused = reader.error().message;
        ETCDMON_ASSERT(!outcome.refused.empty());
        return outcome;
      }
      if (step == Step::kMore) {
        ETCDMON_ASSERT(part.empty());
      } else {
        outcome.messages.push_back(std::move(reader.message()));
        ETCDMON_ASSERT(outcome.messages.back().size() <= kMaxMessage);
      }
    }
  }
  outcome.between = reader.between_messages();
  return outcome;
}

// What was read, framed again, is what came.
void check_framed_again(std::span<const std::byte> bytes, const Outcome& outcome) {
  for (const auto& message : outcome.messages) {
    const auto prefix = prefix_of(message.size());
    ETCDMON_ASSERT(bytes.size() >= prefix.size() + message.size());
    ETCDMON_ASSERT(std::ranges::equal(prefix, bytes.first(prefix.size())));
    bytes = bytes.subspan(prefix.size());
    ETCDMON_ASSERT(std::memcmp(message.data(), bytes.data(), message.size()) == 0);
    bytes = bytes.subspan(message.size());
  }
  ETCDMON_ASSERT(!outcome.refused.empty() || outcome.between == bytes.empty());
}

}  // namespace

// The first byte says how the rest is split.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 32U + 1;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const auto whole = read_all(bytes, bytes.size() + 1);
  ETCDMON_ASSERT(whole == read_all(bytes, piece));
  check_framed_again(bytes, whole);

  std::int64_t timeout = 0;
  std::memcpy(&timeout, bytes.data(), std::min(sizeof timeout, bytes.size()));
  const auto text = encode_timeout(std::chrono::nanoseconds(timeout));
  ETCDMON_ASSERT(text.size() >= 2 && text.size() <= 9);
  return 0;
}
