#include "net/http_response.hpp"

#include <ostream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::net {
namespace {

constexpr std::uint64_t kMaxBody = 1000;

// All that can be told of a parsed response, so that two ways of cutting it can be compared.
struct Parsed {
  bool done = false;
  int status = 0;
  bool keep_alive = false;
  std::string body;
  std::size_t taken = 0;
  Error error{ErrorCode::kOk, "", Cause::kNone};
  bool operator==(const Parsed&) const = default;
};

// Feeds `bytes` in pieces of these sizes (the last one again and again), then ends.
Parsed parse(std::string_view bytes, const std::vector<std::size_t>& sizes, bool end) {
  HttpResponse response(kMaxBody);
  std::string body = "left over";
  response.reset(body);
  Parsed parsed;
  std::size_t piece = 0;
  while (!bytes.empty() && !response.done()) {
    const auto size = std::min(bytes.size(), sizes[std::min(piece++, sizes.size() - 1)]);
    const auto taken = response.feed(bytes.substr(0, size));
    if (!taken) {
      Parsed failed;
      failed.error = taken.error();
      return failed;
    }
    parsed.taken += *taken;
    bytes.remove_prefix(size);
  }
  if (end) {
    if (const auto ended = response.end(); !ended) parsed.error = ended.error();
  }
  parsed.done = response.done();
  parsed.status = response.status();
  parsed.keep_alive = response.keep_alive();
  parsed.body = body;
  return parsed;
}

struct Good {
  const char* name;
  std::string text;
  int status;
  std::string body;
  bool keep_alive = true;
  bool until_end = false;
  friend std::ostream& operator<<(std::ostream& os, const Good& c) { return os << c.name; }
};

class ReadResponse : public testing::TestWithParam<Good> {};

TEST_P(ReadResponse, HoweverItIsCut) {
  const Good& good = GetParam();
  const auto whole = parse(good.text, {good.text.size()}, good.until_end);
  EXPECT_TRUE(whole.done) << whole.error.message;
  EXPECT_EQ(whole.status, good.status);
  EXPECT_EQ(whole.body, good.body);
  EXPECT_EQ(whole.keep_alive, good.keep_alive);
  EXPECT_EQ(whole.taken, good.text.size());
  EXPECT_EQ(parse(good.text, {1}, good.until_end), whole);
  for (std::size_t cut = 1; cut < good.text.size(); ++cut) {
    EXPECT_EQ(parse(good.text, {cut, good.text.size()}, good.until_end), whole) << cut;
  }
}

TEST_P(ReadResponse, AnyTruncationIsAReset) {
  const Good& good = GetParam();
  const auto head_end = good.text.rfind("\r\n\r\n") + 4;
  const auto end = good.until_end ? head_end : good.text.size();
  for (std::size_t size = 0; size < end; ++size) {
    const auto parsed = parse(std::string_view(good.text).substr(0, size), {size + 1}, true);
    EXPECT_FALSE(parsed.done) << size;
    EXPECT_EQ(parsed.error.cause, Cause::kReset) << size;
  }
}

// What follows belongs to somebody else.
TEST_P(ReadResponse, TakesNoMoreThanItsOwn) {
  const Good& good = GetParam();
  if (good.until_end) return;
  const auto parsed = parse(good.text + "HTTP/1.1 500 No\r\n\r\n", {10'000}, false);
  EXPECT_TRUE(parsed.done);
  EXPECT_EQ(parsed.taken, good.text.size());
  EXPECT_EQ(parsed.body, good.body);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReadResponse,
    testing::Values(
        Good{"Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        Good{"EmptyBody", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, ""},
        Good{"SameLengthTwice",
             "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\ncontent-length: 2\r\n\r\nab", 200, "ab"},
        Good{"NoReason", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
        Good{"BareNewlines", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 200, "x"},
        Good{"Chunked",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
             200, "hello world"},
        Good{"ChunkedWithAllThatIsAllowed",
             "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: identity, Chunked\r\n\r\n"
             "005;name=\"v\"\r\nhello\r\nB ;x\r\n0123456789\n\r\n000;last\r\nA: b\r\nC: d\r\n\r\n",
             200, "hello0123456789\n"},
        Good{"ChunkedWithLength",
             "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
             "1\r\nx\r\n0\r\n\r\n",
             200, "x", false},
        Good{"UntilEnd", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it", 200,
             "all of it", false, true},
        Good{"UntilEndEmpty", "HTTP/1.0 200 OK\r\n\r\n", 200, "", false, true},
        Good{"OldVersion", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false},
        Good{"OldVersionKept",
             "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", 200, "x"},
        Good{"Close", "HTTP/1.1 200 OK\r\nConnection: foo, close\r\nContent-Length: 1\r\n\r\nx",
             200, "x", false},
        Good{"ContinueFirst",
             "HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\nHTTP/1.1 103 Early\r\n\r\n"
             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
             200, "x"},
        Good{"NoContent", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, ""},
        Good{"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, ""},
        Good{"IdentityCoding",
             "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", 200,
             "x"}),
    testing::PrintToStringParamName());

struct Bad {
  const char* name;
  std::string text;
  const char* message;
  ErrorCode code = ErrorCode::kInternal;
  friend std::ostream& operator<<(std::ostream& os, const Bad& c) { return os << c.name; }
};

class RefuseResponse : public testing::TestWithParam<Bad> {};

TEST_P(RefuseResponse, HoweverItIsCut) {
  const Bad& bad = GetParam();
  const auto whole = parse(bad.text, {bad.text.size()}, false);
  EXPECT_EQ(whole.error.code, bad.code);
  EXPECT_EQ(whole.error.cause, bad.code == ErrorCode::kInternal ? Cause::kProtocol : Cause::kNone);
  EXPECT_THAT(whole.error.message, testing::HasSubstr(bad.message));
  EXPECT_EQ(parse(bad.text, {1}, false).error, whole.error);
}

std::string with_headers(std::string_view headers) {
  return fmt::format("HTTP/1.1 200 OK\r\n{}\r\n\r\n", headers);
}
std::string with_chunk(std::string_view chunk) {
  return with_headers("Transfer-Encoding: chunked") + std::string(chunk);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefuseResponse,
    testing::Values(
        Bad{"TlsAlert", "\x15\x03\x01", "does not speak HTTP/1: it speaks TLS (use https)"},
        Bad{"Http2", std::string("\0\0\x12\x04", 4), "it seems to speak HTTP/2 only"},
        Bad{"Banner", "SSH-2.0-OpenSSH", "does not speak HTTP/1"},
        Bad{"NewVersion", "HTTP/2 200\r\n", "does not speak HTTP/1"},
        Bad{"EmptyFirstLine", "\r\nHTTP/1.1 200 OK\r\n", "does not speak HTTP/1"},
        Bad{"ShortCode", "HTTP/1.1 20\r\n", "status line"},
        Bad{"LongCode", "HTTP/1.1 2000\r\n", "status line"},
        Bad{"ZeroCode", "HTTP/1.1 099 No\r\n", "status line"},
        Bad{"Upgrade", "HTTP/1.1 101 Switching\r\n", "changes to another protocol"},
        Bad{"NoColon", with_headers("nonsense"), "a header line"},
        Bad{"SpaceBeforeColon", with_headers("Content-Length : 1"), "a header line"},
        Bad{"Folded", with_headers("A: b\r\n c"), "a header line"},
        Bad{"NegativeLength", with_headers("Content-Length: -1"), "Content-Length"},
        Bad{"EmptyLength", with_headers("Content-Length:"), "Content-Length"},
        Bad{"HexLength", with_headers("Content-Length: 0x10"), "Content-Length"},
        Bad{"HugeLength", with_headers("Content-Length: 99999999999999999999"), "Content-Length"},
        Bad{"TwoLengths", with_headers("Content-Length: 1\r\nContent-Length: 2"), "Content-Length"},
        Bad{"Gzip", with_headers("Content-Encoding: gzip"), "content coding"},
        Bad{"GzipTransfer", with_headers("Transfer-Encoding: gzip, chunked"), "Transfer-Encoding"},
        Bad{"ChunkedTwice", with_headers("Transfer-Encoding: chunked, chunked"),
            "Transfer-Encoding"},
        Bad{"NoChunkSize", with_chunk("\r\n"), "the size of a chunk"},
        Bad{"NegativeChunk", with_chunk("-1\r\n"), "the size of a chunk"},
        Bad{"ChunkSizeWithTail", with_chunk("1x\r\n"), "the size of a chunk"},
        Bad{"ChunkTooLong", with_chunk("1\r\nxy\r\n"), "longer than its size"},
        Bad{"BodyAboveTheLimit", with_headers("Content-Length: 1001"), "larger than 1000 bytes",
            ErrorCode::kResourceExhausted},
        Bad{"ChunkAboveTheLimit", with_chunk("3e9\r\n"), "larger than 1000 bytes",
            ErrorCode::kResourceExhausted},
        Bad{"ChunkBeyondAllNumbers", with_chunk("fffffffffffffffff\r\n"), "larger than 1000 bytes",
            ErrorCode::kResourceExhausted},
        Bad{"ChunksAboveTheLimit", with_chunk("1\r\nx\r\n3e8\r\n"), "larger than 1000 bytes",
            ErrorCode::kResourceExhausted},
        Bad{"UntilEndAboveTheLimit", with_headers("A: b") + std::string(1001, 'x'),
            "larger than 1000 bytes", ErrorCode::kResourceExhausted},
        Bad{"HeadersAboveTheLimit", with_headers("A: " + std::string(HttpResponse::kMaxHead, 'x')),
            "the head of the answer", ErrorCode::kResourceExhausted},
        Bad{"TrailersAboveTheLimit",
            with_chunk("0\r\nA: " + std::string(HttpResponse::kMaxHead, 'x')),
            "the head of the answer", ErrorCode::kResourceExhausted},
        Bad{"ExtensionAboveTheLimit",
            with_chunk("1;" + std::string(HttpResponse::kMaxHead, 'x') + "\r\nx"),
            "the head of the answer", ErrorCode::kResourceExhausted}),
    testing::PrintToStringParamName());

TEST(HttpResponse, ManyChunksAreNotAHead) {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string body;
  for (int i = 0; i < 900; ++i) {
    text += "1;" + std::string(200, 'e') + "\r\nx\r\n";
    body += 'x';
  }
  text += "0\r\n\r\n";
  EXPECT_EQ(parse(text, {4096}, false).body, body);
}

// Noise, and good answers with one byte changed: no crash, and no dependence on the cuts.
TEST(HttpResponse, CuttingNeverMatters) {
  std::mt19937 random(20261123);
  const std::vector<std::string> good = {
      with_chunk("5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"),
      with_headers("Connection: close\r\nContent-Length: 11") + "hello world"};
  for (std::size_t round = 0; round < 3000; ++round) {
    std::string text = good[round % 2];
    text[random() % text.size()] = static_cast<char>(random() % 256);
    const auto whole = parse(text, {text.size()}, true);
    const auto pieces = parse(text, {random() % 40 + 1, random() % 7 + 1}, true);
    EXPECT_EQ(pieces, whole) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace etcdmon::net
