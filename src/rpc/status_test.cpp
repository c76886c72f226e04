#include "rpc/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/detail/testing/h2_server.hpp"

namespace etcdmon::rpc {
namespace {

using testing::Fields;
using ::testing::HasSubstr;

ResponseHead head_of(const Fields& first, const Fields& trailers = {}) {
  ResponseHead head;
  head.begin_block();
  for (const auto& [name, value] : first) head.take(name, value);
  if (trailers.empty()) return head;
  head.begin_block();
  for (const auto& [name, value] : trailers) head.take(name, value);
  return head;
}

struct Case {
  const char* name;
  Fields first;
  Fields trailers;
  ErrorCode want;
  Cause cause = Cause::kNone;
  const char* message = "";
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class Outcome : public ::testing::TestWithParam<Case> {};

TEST_P(Outcome, IsReadFromTheLastBlock) {
  const auto& c = GetParam();
  const auto outcome = outcome_of(head_of(c.first, c.trailers));
  if (c.want == ErrorCode::kOk) {
    EXPECT_EQ(outcome, std::nullopt);
    return;
  }
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->code, c.want);
  EXPECT_EQ(outcome->cause, c.cause);
  EXPECT_THAT(outcome->message, HasSubstr(c.message));
}

const Fields kGrpc{{":status", "200"}, {"content-type", "application/grpc"}};

Fields trailers_only(const char* status, const char* message) {
  return {{":status", "200"},
          {"content-type", "application/grpc"},
          {"grpc-status", status},
          {"grpc-message", message}};
}

INSTANTIATE_TEST_SUITE_P(
    Table, Outcome,
    ::testing::Values(
        Case{"Ok", kGrpc, {{"grpc-status", "0"}}, ErrorCode::kOk},
        Case{"OkWithMessage",
             kGrpc,
             {{"grpc-status", "0"}, {"grpc-message", "ignored"}},
             ErrorCode::kOk},
        Case{"Error",
             kGrpc,
             {{"grpc-status", "14"}, {"grpc-message", "etcdserver: no leader"}},
             ErrorCode::kUnavailable,
             Cause::kNone,
             "etcdserver: no leader"},
        Case{"TrailersOnly",
             trailers_only("16", "etcdserver: invalid auth token"),
             {},
             ErrorCode::kUnauthenticated,
             Cause::kNone,
             "invalid auth token"},
        Case{"PercentEncoded",
             trailers_only("2", "100%25 %F0%9F%98%80%0Anext"),
             {},
             ErrorCode::kUnknown,
             Cause::kNone,
             "100% \xf0\x9f\x98\x80 next"},
        Case{"StatusBeforeTheMessagesDoesNotCount",
             trailers_only("0", ""),
             {{"x", "y"}},
             ErrorCode::kUnknown,
             Cause::kProtocol,
             "without a grpc-status"},
        Case{"MissingStatus",
             kGrpc,
             {{"other", "1"}},
             ErrorCode::kUnknown,
             Cause::kProtocol,
             "without a grpc-status"},
        Case{"UnknownNumber", kGrpc, {{"grpc-status", "17"}}, ErrorCode::kUnknown},
        Case{"NoNumber", kGrpc, {{"grpc-status", "0x"}}, ErrorCode::kUnknown},
        Case{"EmptyNumber", kGrpc, {{"grpc-status", ""}}, ErrorCode::kUnknown},
        Case{"NegativeNumber", kGrpc, {{"grpc-status", "-1"}}, ErrorCode::kUnknown},
        Case{"HugeNumber", kGrpc, {{"grpc-status", "99999999999999999999"}}, ErrorCode::kUnknown},
        Case{"GrpcStatusStandsOverHttp",
             {{":status", "503"}, {"grpc-status", "5"}},
             {},
             ErrorCode::kNotFound},
        Case{"Http503",
             {{":status", "503"}},
             {},
             ErrorCode::kUnavailable,
             Cause::kProtocol,
             "HTTP 503"},
        Case{"Http401",
             {{":status", "401"}},
             {},
             ErrorCode::kUnauthenticated,
             Cause::kProtocol,
             "HTTP 401"},
        Case{"Http404",
             {{":status", "404"}},
             {},
             ErrorCode::kUnimplemented,
             Cause::kProtocol,
             "HTTP 404"},
        Case{"HtmlPage",
             {{":status", "200"}, {"content-type", "text/html"}},
             {},
             ErrorCode::kUnknown,
             Cause::kProtocol,
             "no gRPC server: HTTP 200 with content-type \"text/html\""}),
    ::testing::PrintToStringParamName());

TEST(Status, OnlyGrpcMayGoOn) {
  EXPECT_EQ(refusal_in(head_of(kGrpc)), std::nullopt);
  EXPECT_EQ(refusal_in(head_of({{":status", "103"}})), std::nullopt);
  EXPECT_EQ(refusal_in(head_of({{":status", "200"}, {"content-type", "application/grpc+proto"}})),
            std::nullopt);
  EXPECT_EQ(refusal_in(head_of({{":status", "200"}, {"content-type", "application/grpc;x"}})),
            std::nullopt);
  EXPECT_TRUE(refusal_in(head_of({{":status", "200"}, {"content-type", "application/grpcx"}})));
  EXPECT_TRUE(refusal_in(head_of({{":status", "200"}})));
  EXPECT_TRUE(refusal_in(head_of({{":status", "502"}, {"content-type", "application/grpc"}})));
}

TEST(Status, MessagesCannotBreakALogLineOrADocument) {
  EXPECT_EQ(decode_grpc_message("a%41%4g%"), "aA%4g%");
  EXPECT_EQ(decode_grpc_message("%ff%c3"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(decode_grpc_message("%c3%a4"), "\xc3\xa4");
  EXPECT_EQ(decode_grpc_message("%e0%80%80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // overlong
  EXPECT_EQ(decode_grpc_message("%ed%a0%80").size(), 9U);  // a surrogate
  EXPECT_EQ(decode_grpc_message("%f4%8f%bf%bf"), "\xf4\x8f\xbf\xbf");
  EXPECT_EQ(decode_grpc_message("%f4%90%80%80").size(), 12U);  // above U+10FFFF
  EXPECT_EQ(decode_grpc_message("line%0d%0afake%00%1b[31m%7f"), "line  fake  [31m ");
}

TEST(Status, HttpAndHttp2CodesFollowTheTables) {
  EXPECT_EQ(code_of_http_status(400), ErrorCode::kInternal);
  EXPECT_EQ(code_of_http_status(403), ErrorCode::kPermissionDenied);
  for (const int status : {429, 502, 503, 504})
    EXPECT_EQ(code_of_http_status(status), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of_http_status(500), ErrorCode::kUnknown);
  EXPECT_EQ(code_of_http2_error(NGHTTP2_REFUSED_STREAM), ErrorCode::kUnavailable);
  EXPECT_EQ(code_of_http2_error(NGHTTP2_CANCEL), ErrorCode::kCancelled);
  EXPECT_EQ(code_of_http2_error(NGHTTP2_ENHANCE_YOUR_CALM), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of_http2_error(NGHTTP2_INADEQUATE_SECURITY), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code_of_http2_error(NGHTTP2_PROTOCOL_ERROR), ErrorCode::kInternal);
  EXPECT_EQ(name_of_http2_error(NGHTTP2_ENHANCE_YOUR_CALM), "ENHANCE_YOUR_CALM");
  EXPECT_EQ(name_of_http2_error(31), "0x1f");
}

}  // namespace
}  // namespace etcdmon::rpc
