#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/detail/testing/session_pair.hpp"
#include "rpc/session.hpp"

namespace etcdmon::rpc {
namespace {

using namespace std::chrono_literals;
using testing::Fields;
using testing::framed;
using testing::H2Server;
using ::testing::HasSubstr;
using testing::kGrpcHead;
using testing::kOkTrailers;
using testing::SessionPair;
using testing::TestUnary;
using State = Session::State;

// --- Every split of what a server sends.

struct Transcript {
  const char* name;
  void (*server)(H2Server&);
  std::optional<ErrorCode> want;  ///< nullopt: OK with `answer`
  Cause cause = Cause::kNone;
  const char* text = "";  ///< the answer, or part of the error's message
  friend std::ostream& operator<<(std::ostream& os, const Transcript& t) { return os << t.name; }
};

class Answers : public ::testing::TestWithParam<Transcript> {};

void check(const Transcript& transcript, const TestUnary& call) {
  ASSERT_TRUE(call.done());
  if (!transcript.want) {
    ASSERT_EQ(call.error(), std::nullopt) << call.error()->message;
    ASSERT_EQ(call.answer, transcript.text);
    return;
  }
  ASSERT_TRUE(call.error());
  ASSERT_EQ(call.error()->code, *transcript.want) << call.error()->message;
  ASSERT_EQ(call.error()->cause, transcript.cause) << call.error()->message;
  ASSERT_THAT(call.error()->message, HasSubstr(transcript.text));
}

// Brings a pair to where the server's answer is ready to be delivered.
std::string ask(SessionPair& pair, TestUnary& call, const Transcript& transcript) {
  pair.connect();
  call.deadline = pair.now + 10s;
  pair.submit(call);
  pair.run();
  transcript.server(pair.server);
  return pair.server.output();
}

TEST_P(Answers, ComeOutTheSameAtEverySplit) {
  const auto& transcript = GetParam();
  std::size_t size = 0;
  {
    SessionPair pair;
    TestUnary call;
    const auto bytes = ask(pair, call, transcript);
    size = bytes.size();
    pair.to_client(bytes);
    pair.run();
    check(transcript, call);
  }
  // A long body is the same everywhere but around frame borders; its splits are thinned out.
  const std::size_t step = std::max<std::size_t>(1, size / 400);
  for (std::size_t split = 1; split < size; split += step) {
    SCOPED_TRACE(fmt::format("split at {} of {}", split, size));
    SessionPair pair;
    TestUnary call;
    const auto bytes = ask(pair, call, transcript);
    pair.to_client(std::string_view(bytes).substr(0, split));
    std::string out;
    pair.session.produce(out, 1000, pair.now);  // what it says in between must not matter
    pair.to_client(std::string_view(bytes).substr(split));
    pair.run();
    check(transcript, call);
    if (HasFatalFailure()) return;
  }
}

TEST_P(Answers, ComeOutTheSameByteByByte) {
  const auto& transcript = GetParam();
  SessionPair pair;
  TestUnary call;
  const auto bytes = ask(pair, call, transcript);
  // nghttp2 counts a CONTINUATION frame whose header comes in n pieces n times, and allows 8.
  const std::size_t piece = bytes.size() > 16'384 ? 16 : 1;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    pair.to_client(std::string_view(bytes).substr(at, piece));
  pair.run();
  check(transcript, call);
}

TEST_P(Answers, CutOffAnywhereIsAReset) {
  const auto& transcript = GetParam();
  SessionPair whole;
  TestUnary unused;
  const auto size = ask(whole, unused, transcript).size();
  const std::size_t step = std::max<std::size_t>(1, size / 100);
  for (std::size_t cut = 0; cut < size; cut += step) {
    SCOPED_TRACE(fmt::format("cut at {} of {}", cut, size));
    SessionPair pair;
    TestUnary call;
    const auto bytes = ask(pair, call, transcript);
    pair.to_client(std::string_view(bytes).substr(0, cut));
    pair.session.end(
        Error{ErrorCode::kUnavailable, "the peer closed the connection", Cause::kReset});
    pair.wake();
    ASSERT_TRUE(call.done());
    // What had already told how the call ended stands.
    if (call.error() && call.error()->cause == Cause::kReset &&
        call.error()->code == ErrorCode::kUnavailable)
      continue;
    check(transcript, call);
    if (HasFatalFailure()) return;
  }
}

constexpr Transcript kTranscripts[] = {
    {"Ok", [](H2Server& s) { s.answer(1, "answer"); }, std::nullopt, Cause::kNone, "answer"},
    {"EmptyAnswer", [](H2Server& s) { s.answer(1, ""); }, std::nullopt, Cause::kNone, ""},
    {"AfterEarlyHints",
     [](H2Server& s) {
       s.head(1, {{":status", "103"}, {"link", "x"}});
       s.answer(1, "answer");
     },
     std::nullopt, Cause::kNone, "answer"},
    {"BodyInManyFrames",
     [](H2Server& s) {
       s.head(1);
       for (const char byte : framed("pieces")) {
         s.body(1, std::string(1, byte));
       }
       s.end(1);
     },
     std::nullopt, Cause::kNone, "pieces"},
    {"ErrorAfterAnswer",
     [](H2Server& s) {
       s.answer(1, "ignored", {{"grpc-status", "9"}, {"grpc-message", "not%20now"}});
     },
     ErrorCode::kFailedPrecondition, Cause::kNone, "not now"},
    {"TrailersOnly",
     [](H2Server& s) {
       s.head_and_end(1, {{":status", "200"},
                          {"content-type", "application/grpc"},
                          {"grpc-status", "7"},
                          {"grpc-message", "etcdserver: permission denied"}});
     },
     ErrorCode::kPermissionDenied, Cause::kNone, "permission denied"},
    {"NoStatus", [](H2Server& s) { s.answer(1, "answer", {{"other", "x"}}); }, ErrorCode::kUnknown,
     Cause::kProtocol, "without a grpc-status"},
    {"EndsWithData",
     [](H2Server& s) {
       s.head(1, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "0"}});
       s.body(1, framed("answer"));
       s.end(1, {});
     },
     ErrorCode::kUnknown, Cause::kProtocol, "without a grpc-status"},
    {"OkWithoutAnswer",
     [](H2Server& s) {
       s.head(1);
       s.end(1);
     },
     ErrorCode::kInternal, Cause::kProtocol, "without an answer"},
    {"TwoAnswers",
     [](H2Server& s) {
       s.head(1);
       s.body(1, framed("one") + framed("two"));
       s.end(1);
     },
     ErrorCode::kInternal, Cause::kProtocol, "more than one message"},
    {"HalfAnAnswer",
     [](H2Server& s) {
       s.head(1);
       s.body(1, framed("answer").substr(0, 8));
       s.end(1);
     },
     ErrorCode::kInternal, Cause::kProtocol, "inside a message"},
    {"Compressed",
     [](H2Server& s) {
       s.head(
           1,
           {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-encoding", "gzip"}});
       s.body(1, std::string("\1\0\0\0\3abc", 8));
       s.end(1);
     },
     ErrorCode::kInternal, Cause::kProtocol, "compressed"},
    {"Oversize",
     [](H2Server& s) {
       s.head(1);
       s.body(1, std::string("\0\x7f\xff\xff\xff", 5));
     },
     ErrorCode::kResourceExhausted, Cause::kLocal, "the limit is"},
    {"Http503WithAPage",
     [](H2Server& s) {
       s.head(1, {{":status", "503"}, {"content-type", "text/html"}});
       s.body(1, "<html>");
       s.end(1, {});
     },
     ErrorCode::kUnavailable, Cause::kProtocol, "HTTP 503"},
    {"Http404", [](H2Server& s) { s.head_and_end(1, {{":status", "404"}}); },
     ErrorCode::kUnimplemented, Cause::kProtocol, "HTTP 404"},
    {"NotGrpc", [](H2Server& s) { s.head(1, {{":status", "200"}, {"content-type", "text/html"}}); },
     ErrorCode::kUnknown, Cause::kProtocol, "text/html"},
    {"ResetRefused", [](H2Server& s) { s.reset(1, NGHTTP2_REFUSED_STREAM); },
     ErrorCode::kUnavailable, Cause::kReset, "REFUSED_STREAM"},
    {"ResetInside",
     [](H2Server& s) {
       s.head(1);
       s.body(1, "\0");
       s.reset(1, NGHTTP2_INTERNAL_ERROR);
     },
     ErrorCode::kInternal, Cause::kReset, "INTERNAL_ERROR"},
    {"ResetCancel", [](H2Server& s) { s.reset(1, NGHTTP2_CANCEL); }, ErrorCode::kCancelled,
     Cause::kReset, "CANCEL"},
    {"ResetWithoutError", [](H2Server& s) { s.reset(1, NGHTTP2_NO_ERROR); }, ErrorCode::kInternal,
     Cause::kReset, "NO_ERROR"},
    {"GarbageInTheHeader", [](H2Server& s) { s.head(1, {{":status", "200"}, {"bad name", "x"}}); },
     ErrorCode::kInternal, Cause::kProtocol, "broke HTTP/2"},
    {"NoHttpStatus", [](H2Server& s) { s.head(1, {{"content-type", "application/grpc"}}); },
     ErrorCode::kInternal, Cause::kProtocol, "broke HTTP/2"},
    {"HugeHeader",
     [](H2Server& s) {
       Fields fields = kGrpcHead;
       for (int i = 0; i < 40; ++i)
         fields.emplace_back("x-" + std::to_string(i), std::string(2'000, 'y'));
       s.head(1, fields);
     },
     ErrorCode::kResourceExhausted, Cause::kProtocol, "larger than 65536 bytes"},
    {"HugeTrailers",
     [](H2Server& s) {
       Fields fields = kOkTrailers;
       for (int i = 0; i < 40; ++i)
         fields.emplace_back("x-" + std::to_string(i), std::string(2'000, 'y'));
       s.answer(1, "answer", fields);
     },
     ErrorCode::kResourceExhausted, Cause::kProtocol, "larger than 65536 bytes"},
};

INSTANTIATE_TEST_SUITE_P(Table, Answers, ::testing::ValuesIn(kTranscripts),
                         ::testing::PrintToStringParamName());

// --- Peers that are no HTTP/2 servers.

struct Stranger {
  const char* name;
  std::string_view says;
  bool closes;
  const char* message;
  Cause cause = Cause::kProtocol;
  friend std::ostream& operator<<(std::ostream& os, const Stranger& s) { return os << s.name; }
};

class Strangers : public ::testing::TestWithParam<Stranger> {};

TEST_P(Strangers, AreNamedAtEverySplit) {
  const auto& stranger = GetParam();
  for (std::size_t split = 0; split <= stranger.says.size(); ++split) {
    SCOPED_TRACE(split);
    SessionPair pair;
    TestUnary call;
    pair.submit(call);
    pair.session.open(pair.now, pair.now + 5s);
    pair.to_server();
    pair.to_client(stranger.says.substr(0, split));
    pair.to_client(stranger.says.substr(split));
    pair.to_server();
    if (stranger.closes) {
      pair.session.end(
          Error{ErrorCode::kUnavailable, "the peer closed the connection", Cause::kReset});
    } else {
      pair.advance(5s);
    }
    pair.wake();
    EXPECT_EQ(pair.session.state(), State::kEnded);
    ASSERT_TRUE(call.done());
    EXPECT_THAT(call.error()->message, HasSubstr(stranger.message));
    EXPECT_EQ(call.error()->cause, stranger.cause);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Strangers,
    ::testing::Values(
        Stranger{"Http1", "HTTP/1.1 400 Bad Request\r\n\r\n", true, "speaks HTTP/1"},
        Stranger{"Http1ThatStays", "HTTP/1.1 400 Bad Request\r\n\r\n", false, "speaks HTTP/1"},
        Stranger{"TlsAlert", "\x15\x03\x01\x02\x02\x46", true, "TLS alert"},
        Stranger{"ClosesWithoutAWord", "", true, "is it a TLS port?", Cause::kReset},
        Stranger{"SaysNothing", "", false, "no HTTP/2 SETTINGS in time", Cause::kTimeout},
        Stranger{"Ssh", "SSH-2.0-OpenSSH_9.2\r\n", true, "sent no HTTP/2 SETTINGS"},
        Stranger{"OtherFrameFirst",
                 {"\0\0\x08\x06\0\0\0\0\0........", 17},
                 true,
                 "sent no HTTP/2 SETTINGS"},
        Stranger{"BrokenSettings", {"\0\0\x05\x04\0\0\0\0\0.....", 14}, true, ""}),
    ::testing::PrintToStringParamName());

}  // namespace
}  // namespace etcdmon::rpc
