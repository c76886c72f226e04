#include "api/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/testing/answer.hpp"

namespace etcdmon::api {
namespace {

using testing::answer_of;

Router::PlainHandler says(const std::string& text) {
  return [text](const net::Request&, const PathParameters& parameters) {
    net::Response response;
    response.body = text + std::string(parameters["id"]) + std::string(parameters["other"]);
    return answered(std::move(response));
  };
}

net::Response ask(const Router& router, std::string method, std::string path) {
  net::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  return answer_of(router.dispatch(request, Caller::anybody()));
}

Router example() {
  Router router;
  router.add({"GET", "/", Access::open(), "index"}, says("root"));
  router.add({"GET", "/alerts", Access::open(), "list"}, says("alerts"));
  router.add({"POST", "/alerts/test", Access::open(), "try"}, says("test"));
  router.add({"POST", "/alerts/{id}/ack", Access::open(), "acknowledge"}, says("ack "));
  router.add({"GET", "/silences/{id}", Access::open(), "one"}, says("silence "));
  router.add({"DELETE", "/silences/{id}", Access::open(), "end"}, says("delete "));
  return router;
}

struct Case {
  const char* name;
  std::string method;
  std::string path;
  int status;
  std::string text;  // the body, or Allow
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class RouterTable : public ::testing::TestWithParam<Case> {};

TEST_P(RouterTable, Dispatches) {
  const auto response = ask(example(), GetParam().method, GetParam().path);
  EXPECT_EQ(response.status, GetParam().status);
  if (response.status == 200) {
    EXPECT_EQ(response.body, GetParam().text);
  }
  if (response.status == 405) {
    EXPECT_EQ(response.headers, (std::vector<net::HttpField>{{"Allow", GetParam().text}}));
  }
  if (response.status >= 400) {
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, RouterTable,
    ::testing::Values(Case{"Root", "GET", "/", 200, "root"},
                      Case{"Exact", "GET", "/alerts", 200, "alerts"},
                      Case{"HeadIsGet", "HEAD", "/alerts", 200, "alerts"},
                      Case{"Parameter", "POST", "/alerts/17/ack", 200, "ack 17"},
                      Case{"ExactBeforePattern", "POST", "/alerts/test", 200, "test"},
                      Case{"SecondMethod", "DELETE", "/silences/x y", 200, "delete x y"},
                      Case{"EmptyParameter", "GET", "/silences/", 404, ""},
                      Case{"Unknown", "GET", "/nothing", 404, ""},
                      Case{"LongerThanAPattern", "GET", "/silences/1/2", 404, ""},
                      Case{"TrailingSlash", "GET", "/alerts/", 404, ""},
                      Case{"NoPath", "OPTIONS", "*", 404, ""},
                      Case{"WrongMethod", "POST", "/alerts", 405, "GET, HEAD"},
                      Case{"Options", "OPTIONS", "/silences/1", 405, "GET, HEAD, DELETE"},
                      Case{"UnheardOf", "BREW", "/", 405, "GET, HEAD"}),
    ::testing::PrintToStringParamName());

TEST(Router, FindsTheRouteThatWouldAnswer) {
  const auto router = example();
  const auto about = [&](std::string method, std::string path) -> std::string {
    net::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    const auto* route = router.find(request);
    return route != nullptr ? route->about : "none";
  };
  EXPECT_EQ(about("HEAD", "/alerts"), "list");
  EXPECT_EQ(about("POST", "/alerts/test"), "try");
  EXPECT_EQ(about("POST", "/alerts/17/ack"), "acknowledge");
  EXPECT_EQ(about("DELETE", "/silences/17"), "end");
  EXPECT_EQ(about("POST", "/alerts"), "none");
  EXPECT_EQ(about("GET", "/nothing"), "none");
}

TEST(Router, ListsItsRoutes) {
  const auto router = example();
  EXPECT_EQ(router.routes().size(), 6U);
  EXPECT_EQ(router.routes()[3].pattern, "/alerts/{id}/ack");
}

}  // namespace
}  // namespace etcdmon::api
