#include "net/http_server_parser.hpp"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::net {
namespace {

using Step = HttpRequestParser::Step;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Gives `text` in pieces of at most `piece` bytes until the parser has something to say.
Step feed(HttpRequestParser& parser, std::string_view text, std::size_t piece = 1'000'000) {
  for (;;) {
    const auto step = parser.step();
    if (step != Step::kNeedMore || text.empty()) return step;
    const auto room = parser.room();
    const auto count = std::min({room.size(), piece, text.size()});
    std::memcpy(room.data(), text.data(), count);
    parser.filled(count);
    text.remove_prefix(count);
  }
}

constexpr HttpRequestParser::Limits kSmall{.header = 512, .fields = 10, .body = 1000};

TEST(HttpRequestParser, TakesARequestInAnySplit) {
  constexpr std::string_view kText =
      "POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-Y:  z \r\n\r\nhello";
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) {
    SCOPED_TRACE(piece);
    HttpRequestParser parser(kSmall);
    ASSERT_EQ(feed(parser, kText, piece), Step::kComplete);
    EXPECT_EQ(parser.request().method, "POST");
    EXPECT_EQ(parser.request().path, "/a");
    EXPECT_EQ(parser.request().parameter("b"), "c");
    EXPECT_EQ(parser.request().header("x-y"), "z");
    EXPECT_EQ(parser.request().body, "hello");
    EXPECT_TRUE(parser.keep_alive());
    EXPECT_FALSE(parser.unparsed());
  }
}

TEST(HttpRequestParser, JoinsChunksAndDropsTrailers) {
  constexpr std::string_view kText =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nHost: other\r\nX-Trailer: 1\r\n\r\n";
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) {
    SCOPED_TRACE(piece);
    HttpRequestParser parser(kSmall);
    ASSERT_EQ(feed(parser, kText, piece), Step::kComplete);
    EXPECT_EQ(parser.request().body, "abcde");
    EXPECT_EQ(parser.request().headers.size(), 2U);
  }
}

TEST(HttpRequestParser, PipelinedRequestsComeOneByOne) {
  HttpRequestParser parser(kSmall);
  ASSERT_EQ(feed(parser,
                 "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                 "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy\r\n"
                 "GET /3 HTTP/1.0\r\n\r\n"),
            Step::kComplete);
  EXPECT_EQ(parser.request().path, "/1");
  EXPECT_EQ(parser.step(), Step::kComplete) << "stays until next()";
  parser.next();
  ASSERT_EQ(parser.step(), Step::kComplete);
  EXPECT_EQ(parser.request().path, "/2");
  EXPECT_EQ(parser.request().body, "xy");
  parser.next();
  ASSERT_EQ(parser.step(), Step::kComplete) << "an empty line before a request is skipped";
  EXPECT_EQ(parser.request().path, "/3");
  EXPECT_THAT(parser.request().headers, IsEmpty());
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_TRUE(parser.http10());
  parser.next();
  EXPECT_EQ(parser.step(), Step::kNeedMore);
  EXPECT_FALSE(parser.started());
}

TEST(HttpRequestParser, TellsHowFarARequestHasCome) {
  HttpRequestParser parser(kSmall);
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(feed(parser, "P"), Step::kNeedMore);
  EXPECT_TRUE(parser.started());
  EXPECT_EQ(feed(parser, "UT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"), Step::kNeedMore);
  EXPECT_FALSE(parser.header_done());
  EXPECT_EQ(feed(parser, "Expect: 100-continue\r\n\r\n"), Step::kNeedMore);
  EXPECT_TRUE(parser.header_done());
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_EQ(feed(parser, "x"), Step::kComplete);
}

struct RefusalCase {
  const char* name;
  std::string text;
  int status;
  friend std::ostream& operator<<(std::ostream& os, const RefusalCase& c) { return os << c.name; }
};

class HttpRequestParserRefuses : public testing::TestWithParam<RefusalCase> {};

TEST_P(HttpRequestParserRefuses, WithTheRightStatus) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1'000'000}}) {
    SCOPED_TRACE(piece);
    HttpRequestParser parser(kSmall);
    ASSERT_EQ(feed(parser, GetParam().text, piece), Step::kRefused);
    EXPECT_EQ(parser.refusal().status, GetParam().status) << parser.refusal().detail;
    EXPECT_EQ(parser.step(), Step::kRefused);
  }
}

std::string with_fields(const std::string& fields) {
  return "POST / HTTP/1.1\r\n" + fields + "\r\n";
}
std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpRequestParserRefuses,
    testing::Values(
        RefusalCase{"Garbage", "\x16\x03\x01\x02 not http at all\r\n\r\n", 400},
        RefusalCase{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        RefusalCase{"OldVersion", "GET / HTTP/0.9\r\n\r\n", 505},
        RefusalCase{"NoPath", "GET host:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        RefusalCase{"BrokenEscape", "GET /%1 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        RefusalCase{"LongTarget", "GET /" + std::string(600, 'a') + " HTTP/1.1\r\n\r\n", 414},
        RefusalCase{"LongHeader", with_fields("Host: h\r\nX: " + std::string(600, 'a')), 431},
        RefusalCase{"LongLineAndHeader",
                    "GET /" + std::string(300, 'a') +
                        " HTTP/1.1\r\nHost: h\r\nX: " + std::string(300, 'a') + "\r\n\r\n",
                    431},
        RefusalCase{"ManyFields", with_fields("Host: h\r\n" + repeated("X: y\r\n", 10)), 431},
        RefusalCase{"NoHost", with_fields("X: y\r\n"), 400},
        RefusalCase{"TwoHosts", with_fields("Host: a\r\nHost: b\r\n"), 400},
        RefusalCase{"NoColon", with_fields("Host h\r\n"), 400},
        RefusalCase{"SpaceBeforeColon", with_fields("Host : h\r\n"), 400},
        RefusalCase{"BareLineFeed", "GET / HTTP/1.1\nHost: h\r\n\r\n", 505},
        RefusalCase{"LargeBody", with_fields("Host: h\r\nContent-Length: 1001\r\n"), 413},
        RefusalCase{"LargeChunk",
                    with_fields("Host: h\r\nTransfer-Encoding: chunked\r\n") + "fff\r\n", 413},
        RefusalCase{"ManyChunks",
                    with_fields("Host: h\r\nTransfer-Encoding: chunked\r\n") +
                        repeated("8\r\n12345678\r\n", 126),
                    413},
        RefusalCase{
            "LongChunkExtension",
            with_fields("Host: h\r\nTransfer-Encoding: chunked\r\n") + "1;" + std::string(600, 'x'),
            431},
        RefusalCase{"LongTrailer",
                    with_fields("Host: h\r\nTransfer-Encoding: chunked\r\n") + "0\r\n" +
                        repeated("X: y\r\n", 100),
                    431},
        RefusalCase{"BadLength", with_fields("Host: h\r\nContent-Length: -1\r\n"), 400},
        RefusalCase{"TwoLengths",
                    with_fields("Host: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n"), 400},
        RefusalCase{"LengthAndChunks",
                    with_fields("Host: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
                    400},
        RefusalCase{"ChunksAndLength",
                    with_fields("Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
                    400},
        RefusalCase{"OtherCoding", with_fields("Host: h\r\nTransfer-Encoding: gzip\r\n"), 501},
        RefusalCase{"TwoCodings", with_fields("Host: h\r\nTransfer-Encoding: gzip, chunked\r\n"),
                    501},
        RefusalCase{"ChunkedNotLast",
                    with_fields("Host: h\r\nTransfer-Encoding: chunked, identity\r\n"), 501},
        RefusalCase{"BadChunk",
                    with_fields("Host: h\r\nTransfer-Encoding: chunked\r\n") + "xyz\r\n", 400},
        RefusalCase{"OtherExpectation", with_fields("Host: h\r\nExpect: tea\r\n"), 417}),
    testing::PrintToStringParamName());

TEST(HttpRequestParser, MemoryStaysBoundedWhileABodyComes) {
  HttpRequestParser parser({.header = 512, .fields = 10, .body = 1U << 20U});
  ASSERT_EQ(feed(parser, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"),
            Step::kNeedMore);
  ASSERT_EQ(feed(parser, std::string(1'000'000, 'x')), Step::kComplete);
  EXPECT_EQ(parser.request().body.size(), 1'000'000U);
  EXPECT_LE(parser.room().size(), 4096U);
  parser.next();
  EXPECT_LE(parser.request().body.capacity(), 64U << 10U);
}

}  // namespace
}  // namespace etcdmon::net
