// Answers come from whatever listens at a member's address: whatever the bytes and however they are
// split, memory is bounded and the same answers come out.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "net/http_response.hpp"

namespace {

using namespace etcdmon;

constexpr std::uint64_t kMaxBody = 500;

struct Outcome {
  std::vector<std::string> answers;  ///< of one connection
  std::string error;
  Cause cause = Cause::kNone;
  bool operator==(const Outcome&) const = default;
};

// One answer; false when no other can follow on this connection.
bool read_one(net::HttpResponse& response, const std::string& body, std::string_view& text,
              std::size_t piece, Outcome& outcome) {
  while (!response.done()) {
    if (text.empty()) {
      if (const auto ended = response.end(); !ended) {
        outcome.error = ended.error().message;
        outcome.cause = ended.error().cause;
        return false;
      }
      ETCDMON_ASSERT(response.done());
      break;
    }
    const auto part = text.substr(0, piece);
    const auto taken = response.feed(part);
    if (!taken) {
      outcome.error = taken.error().message;
      outcome.cause = taken.error().cause;
      ETCDMON_ASSERT(!outcome.error.empty());
      return false;
    }
    ETCDMON_ASSERT(*taken == part.size() || (response.done() && *taken < part.size()));
    ETCDMON_ASSERT(body.size() <= kMaxBody);
    text.remove_prefix(*taken);
  }
  ETCDMON_ASSERT(response.has_head() && response.status() >= 100 && response.status() <= 999);
  outcome.answers.push_back(std::to_string(response.status()) +
                            (response.keep_alive() ? " keep " : " close ") + body);
  return response.keep_alive() && !text.empty();
}

Outcome read_all(std::string_view text, std::size_t piece) {
  Outcome outcome;
  net::HttpResponse response(kMaxBody);
  std::string body;
  do {
    response.reset(body);
  } while (read_one(response, body, text, piece, outcome));
  return outcome;
}

}  // namespace

// The first byte says how the rest is split.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 32U + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  ETCDMON_ASSERT(read_all(text, text.size() + 1) == read_all(text, piece));
  return 0;
}
