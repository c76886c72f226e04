#include "api/alerting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/testing/answer.hpp"
#include "api/testing/callers.hpp"

namespace etcdmon::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr WallTime kNoon{1'760'000'000s};  // 2025-10-09T08:53:20Z

struct FixedClock final : Clock {
  Now now() const override { return {SteadyTime(1000s), kNoon}; }
};

struct FakeDesk final : AlertDesk {
  std::vector<alert::Silence> silences() const override { return made; }
  Result<alert::Silence> add_silence(alert::Silence silence) override {
    silence.id = "5f";
    made.push_back(silence);
    return silence;
  }
  Result<alert::Silence> expire_silence(std::string_view id) override {
    if (id != "5f") return Error{ErrorCode::kNotFound, "there is no silence"};
    made.front().ends_at = kNoon;
    return made.front();
  }
  Result<void> acknowledge(alert::Acknowledgement acknowledgement) override {
    if (acknowledgement.alert_id != "0a") return Error{ErrorCode::kNotFound, "no such alert fires"};
    acks.push_back(std::move(acknowledgement));
    return {};
  }
  std::vector<alert::Acknowledgement> acknowledgements() const override { return acks; }
  Task<Result<std::vector<model::AlertEvent>>> history(store::HistoryQuery query) override {
    asked = query;
    model::AlertEvent event;
    event.alert.id = "0a";
    event.at = kNoon;
    std::vector<model::AlertEvent> events{event};
    co_return events;
  }
  std::string cluster_of(std::string_view alert_id) const override {
    return alert_id == "0a" ? "prod" : "";
  }
  std::vector<notify::ChannelHealth> channels() const override { return {{.channel = "slack"}}; }
  Task<Result<ChannelTrial>> try_channel(std::string channel) override {
    if (channel != "slack") co_return Error{ErrorCode::kNotFound, "there is no channel"};
    ChannelTrial trial{.channel = channel, .message_id = "0a-1", .enabled = true, .took = 31ms};
    trial.outcome = {.kind = notify::Outcome::Kind::kRejected, .status = 404, .why = "no_team"};
    co_return trial;
  }

  std::vector<alert::Silence> made;
  std::vector<alert::Acknowledgement> acks;
  store::HistoryQuery asked;
};

struct AlertingTest : ::testing::Test {
  AlertingTest() { alerting.add_to(router); }

  net::Response ask(std::string method, const std::string& target, std::string body = {},
                    bool loopback = true) {
    net::Request request;
    request.method = std::move(method);
    request.target = target;
    request.body = std::move(body);
    request.loopback = loopback;
    EXPECT_TRUE(net::parse_target(target, request.path, request.query)) << target;
    return testing::answer_of(router.dispatch(request, who));
  }

  FixedClock clock;
  FakeDesk desk;
  Alerting alerting{desk, clock};
  Router router;
  Caller who = Caller::anybody();
};

TEST_F(AlertingTest, WhoMayAlertOnOneClusterDoesSoOnThatOneOnly) {
  who = testing::caller_on("test", {auth::Action::kRead, auth::Action::kAlert});
  const auto silence = [this](const std::string& matchers) {
    return ask("POST", "/api/v1/silences",
               R"({"created_by": "another", "for": "2h", "matchers": [)" + matchers + "]}")
        .status;
  };
  EXPECT_EQ(silence(R"("cluster=prod")"), 403);
  EXPECT_EQ(silence(R"("rule=FsyncSlow")"), 403);
  EXPECT_EQ(silence(R"("cluster=~test")"), 403);
  EXPECT_EQ(silence(R"("cluster=")"), 403);
  EXPECT_EQ(silence(R"("cluster=test", "rule=FsyncSlow")"), 201);
  EXPECT_EQ(desk.made.front().created_by, "somebody");
  EXPECT_EQ(ask("POST", "/api/v1/alerts/0a/ack", R"({"by": "me"})").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/alerts/0b/ack", R"({"by": "me"})").status, 403);
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/60").status, 403);
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/5f").status, 200);
}

TEST_F(AlertingTest, OthersAlertsAreNotShown) {
  desk.acks.push_back({.alert_id = "0a", .by = "ops", .comment = {}, .at = kNoon, .until = {}});
  desk.made.push_back({.id = "5f",
                       .matchers = *alert::parse_matchers({"cluster=~prod"}),
                       .starts_at = kNoon,
                       .ends_at = kNoon,
                       .created_by = {},
                       .comment = {}});
  who = testing::caller_on("test", {auth::Action::kRead});
  EXPECT_EQ(ask("GET", "/api/v1/alerts/history?cluster=prod").status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/alerts/history").body, "{\"history\":[]}\n");
  EXPECT_EQ(ask("GET", "/api/v1/alerts/acks").body, "{\"acknowledgements\":[]}\n");
  EXPECT_EQ(ask("GET", "/api/v1/silences").body, "{\"silences\":[]}\n");
  desk.made.front().matchers = *alert::parse_matchers({"rule=FsyncSlow"});
  EXPECT_THAT(ask("GET", "/api/v1/silences").body, HasSubstr("FsyncSlow"));
}

TEST_F(AlertingTest, ASilenceIsMadeShownAndEnded) {
  const auto made = ask("POST", "/api/v1/silences",
                        R"({"matchers": ["cluster=prod"], "for": "2h", "created_by": "ops"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.headers.back().value, "/api/v1/silences/5f");
  const auto page = json::parse(ask("GET", "/api/v1/silences").body)["silences"][0];
  EXPECT_EQ(page["state"], "active");
  EXPECT_EQ(page["matchers"][0], "cluster=\"prod\"");
  EXPECT_EQ(page["ends_at"], "2025-10-09T10:53:20Z");
  EXPECT_EQ(page["comment"], nullptr);
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/5f").status, 200);
  EXPECT_EQ(json::parse(ask("GET", "/api/v1/silences").body)["silences"][0]["state"], "expired");
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/60").status, 404);
}

TEST_F(AlertingTest, AChannelIsTriedOut) {
  const auto tried = ask("POST", "/api/v1/alerts/test", R"({"channel": "slack"})");
  EXPECT_EQ(tried.status, 200);
  EXPECT_EQ(json::parse(tried.body),
            json::parse(R"({"channel": "slack", "message_id": "0a-1", "enabled": true,
                            "delivered": false, "result": "rejected", "status": 404,
                            "why": "no_team", "took_ms": 31})"));
  EXPECT_EQ(ask("POST", "/api/v1/alerts/test", R"({"channel": "pager"})").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/alerts/test", "{}").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/alerts/test", R"({"channel": "slack"})", false).status, 403);
}

TEST_F(AlertingTest, AnAlertIsAcknowledged) {
  const auto taken = ask("POST", "/api/v1/alerts/0a/ack", R"({"by": "ops", "for": "1h"})");
  EXPECT_EQ(taken.status, 200) << taken.body;
  ASSERT_EQ(desk.acks.size(), 1U);
  EXPECT_EQ(desk.acks[0].until, kNoon + 1h);
  EXPECT_EQ(json::parse(ask("GET", "/api/v1/alerts/acks").body)["acknowledgements"][0]["by"],
            "ops");
  EXPECT_EQ(ask("POST", "/api/v1/alerts/0b/ack", R"({"by": "ops"})").status, 404);
}

TEST_F(AlertingTest, HistoryIsAskedForByTimeClusterAndAlert) {
  const auto page =
      ask("GET", "/api/v1/alerts/history?cluster=prod&alert=0a&from=2025-10-09&limit=5");
  EXPECT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(desk.asked.cluster, "prod");
  EXPECT_EQ(desk.asked.alert_id, "0a");
  EXPECT_EQ(desk.asked.limit, 5U);
  EXPECT_EQ(to_rfc3339(*desk.asked.from), "2025-10-09T00:00:00Z");
  EXPECT_EQ(json::parse(page.body)["history"][0]["alert"]["id"], "0a");
}

TEST_F(AlertingTest, ChannelsAreShown) {
  const auto page = json::parse(ask("GET", "/api/v1/alerts/channels").body);
  EXPECT_EQ(page["channels"][0]["channel"], "slack");
  EXPECT_EQ(page["channels"][0]["failing_since"], nullptr);
}

TEST_F(AlertingTest, StrangersMayLookAndNotTouch) {
  EXPECT_EQ(ask("GET", "/api/v1/silences", {}, false).status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/silences", "{}", false).status, 403);
  EXPECT_EQ(ask("DELETE", "/api/v1/silences/5f", {}, false).status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/alerts/0a/ack", R"({"by": "ops"})", false).status, 403);
  EXPECT_TRUE(desk.made.empty());
  EXPECT_TRUE(desk.acks.empty());
}

TEST_F(AlertingTest, WhatIsWrongIsSaid) {
  const struct {
    const char* method;
    const char* target;
    const char* body;
    const char* says;
  } cases[] = {
      {"POST", "/api/v1/silences", "[]", "not a JSON object"},
      {"POST", "/api/v1/silences", R"({"matchers": ["a=b"]})", "say how long"},
      {"POST", "/api/v1/silences", R"({"matchers": "a=b", "for": "1h"})", "is a list of texts"},
      {"POST", "/api/v1/silences", R"({"matchers": ["a"], "for": "1h"})", "is no matcher"},
      {"POST", "/api/v1/silences", R"({"matchers": ["a=b"], "for": "soon"})", "for:"},
      {"POST", "/api/v1/silences", R"({"matchers": ["a=b"], "ends_at": "x"})", "is no time"},
      {"POST", "/api/v1/silences", R"({"matcher": ["a=b"], "for": "1h"})",
       "\\\"matcher\\\" is not known"},
      {"POST", "/api/v1/alerts/0a/ack", "{}", "say who"},
      {"GET", "/api/v1/alerts/history?from=yesterday", "", "from: "},
      {"GET", "/api/v1/alerts/history?limit=0", "", "from 1 to 1000"},
      {"GET", "/api/v1/alerts/history?limit=1e9", "", "from 1 to 1000"}};
  for (const auto& each : cases) {
    const auto refused = ask(each.method, each.target, each.body);
    EXPECT_EQ(refused.status, 400) << each.target << each.body;
    EXPECT_THAT(refused.body, HasSubstr(each.says));
  }
}

}  // namespace
}  // namespace etcdmon::api
