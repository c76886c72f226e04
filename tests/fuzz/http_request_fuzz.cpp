// Requests come from anybody: whatever the bytes and however they are split, memory is bounded and
// the same requests come out.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "net/http_server_parser.hpp"

namespace {

using etcdmon::net::HttpRequestParser;
using Step = HttpRequestParser::Step;

constexpr HttpRequestParser::Limits kLimits{.header = 400, .fields = 12, .body = 300};

struct Outcome {
  std::vector<std::string> requests;
  int refused = 0;
};

std::string text_of(HttpRequestParser& parser) {
  const auto& request = parser.request();
  ETCDMON_ASSERT(request.body.size() <= kLimits.body);
  ETCDMON_ASSERT(request.headers.size() <= kLimits.fields);
  ETCDMON_ASSERT(!request.path.empty());
  std::string text = request.method + ' ' + request.path;
  for (const auto& [name, value] : request.query) text += '&' + name + '=' + value;
  for (const auto& [name, value] : request.headers) text += '\n' + name + ':' + value;
  return text + '\n' + (parser.keep_alive() ? "keep " : "close ") + request.body;
}

Outcome parse(std::string_view text, std::size_t piece) {
  Outcome outcome;
  HttpRequestParser parser(kLimits);
  for (;;) {
    switch (parser.step()) {
      case Step::kComplete:
        outcome.requests.push_back(text_of(parser));
        parser.next();
        continue;
      case Step::kRefused:
        outcome.refused = parser.refusal().status;
        return outcome;
      case Step::kNeedMore:
        break;
    }
    if (text.empty()) return outcome;
    const auto room = parser.room();
    ETCDMON_ASSERT(!room.empty() && room.size() <= 8192);
    const auto count = std::min({room.size(), piece, text.size()});
    std::memcpy(room.data(), text.data(), count);
    parser.filled(count);
    text.remove_prefix(count);
  }
}

bool over_a_limit(const Outcome& outcome) {
  return outcome.refused == 431 || outcome.refused == 414;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 32U + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = parse(text, text.size() + 1);
  const auto split = parse(text, piece);
  // How much of a line is held when it is found too long depends on the split.
  if (over_a_limit(whole) || over_a_limit(split)) return 0;
  ETCDMON_ASSERT(whole.requests == split.requests);
  return 0;
}
