#include "notify/outcome.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace etcdmon::notify {

namespace {

using std::chrono::seconds;

constexpr std::array kAgain = {408, 425, 429};
constexpr std::size_t kQuoted = 200;
constexpr seconds kLongestWish{3'600};

// One line for a log; control characters of a stranger do not reach a terminal.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kQuoted)) {
    const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
    line += printable ? c : ' ';
  }
  const auto begin = line.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_last_not_of(' ') - begin + 1);
}

}  // namespace

std::string_view name_of(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::kDelivered:
      return "delivered";
    case Outcome::Kind::kRetry:
      return "retry";
    case Outcome::Kind::kRejected:
      return "rejected";
  }
  return "rejected";
}

std::optional<seconds> parse_retry_after(std::string_view value, WallTime now) {
  std::int64_t count = 0;
  const auto* const end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, count);
  if (parsed.ec == std::errc{} && parsed.ptr == end) {
    if (count < 0) return std::nullopt;
    return seconds(count);
  }
  std::tm date{};
  const std::string text(value);
  const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  const WallTime when = std::chrono::sys_seconds(seconds(::timegm(&date)));
  if (when <= now) return std::nullopt;
  return std::chrono::ceil<seconds>(when - now);
}

Outcome judge_reply(const net::HttpReply& reply, WallTime now, bool quote_body) {
  Outcome outcome{.status = reply.status};
  if (reply.status >= 200 && reply.status < 300) return outcome;
  const bool again = reply.status >= 500 || std::ranges::find(kAgain, reply.status) != kAgain.end();
  outcome.kind = again ? Outcome::Kind::kRetry : Outcome::Kind::kRejected;
  outcome.why = fmt::format("HTTP {}", reply.status);
  if (reply.status >= 300 && reply.status < 400) outcome.why += " (redirects are not followed)";
  const auto said = quote_body ? one_line(reply.body) : std::string();
  if (!said.empty()) outcome.why += fmt::format(": {}", said);
  if (again) outcome.retry_after = parse_retry_after(reply.header("retry-after"), now);
  return outcome;
}

Outcome judge_error(const Error& error) {
  return {.kind = Outcome::Kind::kRetry, .why = error.message};
}

std::chrono::milliseconds backoff(const RetryOptions& options, int attempt, const Outcome& outcome,
                                  async::Random& random) {
  const async::RetryPolicy policy{.base = options.first, .cap = options.longest};
  const auto drawn = policy.next(attempt, random).value_or(options.longest);
  if (!outcome.retry_after) return drawn;
  return std::max<std::chrono::milliseconds>(drawn, std::min(*outcome.retry_after, kLongestWish));
}

}  // namespace etcdmon::notify
