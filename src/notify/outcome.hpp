// notify/outcome.hpp: how an attempt to deliver ended, and when to try again: pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/retry.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/http_client.hpp"

namespace etcdmon::notify {

struct Outcome {
  enum class Kind : std::uint8_t {
    kDelivered,  ///< the far side took it
    kRetry,      ///< it may take it later
    kRejected,   ///< it will never take this message
  };
  Kind kind = Kind::kDelivered;
  int status = 0;   ///< HTTP status or SMTP code; 0: there was none
  std::string why;  ///< for people, without secrets; empty when delivered
  std::optional<std::chrono::seconds> retry_after;  ///< the far side's own wish

  bool delivered() const { return kind == Kind::kDelivered; }
  bool operator==(const Outcome&) const = default;
};
std::string_view name_of(Outcome::Kind kind);  ///< "delivered", "retry", "rejected"

/// What HTTP's statuses mean where a service has no rules of its own: 2xx is delivered; 408, 425,
/// 429 and 5xx are tried again, with Retry-After obeyed; all others never, redirects among them.
/// The answer's body is told in `why` (one line, cut) where `quote_body` allows it: some services
/// send our secret back.
Outcome judge_reply(const net::HttpReply& reply, WallTime now, bool quote_body = true);

/// There was no answer: always worth another try, since what is set wrong here can be set right.
Outcome judge_error(const Error& error);

/// Seconds, or a date. nullopt: neither, or in the past.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, WallTime now);

struct RetryOptions {
  std::chrono::milliseconds first{1'000};      ///< the most before the second attempt
  std::chrono::milliseconds longest{300'000};  ///< the most between two attempts
};

/// Full jitter: a random time up to first × 2^(attempt-1), at most `longest`; not before the far
/// side's own wish, which is believed up to an hour. `attempt` is the one that failed, from 1.
std::chrono::milliseconds backoff(const RetryOptions& options, int attempt, const Outcome& outcome,
                                  async::Random& random);

}  // namespace etcdmon::notify
