#include "api/rest_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/testing/answer.hpp"
#include "api/testing/callers.hpp"
#include "api/testing/views.hpp"

namespace etcdmon::api {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct RestApiTest : ::testing::Test {
  FakeViews source;
  metrics::Registry registry;
  RestApi api{source, {.registry = &registry, .http_counts = {}}};

  net::Response get(const std::string& target, std::vector<net::HttpField> headers = {},
                    std::string method = "GET") {
    net::Request request;
    request.method = std::move(method);
    request.target = target;
    request.headers = std::move(headers);
    EXPECT_TRUE(net::parse_target(target, request.path, request.query)) << target;
    return answer_of(api.handle(request));
  }

  static std::string header(const net::Response& response, std::string_view name) {
    for (const auto& field : response.headers) {
      if (field.name == name) return field.value;
    }
    return {};
  }
};

TEST_F(RestApiTest, OneClusterNeedsNoName) {
  source.set("prod", shared(example_view()));
  for (const auto* target : {"/api/v1/cluster/status", "/api/v1/cluster/status?cluster=prod"}) {
    const auto response = get(target);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(json::parse(response.bytes())["cluster"], "prod");
  }
}

TEST_F(RestApiTest, EveryPageIsJsonAndNamesItsCluster) {
  source.set("prod", shared(example_view()));
  for (const auto* target :
       {"/api/v1/cluster/status", "/api/v1/cluster/members", "/api/v1/cluster/leader",
        "/api/v1/cluster/peers", "/api/v1/metrics/current", "/api/v1/metrics/latency",
        "/api/v1/alerts", "/api/v1/events"}) {
    SCOPED_TRACE(target);
    const auto page = json::parse(get(target).bytes());
    EXPECT_EQ(page["cluster"], "prod");
    EXPECT_EQ(page["view_version"], 42);
  }
}

TEST_F(RestApiTest, SeveralClustersNeedOne) {
  source.set("prod", shared(example_view()));
  source.set("test", nullptr);
  const auto response = get("/api/v1/cluster/leader");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto problem = json::parse(response.body);
  EXPECT_EQ(problem["clusters"], json::parse(R"json(["prod", "test"])json"));
  EXPECT_EQ(problem["instance"], "/api/v1/cluster/leader");
}

TEST_F(RestApiTest, AnUnknownClusterIsNotFoundAndTheOthersAreNamed) {
  source.set("prod", shared(example_view()));
  const auto response = get("/api/v1/cluster/status?cluster=dev%22");
  EXPECT_EQ(response.status, 404);
  const auto problem = json::parse(response.body);
  EXPECT_EQ(problem["clusters"], json::parse(R"json(["prod"])json"));
  EXPECT_EQ(problem["detail"], "no cluster \"dev\"\"; there are: prod");
}

TEST_F(RestApiTest, WithoutAViewTheStateIsUnknown) {
  source.set("prod", nullptr);
  const auto page = json::parse(get("/api/v1/cluster/status").bytes());
  EXPECT_EQ(page["state"], "unknown");
  EXPECT_EQ(page["cluster"], "prod");
  source.newest[0] = shared(example_view());
  EXPECT_EQ(json::parse(get("/api/v1/cluster/status").bytes())["state"], "healthy");
}

TEST_F(RestApiTest, BytesAreRenderedOncePerVersion) {
  source.set("prod", shared(example_view()));
  const auto first = get("/api/v1/cluster/members");
  EXPECT_EQ(first.shared_body, get("/api/v1/cluster/members").shared_body);
  auto next = example_view();
  ++next.version;
  source.newest[0] = shared(std::move(next));
  const auto second = get("/api/v1/cluster/members");
  EXPECT_NE(first.shared_body, second.shared_body);
  EXPECT_NE(header(first, "ETag"), header(second, "ETag"));
}

TEST_F(RestApiTest, ConditionalGet) {
  source.set("prod", shared(example_view()));
  const auto etag = header(get("/api/v1/cluster/status"), "ETag");
  EXPECT_THAT(etag, AllOf(StartsWith("\""), HasSubstr("-42\"")));
  const auto same = get("/api/v1/cluster/status", {{"If-None-Match", etag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.bytes(), "");
  EXPECT_EQ(header(same, "ETag"), etag);
  EXPECT_EQ(get("/api/v1/cluster/status", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST(MatchesEtag, Table) {
  EXPECT_TRUE(matches_etag("\"a-1\"", "\"a-1\""));
  EXPECT_TRUE(matches_etag("\"x\", W/\"a-1\" ,\"y\"", "\"a-1\""));
  EXPECT_TRUE(matches_etag("*", "\"a-1\""));
  EXPECT_FALSE(matches_etag("\"a-11\"", "\"a-1\""));
  EXPECT_FALSE(matches_etag("", "\"a-1\""));
  EXPECT_FALSE(matches_etag(" , ,", "\"a-1\""));
}

TEST_F(RestApiTest, ClustersFollowEveryView) {
  source.set("prod", shared(example_view()));
  source.set("test", nullptr);
  const auto first = get("/api/v1/clusters");
  EXPECT_EQ(json::parse(first.bytes())["clusters"].size(), 2U);
  EXPECT_EQ(get("/api/v1/clusters").shared_body, first.shared_body);
  source.newest[1] = shared(example_view());
  EXPECT_NE(header(get("/api/v1/clusters"), "ETag"), header(first, "ETag"));
}

TEST_F(RestApiTest, HealthIsAliveBeforeItIsReady) {
  source.set("prod", nullptr);
  EXPECT_EQ(get("/health").status, 200);
  const auto waiting = get("/health?ready");
  EXPECT_EQ(waiting.status, 503);
  EXPECT_EQ(json::parse(waiting.body)["ready"], false);
  auto unjudged = example_view();
  unjudged.assessment.healthy.reset();
  source.newest[0] = shared(std::move(unjudged));
  EXPECT_EQ(get("/health?ready").status, 503);
  source.newest[0] = shared(example_view());
  const auto ready = get("/health?ready");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(json::parse(ready.body), json::parse(R"json({
    "status": "ok", "ready": true, "version": "0.1.0", "build": "abc",
    "started_at": "2025-10-10T12:00:00Z", "uptime_seconds": 90.0,
    "clusters": [{"name": "prod", "ready": true, "state": "healthy"}]})json"));
}

TEST_F(RestApiTest, TheRootListsEverything) {
  source.set("prod", nullptr);
  const auto response = get("/");
  EXPECT_THAT(response.content_type, StartsWith("text/plain"));
  for (const auto& route : api.router().routes()) {
    EXPECT_THAT(response.body, HasSubstr(route.pattern));
  }
  EXPECT_THAT(response.body, HasSubstr("there are: prod."));
}

TEST_F(RestApiTest, ClustersThatOneMayNotSeeAreNowhere) {
  source.set("prod", shared(example_view()));
  source.set("test", nullptr);
  const auto who = caller_on("test", {auth::Action::kRead});
  const auto ask = [&](const std::string& target) {
    net::Request request;
    request.method = "GET";
    EXPECT_TRUE(net::parse_target(target, request.path, request.query));
    return answer_of(api.router().dispatch(request, who));
  };
  for (const auto* open :
       {"/", "/health", "/api/v1/clusters", "/api/v1/cluster/status?cluster=test"}) {
    SCOPED_TRACE(open);
    const auto response = ask(open);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(std::string(response.bytes()), AllOf(HasSubstr("test"), Not(HasSubstr("prod"))));
  }
  // There or not makes no difference.
  for (const auto* cluster : {"prod", "none", ""}) {
    const auto response = ask(fmt::format("/api/v1/cluster/status?cluster={}", cluster));
    EXPECT_EQ(response.status, 403);
  }
  EXPECT_THAT(ask("/api/v1/cluster/status").body, Not(HasSubstr("prod")));
  EXPECT_FALSE(json::parse(ask("/health").body)["ready"]);
  const auto mine = ask("/api/v1/clusters");
  EXPECT_NE(header(mine, "ETag"), header(get("/api/v1/clusters"), "ETag"));
}

TEST_F(RestApiTest, NothingMutates) {
  source.set("prod", shared(example_view()));
  for (const auto& route : api.router().routes()) {
    SCOPED_TRACE(route.pattern);
    for (const auto* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
      const auto response = get(route.pattern, {}, method);
      EXPECT_EQ(response.status, 405);
      EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
    }
  }
  EXPECT_EQ(get("/api/v1/nothing").status, 404);
}

TEST_F(RestApiTest, MetricsHoldClustersRegistryAndProcess) {
  source.set("prod", shared(example_view()));
  registry.counter("etcdmon_things_total", "Things.").add(3);
  const auto response = get("/metrics");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, AllOf(HasSubstr("\netcdmon_cluster_healthy{cluster=\"prod\"} 1\n"),
                                   HasSubstr("\netcdmon_things_total 3\n"),
                                   HasSubstr("\netcdmon_uptime_seconds 90\n"),
                                   HasSubstr("\nprocess_resident_memory_bytes ")));
}

}  // namespace
}  // namespace etcdmon::api
