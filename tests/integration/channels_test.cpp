// Every channel that speaks HTTP, held to one contract by a receiver that answers well and badly.
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kit/http_impostor.hpp"
#include "kit/loop_test.hpp"
#include "net/testing/tls_peer.hpp"
#include "notify/registry.hpp"
#include "notify/testing/samples.hpp"

namespace etcdmon::test {
namespace {

using namespace std::chrono_literals;
using kit::HttpImpostor;
using nlohmann::json;
using notify::Outcome;
using testing::HasSubstr;
using testing::Not;
using Reply = HttpImpostor::Reply;
using Kind = Outcome::Kind;

constexpr const char* kSecret = "s3cret-4711-abcdefghijkl";

/// How a channel is pointed at a receiver, and what that receiver says when all is well.
struct ChannelCase {
  std::string name;
  std::function<void(notify::ChannelOptions&, const std::string& url)> point_at;
  Reply good = {};
};

void PrintTo(const ChannelCase& tested, std::ostream* out) {
  *out << tested.name;
}

Secret hook(const std::string& url) {
  return Secret(url + "/services/" + kSecret);
}

std::vector<ChannelCase> cases() {
  return {
      {"webhook",
       [](auto& options, const auto& url) {
         options.webhook.url = hook(url);
         options.webhook.headers = {Secret(std::string("X-Key: ") + kSecret)};
         options.webhook.username = "monitor";
         options.webhook.password = Secret(kSecret);
       }},
      {"slack", [](auto& options, const auto& url) { options.slack.webhook_url = hook(url); }},
      {"slack_bot",
       [](auto& options, const auto& url) {
         options.slack.bot_token = Secret(kSecret);
         options.slack.channel = "#etcd";
         options.slack.api_url = url;
       },
       {.body = R"({"ok": true, "channel": "C1", "ts": "1.2"})"}},
      {"pagerduty",
       [](auto& options, const auto& url) {
         options.pagerduty.url = url + "/v2/enqueue";
         options.pagerduty.routing_key = Secret(kSecret);
       },
       {.status = 202}},
      {"alertmanager",
       [](auto& options, const auto& url) {
         options.alertmanager.urls = {url};
         options.alertmanager.username = "monitor";
         options.alertmanager.password = Secret(kSecret);
       }},
      {"teams",
       [](auto& options, const auto& url) { options.teams.webhook_url = hook(url); },
       {.status = 202}},
      {"discord",
       [](auto& options, const auto& url) { options.discord.webhook_url = hook(url); },
       {.status = 204}},
      {"telegram",
       [](auto& options, const auto& url) {
         options.telegram.api_url = url;
         options.telegram.bot_token = Secret(kSecret);
         options.telegram.chat_id = "-100";
       },
       {.body = R"({"ok": true})"}},
      {"opsgenie",
       [](auto& options, const auto& url) {
         options.opsgenie.api_url = url;
         options.opsgenie.api_key = Secret(kSecret);
       },
       {.status = 202}},
      {"mattermost",
       [](auto& options, const auto& url) { options.mattermost.webhook_url = hook(url); }},
      {"ntfy",
       [](auto& options, const auto& url) {
         options.ntfy.url = url;
         options.ntfy.topic = Secret(kSecret);
         options.ntfy.token = Secret(kSecret);
       }},
  };
}

class ChannelContract : public kit::LoopTest, public testing::WithParamInterface<ChannelCase> {
 protected:
  void point_at(const std::string& url) {
    notify::ChannelOptions options;
    GetParam().point_at(options, url);
    const auto name = GetParam().name.substr(0, GetParam().name.find('_'));
    for (const auto& row : notify::registry()) {
      if (row.name == name) channel_ = row.make(options, services_);
    }
    ASSERT_TRUE(channel_) << "no row for " << name;
  }
  Outcome send(model::Notification notification, std::chrono::milliseconds timeout = 5s) {
    return run(channel_->send(std::move(notification), std::chrono::steady_clock::now() + timeout));
  }
  Outcome send_to(Reply reply, std::chrono::milliseconds timeout = 5s) {
    receiver_.otherwise(std::move(reply));
    return send(notify::testing::firing(), timeout);
  }

  HttpImpostor receiver_;
  SystemClock clock_;
  net::Outbound outbound_{executor()};
  net::HttpClient http_{outbound_};
  net::Mailer mail_{outbound_};
  notify::Services services_{http_, mail_, executor(), clock_, "https://mon.example.com"};
  std::unique_ptr<notify::Channel> channel_;
};

INSTANTIATE_TEST_SUITE_P(Channels, ChannelContract, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(Channels, EachOneIsHeldToTheContractOrHasATestOfItsOwn) {
  std::set<std::string> tested = {"email", "exec"};
  for (const auto& one : cases()) tested.insert(one.name.substr(0, one.name.find('_')));
  for (const auto& row : notify::registry()) EXPECT_TRUE(tested.contains(std::string(row.name)));
}

TEST_P(ChannelContract, AGoodAnswerIsDelivered) {
  point_at(receiver_.url());
  const auto outcome = send_to(GetParam().good);
  EXPECT_EQ(outcome.kind, Kind::kDelivered) << outcome.why;
  EXPECT_EQ(outcome.status, GetParam().good.status);
  const auto requests = receiver_.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].header("content-type"), "application/json");
  EXPECT_FALSE(json::parse(requests[0].body).empty());
}

TEST_P(ChannelContract, EveryStatusIsDeliveredTriedAgainOrGivenUp) {
  point_at(receiver_.url());
  for (const int status :
       {300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411,
        412, 413, 414, 415, 422, 425, 426, 429, 431, 451, 500, 501, 502, 503, 504, 507, 599}) {
    SCOPED_TRACE(status);
    const auto outcome = send_to({.status = status, .body = "because"});
    const bool again = status == 408 || status == 425 || status == 429 || status >= 500;
    EXPECT_EQ(outcome.kind, again ? Kind::kRetry : Kind::kRejected);
    EXPECT_EQ(outcome.status, status);
    EXPECT_THAT(outcome.why, HasSubstr(std::to_string(status)));
  }
}

TEST_P(ChannelContract, ItWaitsAsLongAsItIsTold) {
  point_at(receiver_.url());
  const auto outcome = send_to({.status = 429, .headers = {{"Retry-After", "7"}}});
  EXPECT_EQ(outcome.kind, Kind::kRetry);
  EXPECT_EQ(outcome.retry_after, 7s);
}

TEST_P(ChannelContract, ARedirectIsNotFollowed) {
  point_at(receiver_.url());
  const auto outcome =
      send_to({.status = 302, .headers = {{"Location", receiver_.url() + "/elsewhere"}}});
  EXPECT_EQ(outcome.kind, Kind::kRejected);
  EXPECT_TRUE(receiver_.requests("/elsewhere").empty());
}

TEST_P(ChannelContract, AnswersThatNeverComeAreTriedAgain) {
  for (const auto& [what, reply] : {
           std::pair<std::string, Reply>{"nothing", {.delay = 1h}},
           {"a body that drips", {.body = std::string(500, 'x'), .piece = 1, .pause = 50ms}},
       }) {
    SCOPED_TRACE(what);
    point_at(receiver_.url());
    const auto begun = std::chrono::steady_clock::now();
    const auto outcome = send_to(reply, 400ms);
    EXPECT_EQ(outcome.kind, Kind::kRetry);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
  }
}

TEST_P(ChannelContract, BrokenAnswersAreTriedAgain) {
  for (const auto& [what, reply] : {
           std::pair<std::string, Reply>{"garbage", {.raw = "\x16\x03\x01 this is no HTTP\r\n"}},
           {"a reset",
            {.body = std::string(500, 'x'), .after = HttpImpostor::After::kReset, .cut_after = 10}},
           {"nothing at all", {.after = HttpImpostor::After::kClose, .raw = ""}},
       }) {
    SCOPED_TRACE(what);
    point_at(receiver_.url());
    const auto outcome = send_to(reply);
    EXPECT_EQ(outcome.kind, Kind::kRetry) << outcome.why;
    EXPECT_FALSE(outcome.why.empty());
  }
}

TEST_P(ChannelContract, NobodyThereIsTriedAgain) {
  std::string gone;
  {
    const HttpImpostor closed;
    gone = closed.url();
  }
  point_at(gone);
  const auto outcome = send(notify::testing::firing());
  EXPECT_EQ(outcome.kind, Kind::kRetry);
  EXPECT_THAT(outcome.why, HasSubstr("connection refused"));
  EXPECT_THAT(outcome.why, Not(HasSubstr(kSecret)));
}

TEST_P(ChannelContract, ACertificateOfAStrangerIsRefused) {
  const net::testing::Authority authority("strangers");
  const net::testing::TlsPeer peer({.identity = authority.issue()});
  point_at("https://127.0.0.1:" + std::to_string(peer.port()));
  const auto outcome = send(notify::testing::firing());
  EXPECT_EQ(outcome.kind, Kind::kRetry);
  EXPECT_THAT(outcome.why, HasSubstr("certificate"));
  EXPECT_THAT(outcome.why, Not(HasSubstr(kSecret)));
}

TEST_P(ChannelContract, NoSecretIsTold) {
  point_at(receiver_.url());
  for (const int status : {302, 400, 401, 429, 500}) {
    SCOPED_TRACE(status);
    const auto outcome = send_to({.status = status, .body = std::string("you sent ") + kSecret});
    EXPECT_THAT(outcome.why, Not(HasSubstr(kSecret)));
    EXPECT_THAT(outcome.why, Not(HasSubstr("s3cret")));
  }
}

TEST_P(ChannelContract, HugeNotificationsStayWithinLimits) {
  point_at(receiver_.url());
  for (const auto& notification : {notify::testing::huge(), notify::testing::resolved()}) {
    receiver_.otherwise(GetParam().good);
    EXPECT_TRUE(send(notification, 20s).delivered());
  }
  for (const auto& request : receiver_.requests()) {
    EXPECT_FALSE(json::parse(request.body).is_discarded());
    EXPECT_LT(request.body.size(), 4U << 20U);
  }
}

}  // namespace
}  // namespace etcdmon::test
