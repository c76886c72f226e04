#include "api/benchmarks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/testing/answer.hpp"
#include "api/testing/callers.hpp"
#include "api/testing/views.hpp"

namespace etcdmon::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class FakeRunner final : public BenchmarkRunner {
 public:
  Result<std::string> start(BenchmarkOrder order) override {
    if (!all.empty() && all.back().state == BenchmarkRun::State::kRunning)
      return Error{ErrorCode::kAlreadyExists, "benchmark 1 is running"};
    all.push_back({.id = fmt::format("{}", all.size() + 1),
                   .order = std::move(order),
                   .started = testing::now().wall});
    return all.back().id;
  }
  std::vector<const BenchmarkRun*> runs() const override {
    std::vector<const BenchmarkRun*> found;
    for (const auto& run : all) found.push_back(&run);
    return found;
  }
  void cancel(std::string_view id) override {
    for (auto& run : all) {
      if (run.id == id) run.state = BenchmarkRun::State::kCancelled;
    }
  }

  std::vector<BenchmarkRun> all;
};

struct BenchmarksTest : ::testing::Test {
  BenchmarksTest() {
    benchmarks.add_to(router);
    source.set("prod", nullptr);
  }

  net::Response ask(std::string method, const std::string& target, std::string body = {},
                    std::vector<net::HttpField> headers = {}, bool loopback = true) {
    net::Request request;
    request.method = std::move(method);
    request.target = target;
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.loopback = loopback;
    EXPECT_TRUE(net::parse_target(target, request.path, request.query)) << target;
    return testing::answer_of(router.dispatch(request, who));
  }
  net::Response post(std::string body, std::vector<net::HttpField> headers = {},
                     bool loopback = true) {
    return ask("POST", std::string(Benchmarks::kPath), std::move(body), std::move(headers),
               loopback);
  }

  testing::FakeViews source;
  FakeRunner runner;
  Benchmarks benchmarks{runner, source};
  Router router;
  Caller who = Caller::anybody();
};

TEST_F(BenchmarksTest, ARightOnOneClusterIsForThatOne) {
  source.set("test", nullptr);
  ASSERT_EQ(ask("POST", "/api/v1/performance/benchmark", R"({"cluster": "prod"})").status, 202);
  who = testing::caller_on("test", {auth::Action::kRead, auth::Action::kOperate});
  // Its own cluster: refused because one is running, not for want of a right.
  EXPECT_EQ(ask("POST", "/api/v1/performance/benchmark", R"({"cluster": "test"})").status, 409);
  EXPECT_EQ(ask("POST", "/api/v1/performance/benchmark", R"({"cluster": "prod"})").status, 403);
  EXPECT_EQ(ask("POST", "/api/v1/performance/benchmark", R"({"cluster": "none"})").status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/performance/benchmark").body, "{\"benchmarks\":[]}\n");
  EXPECT_EQ(ask("GET", "/api/v1/performance/benchmark/1").status, 404);
  EXPECT_EQ(ask("DELETE", "/api/v1/performance/benchmark/1").status, 404);
  who = testing::caller_on("prod", {auth::Action::kRead});
  EXPECT_EQ(ask("GET", "/api/v1/performance/benchmark/1").status, 200);
  EXPECT_EQ(ask("DELETE", "/api/v1/performance/benchmark/1").status, 403);
}

TEST_F(BenchmarksTest, StartsFollowsAndCancels) {
  const auto started = post(R"({"type": "write", "ops": 500, "duration": "5s", "slo_p99": "50ms",
                                "clean_up": true})");
  EXPECT_EQ(started.status, 202) << started.body;
  EXPECT_EQ(started.headers.back().value, "/api/v1/performance/benchmark/1");
  ASSERT_EQ(runner.all.size(), 1U);
  EXPECT_EQ(runner.all[0].order.cluster, "prod");
  EXPECT_EQ(runner.all[0].order.workload, "write");
  EXPECT_THAT(runner.all[0].order.flags,
              UnorderedElementsAre(Pair("ops", "500"), Pair("duration", "5s"),
                                   Pair("slo-p99", "50ms"), Pair("clean-up", "true")));

  runner.all[0].progress = R"({"phase":"measuring"})";
  const auto page = json::parse(ask("GET", "/api/v1/performance/benchmark/1").body);
  EXPECT_EQ(page["state"], "running");
  EXPECT_EQ(page["progress"]["phase"], "measuring");
  EXPECT_EQ(page["result"], nullptr);
  EXPECT_EQ(page["ended_at"], nullptr);
  EXPECT_EQ(page["settings"]["clean_up"], "true");

  EXPECT_EQ(post("{}").status, 409);
  EXPECT_EQ(ask("DELETE", "/api/v1/performance/benchmark/1").status, 202);
  EXPECT_EQ(ask("DELETE", "/api/v1/performance/benchmark/1").status, 200) << "it has ended";
  const auto list = json::parse(ask("GET", std::string(Benchmarks::kPath)).body);
  EXPECT_EQ(list["benchmarks"][0]["state"], "cancelled");
  EXPECT_EQ(post("").status, 202) << "the next may run";
  EXPECT_EQ(ask("GET", "/api/v1/performance/benchmark/9").status, 404);
  EXPECT_EQ(ask("DELETE", "/api/v1/performance/benchmark/9").status, 404);
}

TEST_F(BenchmarksTest, StrangersMayLookAndNotTouch) {
  EXPECT_EQ(post("{}", {}, false).status, 403);
  EXPECT_EQ(post("{}", {{"X-Forwarded-For", "10.0.0.7"}}).status, 403) << "behind a proxy";
  EXPECT_EQ(post("{}", {{"Origin", "http://evil.example"}, {"Host", "localhost:8080"}}).status,
            403);
  EXPECT_EQ(post("a=b", {{"Content-Type", "application/x-www-form-urlencoded"}}).status, 415);
  EXPECT_TRUE(runner.all.empty());
  EXPECT_EQ(post("{}", {{"Origin", "http://localhost:8080"}, {"Host", "localhost:8080"}}).status,
            202);
  EXPECT_EQ(ask("DELETE", "/api/v1/performance/benchmark/1", {}, {}, false).status, 403);
  EXPECT_EQ(ask("GET", "/api/v1/performance/benchmark/1", {}, {}, false).status, 200);
}

TEST_F(BenchmarksTest, WhatCannotBeRunIsRefusedWithAllReasons) {
  const struct {
    const char* body;
    const char* error;
  } cases[] = {{"nonsense", "no"},
               {"[]", "not a JSON object"},
               {R"({"type": "wirte"})", "did you mean"},
               {R"({"clinets": 8})", "did you mean clients?"},
               {R"({"clients": 0})", "clients: must be at least 1"},
               {R"({"clients": [8]})", "clients: is one value"},
               {R"({"duration": 5})", "has no unit"},
               {R"({"warm-up": "5s"})", "did you mean warm_up?"},
               {R"({"preset": "xxl"})", "not one of s, m, l, xl"},
               {R"({"save": "/etc/passwd"})", "save: unknown"},
               {R"({"slo_p99": "fast"})", "slo_p99:"},
               {R"({"ramp_to": 5})", "ramp"}};
  for (const auto& each : cases) {
    const auto refused = post(each.body);
    EXPECT_EQ(refused.status, 400) << each.body;
    EXPECT_THAT(refused.body, HasSubstr(each.error)) << each.body;
  }
  const auto both = json::parse(post(R"({"clients": 0, "reads": 2})").body);
  EXPECT_EQ(both["errors"].size(), 2U);
  EXPECT_TRUE(runner.all.empty());
}

TEST_F(BenchmarksTest, SeveralClustersNeedOne) {
  source.set("test", nullptr);
  EXPECT_EQ(post("{}").status, 400);
  EXPECT_EQ(post(R"({"cluster": "nope"})").status, 404);
  EXPECT_EQ(post(R"({"cluster": "test"})").status, 202);
  EXPECT_EQ(runner.all[0].order.cluster, "test");
}

}  // namespace
}  // namespace etcdmon::api
