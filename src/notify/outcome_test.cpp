#include "notify/outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::notify {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;

constexpr WallTime kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 25)};

TEST(Outcome, EveryStatusHasItsMeaning) {
  for (int status = 200; status < 600; ++status) {
    SCOPED_TRACE(status);
    const auto outcome = judge_reply({.status = status}, kNow);
    const bool again = status == 408 || status == 425 || status == 429 || status >= 500;
    const auto expected = status < 300 ? Kind::kDelivered : again ? Kind::kRetry : Kind::kRejected;
    EXPECT_EQ(outcome.kind, expected);
    EXPECT_EQ(outcome.status, status);
    EXPECT_EQ(outcome.why.empty(), outcome.delivered());
  }
}

TEST(Outcome, RetryAfterIsReadAsSecondsOrAsADate) {
  struct Row {
    std::string_view value;
    std::optional<std::chrono::seconds> expected;
  };
  for (const auto& [value, expected] : {
           Row{"120", 120s},
           Row{"0", 0s},
           Row{"Wed, 25 Nov 2026 00:01:30 GMT", 90s},
           Row{"Tue, 24 Nov 2026 23:59:59 GMT", std::nullopt},
           Row{"-5", std::nullopt},
           Row{"soon", std::nullopt},
           Row{"12s", std::nullopt},
           Row{"", std::nullopt},
           Row{"99999999999999999999", std::nullopt},
           Row{"Wed, 25 Nov 2026 00:01:30 GMT or later", std::nullopt},
       }) {
    SCOPED_TRACE(value);
    EXPECT_EQ(parse_retry_after(value, kNow), expected);
  }
}

TEST(Outcome, AnAnswerIsQuotedInOneShortLine) {
  const auto outcome = judge_reply(
      {.status = 400, .body = " no\nsuch\x1b[31m channel\r\n" + std::string(900, 'x')}, kNow);
  EXPECT_THAT(outcome.why, testing::StartsWith("HTTP 400: no such [31m channel"));
  EXPECT_LT(outcome.why.size(), 230U);
  EXPECT_EQ(judge_reply({.status = 400, .body = "secret"}, kNow, false).why, "HTTP 400");
  EXPECT_EQ(judge_reply({.status = 302}, kNow).why, "HTTP 302 (redirects are not followed)");
}

TEST(Outcome, WithoutAnAnswerItIsTriedAgain) {
  const auto outcome = judge_error({ErrorCode::kUnavailable, "connection refused"});
  EXPECT_EQ(outcome.kind, Kind::kRetry);
  EXPECT_EQ(outcome.why, "connection refused");
}

TEST(Backoff, GrowsWithFullJitterUpToItsBound) {
  async::Random random(7);
  const RetryOptions options{.first = 1s, .longest = 60s};
  const Outcome outcome{.kind = Kind::kRetry};
  for (int attempt = 1; attempt < 40; ++attempt) {
    const auto most = attempt < 7 ? 1'000ms * (1 << (attempt - 1)) : 60'000ms;
    auto longest = 0ms;
    for (int i = 0; i < 200; ++i) {
      const auto wait = backoff(options, attempt, outcome, random);
      EXPECT_GE(wait, 0ms);
      EXPECT_LE(wait, most);
      longest = std::max(longest, wait);
    }
    EXPECT_GT(longest, most / 2) << attempt;
  }
}

TEST(Backoff, TheFarSidesWishIsALowerBoundUpToAnHour) {
  async::Random random(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_GE(backoff({}, 1, {.retry_after = 30s}, random), 30s);
    EXPECT_LE(backoff({}, 1, {.retry_after = 24h}, random), 1h);
  }
}

}  // namespace
}  // namespace etcdmon::notify
