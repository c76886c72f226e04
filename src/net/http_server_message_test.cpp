#include "net/http_server_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string head_of(const Response& response, const ResponseFraming& framing = {}) {
  std::string out;
  append_response_head(out, response, framing);
  return out;
}

struct TargetCase {
  const char* name;
  std::string_view target;
  std::string_view path;  // "" where the target is refused
  std::vector<HttpField> query;
  friend std::ostream& operator<<(std::ostream& os, const TargetCase& c) { return os << c.name; }
};

class ParseTarget : public testing::TestWithParam<TargetCase> {};

TEST_P(ParseTarget, Decodes) {
  std::string path;
  std::vector<HttpField> query;
  const bool good = parse_target(GetParam().target, path, query);
  EXPECT_EQ(good, !GetParam().path.empty());
  if (!good) return;
  EXPECT_EQ(path, GetParam().path);
  EXPECT_EQ(query, GetParam().query);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ParseTarget,
    testing::Values(TargetCase{"Root", "/", "/", {}},
                    TargetCase{"Plain", "/api/v1/alerts", "/api/v1/alerts", {}},
                    TargetCase{"Query", "/a?x=1&y=b", "/a", {{"x", "1"}, {"y", "b"}}},
                    TargetCase{"Escapes", "/a%20b?c%3D=d%26+e", "/a b", {{"c=", "d& e"}}},
                    TargetCase{"PlusInAPathIsAPlus", "/a+b", "/a+b", {}},
                    TargetCase{"Flag", "/health?ready", "/health", {{"ready", ""}}},
                    TargetCase{"EmptyPieces", "/a?&&x=&=", "/a", {{"x", ""}, {"", ""}}},
                    TargetCase{"EqualsInTheValue", "/a?x=1=2", "/a", {{"x", "1=2"}}},
                    TargetCase{"AbsoluteForm", "http://host:8080/a?b=c", "/a", {{"b", "c"}}},
                    TargetCase{"AbsoluteWithoutPath", "http://host", "/", {}},
                    TargetCase{"AbsoluteWithQueryOnly", "https://host?b", "/", {{"b", ""}}},
                    TargetCase{"Asterisk", "*", "*", {}},
                    TargetCase{"Authority", "host:80", "", {}}, TargetCase{"Empty", "", "", {}},
                    TargetCase{"CutEscape", "/a%2", "", {}}, TargetCase{"NoHex", "/a%zz", "", {}},
                    TargetCase{"CutEscapeInTheQuery", "/a?b=%", "", {}}),
    testing::PrintToStringParamName());

TEST(Request, HeadersInAnyCaseParametersExactly) {
  Request request;
  request.headers = {{"Accept", "a"}, {"X-One", "1"}, {"x-one", "2"}};
  request.query = {{"cluster", "prod"}, {"cluster", "test"}};
  EXPECT_EQ(request.header("x-ONE"), "1");
  EXPECT_EQ(request.header("accep"), std::nullopt);
  EXPECT_EQ(request.parameter("cluster"), "prod");
  EXPECT_EQ(request.parameter("Cluster"), std::nullopt);
}

TEST(ResponseHead, HasLengthTypeAndDate) {
  Response response;
  response.body = "12345";
  EXPECT_EQ(head_of(response, {.date = "Mon, 23 Nov 2026 15:00:00 GMT"}),
            "HTTP/1.1 200 OK\r\n"
            "Date: Mon, 23 Nov 2026 15:00:00 GMT\r\n"
            "Content-Type: application/json\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST(ResponseHead, SharedBodyCounts) {
  Response response;
  response.shared_body = std::make_shared<const std::string>("123");
  EXPECT_THAT(head_of(response), HasSubstr("Content-Length: 3\r\n"));
}

TEST(ResponseHead, NotModifiedCarriesNoBody) {
  Response response;
  response.status = 304;
  response.headers = {{"ETag", "\"1\""}};
  EXPECT_EQ(head_of(response), "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n");
}

TEST(ResponseHead, ConnectionIsSaidWhereItIsNotTheDefault) {
  const Response response;
  EXPECT_THAT(head_of(response), Not(HasSubstr("Connection")));
  EXPECT_THAT(head_of(response, {.keep_alive = false}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head_of(response, {.http10 = true}), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(ResponseHead, AValueCannotStartANewLine) {
  Response response;
  response.headers = {{"Location", "/a\r\nSet-Cookie: x=1"}};
  EXPECT_THAT(head_of(response), HasSubstr("Location: /a  Set-Cookie: x=1\r\n"));
}

TEST(Problem, IsAnRfc9457Document) {
  const auto response = problem(404, "no \"x\" here");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Not Found","status":404,"detail":"no \"x\" here"})"
            "\n");
}

TEST(Problem, TakesInstanceAndFurtherMembers) {
  const auto response = problem(400, "Which cluster?", "several", "/a", R"("clusters":["a"])");
  EXPECT_THAT(response.body, StartsWith(R"({"type":"about:blank","title":"Which cluster?")"));
  EXPECT_THAT(response.body, EndsWith(R"("instance":"/a","clusters":["a"]})"
                                      "\n"));
}

TEST(HttpDate, IsImfFixdate) {
  EXPECT_EQ(to_http_date(WallTime(784'111'777s)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace etcdmon::net
