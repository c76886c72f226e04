#include "rpc/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/detail/testing/session_pair.hpp"

namespace etcdmon::rpc {
namespace {

using namespace std::chrono_literals;
using testing::framed;
using testing::H2Server;
using ::testing::HasSubstr;
using testing::SessionPair;
using testing::test_options;
using testing::TestStream;
using testing::TestUnary;
using State = Session::State;
using HalfClose = Session::HalfClose;

TEST(Session, UnaryAsksAsGrpcSays) {
  SessionPair pair;
  pair.connect();
  EXPECT_EQ(pair.session.state(), State::kUp);
  const Metadata metadata{{"token", "abc.123"}};
  TestUnary call;
  call.deadline = pair.now + 900ms;
  call.metadata = &metadata;
  pair.submit(call, "/etcdserverpb.Maintenance/Status", "request");
  pair.run();

  const auto& request = pair.server.requests[1];
  EXPECT_EQ(request.field(":method"), "POST");
  EXPECT_EQ(request.field(":scheme"), "http");
  EXPECT_EQ(request.field(":path"), "/etcdserverpb.Maintenance/Status");
  EXPECT_EQ(request.field(":authority"), "etcd-1:2379");
  EXPECT_EQ(request.field("te"), "trailers");
  EXPECT_EQ(request.field("content-type"), "application/grpc");
  EXPECT_EQ(request.field("grpc-timeout"), "900000u");
  EXPECT_EQ(request.field("user-agent"), "test");
  EXPECT_EQ(request.field("token"), "abc.123");
  EXPECT_EQ(request.body, framed("request"));
  EXPECT_TRUE(request.ended);

  EXPECT_FALSE(call.done());
  pair.server.answer(1, "answer");
  pair.run();
  EXPECT_TRUE(call.done());
  EXPECT_EQ(call.wakes, 1);
  EXPECT_EQ(call.error(), std::nullopt);
  EXPECT_EQ(call.answer, "answer");
  EXPECT_EQ(request.reset, std::nullopt);
  EXPECT_EQ(pair.session.live(), 0U);
  EXPECT_EQ(pair.session.next_deadline(), SteadyTime::max());
}

TEST(Session, CallsBeforeTheConnectionGoOutWithIt) {
  SessionPair pair;
  TestUnary call;
  pair.submit(call);
  std::string bytes;
  pair.session.produce(bytes, 1000, pair.now);
  EXPECT_EQ(bytes, "");
  pair.connect();
  EXPECT_TRUE(pair.server.requests[1].ended);
  pair.server.answer(1, "late");
  pair.run();
  EXPECT_EQ(call.answer, "late");
}

TEST(Session, RecordsAreUsedAgain) {
  SessionPair pair;
  pair.connect();
  TestUnary call;
  for (std::int32_t stream = 1; stream < 20; stream += 2) {
    pair.submit(call);
    pair.run();
    if (stream % 4 == 1) {
      pair.server.head_and_end(
          stream, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}});
    } else {
      pair.server.answer(stream, std::to_string(stream));
    }
    pair.run();
    ASSERT_TRUE(call.done());
    ASSERT_EQ(call.error().has_value(), stream % 4 == 1);
    ASSERT_EQ(call.answer, call.error() ? "" : std::to_string(stream));
  }
}

TEST(Session, GarbageAfterTheHandshakeEndsIt) {
  SessionPair pair;
  pair.connect();
  TestUnary call;
  pair.submit(call);
  pair.run();
  pair.to_client("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  pair.to_server();
  pair.wake();
  EXPECT_EQ(pair.session.state(), State::kEnded);
  EXPECT_EQ(call.error()->cause, Cause::kProtocol);
}

// --- Limits, deadlines, GOAWAY, keepalive.

TEST(Session, CallsAboveThePeersLimitQueue) {
  SessionPair pair(test_options(), {.max_concurrent_streams = 2});
  pair.connect();
  TestUnary calls[5];
  for (auto& call : calls) {
    call.deadline = pair.now + 1s;
    pair.submit(call);
  }
  pair.run();
  EXPECT_EQ(pair.server.requests.size(), 2U);
  pair.session.cancel(calls[2]);
  pair.session.cancel(calls[0]);
  pair.run();
  EXPECT_EQ(pair.server.requests[1].reset, NGHTTP2_CANCEL);
  EXPECT_EQ(pair.server.requests.size(), 3U);
  pair.server.answer(3, "b");
  pair.server.answer(5, "d");
  pair.run();
  pair.server.answer(7, "e");
  pair.run();
  EXPECT_EQ(calls[1].answer, "b");
  EXPECT_EQ(calls[3].answer, "d");
  EXPECT_EQ(calls[4].answer, "e");
}

TEST(Session, ACallThatWaitsForAFreeStreamTooLongSaysSo) {
  SessionPair pair(test_options(), {.max_concurrent_streams = 1});
  pair.connect();
  TestUnary first;
  TestUnary second;
  second.deadline = pair.now + 1s;
  pair.submit(first);
  pair.submit(second);
  pair.run();
  pair.advance(1s);
  EXPECT_EQ(second.error()->code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(second.error()->message, HasSubstr("no free stream"));
  EXPECT_FALSE(first.done());
}

TEST(Session, DeadlineResetsTheStream) {
  SessionPair pair;
  pair.connect();
  TestUnary call;
  call.deadline = pair.now + 900ms;
  pair.submit(call);
  pair.run();
  EXPECT_EQ(pair.session.next_deadline(), pair.now + 900ms);
  pair.advance(899ms);
  EXPECT_FALSE(call.done());
  pair.advance(1ms);
  ASSERT_TRUE(call.done());
  EXPECT_EQ(call.error()->code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(call.error()->cause, Cause::kTimeout);
  pair.run();
  EXPECT_EQ(pair.server.requests[1].reset, NGHTTP2_CANCEL);
  EXPECT_EQ(pair.session.state(), State::kUp);
}

TEST(Session, AnswerToAResetStreamIsDropped) {
  SessionPair pair;
  pair.connect();
  TestUnary call;
  pair.submit(call);
  pair.run();
  pair.server.answer(1, std::string(500'000, 'x'));
  auto crossing = pair.server.output();
  pair.session.cancel(call);
  pair.run();
  pair.to_client(crossing);
  pair.run();
  EXPECT_FALSE(call.done() && !call.error());
  TestUnary next;
  pair.submit(next);
  pair.run();
  pair.server.answer(3, "fine");
  pair.run();
  EXPECT_EQ(next.answer, "fine");
}

TEST(Session, APassedDeadlineNeverLeaves) {
  SessionPair pair;
  pair.connect();
  TestUnary call;
  call.deadline = pair.now;
  pair.submit(call);
  pair.run();
  EXPECT_EQ(call.error()->code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(pair.server.requests.empty());
}

TEST(Session, BadMetadataFailsOnlyItsCall) {
  SessionPair pair;
  pair.connect();
  for (const Metadata& metadata : std::vector<Metadata>{
           {{"Upper", "x"}}, {{":path", "/"}}, {{"a", "line\nbreak"}}, {{"", "x"}}}) {
    TestUnary call;
    call.metadata = &metadata;
    pair.submit(call);
    pair.run();
    ASSERT_TRUE(call.done());
    EXPECT_EQ(call.error()->code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(pair.session.state(), State::kUp);
}

TEST(Session, GoawayFailsWhatThePeerWillNotDoAndLetsTheRestFinish) {
  SessionPair pair(test_options(), {.max_concurrent_streams = 2});
  pair.connect();
  TestUnary done;
  TestUnary refused;
  TestUnary queued;
  for (auto* call : {&done, &refused, &queued}) pair.submit(*call);
  pair.run();
  pair.server.goaway(1, NGHTTP2_NO_ERROR, "maintenance");
  pair.run();
  EXPECT_EQ(pair.session.state(), State::kDraining);
  for (auto* call : {&refused, &queued}) {
    ASSERT_TRUE(call->done());
    EXPECT_EQ(call->error()->code, ErrorCode::kUnavailable);
    EXPECT_EQ(call->error()->cause, Cause::kGoAway);
    EXPECT_THAT(call->error()->message, HasSubstr("maintenance"));
  }
  TestUnary late;
  pair.submit(late);
  pair.wake();
  EXPECT_EQ(late.error()->cause, Cause::kGoAway);
  EXPECT_FALSE(done.done());
  pair.server.answer(1, "finished");
  pair.run();
  EXPECT_EQ(done.answer, "finished");
  EXPECT_EQ(pair.session.live(), 0U);
}

TEST(Session, GoawayThenEndNamesTheGoaway) {
  SessionPair pair;
  pair.connect();
  TestUnary call;
  pair.submit(call);
  pair.run();
  pair.server.goaway(1, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
  pair.run();
  EXPECT_FALSE(call.done());
  pair.session.end(Error{ErrorCode::kUnavailable, "the peer closed the connection", Cause::kReset});
  pair.wake();
  EXPECT_EQ(call.error()->cause, Cause::kGoAway);
  EXPECT_THAT(call.error()->message, HasSubstr("ENHANCE_YOUR_CALM, too_many_pings"));
}

TEST(Session, PingsOnlyWhileACallIsOpenAndTenSecondsApart) {
  SessionPair pair;
  pair.connect();
  pair.advance(1h);
  EXPECT_EQ(pair.session.next_deadline(), SteadyTime::max());
  TestStream stream;
  pair.submit(stream);
  pair.run();
  int seconds = 0;
  for (; seconds < 9; ++seconds) {
    pair.advance(1s);
    pair.run();
  }
  EXPECT_EQ(pair.server.pings, 0);
  for (; seconds < 41; ++seconds) {
    pair.advance(1s);
    pair.run();
  }
  EXPECT_EQ(pair.server.pings, 4);
  pair.session.cancel(stream);
  pair.run();
  EXPECT_EQ(pair.session.next_deadline(), SteadyTime::max());
}

TEST(Session, UnansweredPingEndsTheConnection) {
  SessionPair pair;
  pair.connect();
  TestStream stream;
  pair.submit(stream);
  pair.run();
  pair.advance(10s);
  pair.to_server();
  EXPECT_EQ(pair.server.pings, 1);
  EXPECT_EQ(pair.session.next_deadline(), pair.now + 5s);
  pair.advance(5s);
  EXPECT_EQ(pair.session.state(), State::kEnded);
  EXPECT_EQ(stream.error()->cause, Cause::kTimeout);
}

TEST(Session, KeepaliveCannotBeSetBelowTenSeconds) {
  auto options = test_options();
  options.keepalive = 1s;
  SessionPair pair(options);
  pair.connect();
  TestStream stream;
  pair.submit(stream);
  pair.run();
  EXPECT_EQ(pair.session.next_deadline(), pair.now + 10s);
}

// --- Streams and flow control.

TEST(Session, BothSidesOfAStreamTalk) {
  SessionPair pair;
  pair.connect();
  TestStream stream;
  pair.submit(stream);
  pair.run();
  EXPECT_TRUE(stream.submitted());
  EXPECT_EQ(pair.server.requests[1].body, "");
  pair.session.send(stream, "hello");
  EXPECT_TRUE(stream.sending());
  pair.run();
  EXPECT_FALSE(stream.sending());
  EXPECT_EQ(pair.server.requests[1].body, framed("hello"));
  pair.server.head(1);
  pair.server.body(1, framed("a") + framed("b"));
  pair.run();
  EXPECT_EQ(pair.session.take_message(stream), "a");
  EXPECT_EQ(pair.session.take_message(stream), "b");
  EXPECT_EQ(pair.session.take_message(stream), std::nullopt);
  EXPECT_FALSE(pair.server.requests[1].ended);
  pair.session.finish_sending(stream);
  pair.run();
  EXPECT_TRUE(pair.server.requests[1].ended);
  pair.server.end(1);
  pair.run();
  EXPECT_TRUE(stream.done());
  EXPECT_EQ(stream.error(), std::nullopt);
}

TEST(Session, ServerThatEndsFirstIsToldToForgetTheStream) {
  SessionPair pair;
  pair.connect();
  TestStream stream;
  pair.submit(stream, "first");
  pair.run();
  pair.server.answer(1, "bye");
  pair.run();
  EXPECT_TRUE(stream.done());
  EXPECT_EQ(pair.session.take_message(stream), "bye");
  EXPECT_EQ(pair.server.requests[1].reset, NGHTTP2_NO_ERROR);
}

TEST(Session, AnUnreadStreamHoldsTheServerBackAndNobodyElse) {
  SessionPair pair;
  pair.connect();
  TestStream stream;
  pair.submit(stream, "", HalfClose::kYes);
  pair.run();
  constexpr std::size_t kMessages = 640;
  const std::string message(10'000, 'm');
  pair.server.head(1);
  for (std::size_t i = 0; i < kMessages; ++i) pair.server.body(1, framed(message));
  pair.server.end(1);
  pair.run();
  const auto sent = kMessages * (message.size() + kPrefixSize) - pair.server.unsent(1);
  EXPECT_LE(sent, 1U << 20U);
  EXPECT_GE(sent, (1U << 20U) - 20'000);

  TestUnary other;
  pair.submit(other);
  pair.run();
  pair.server.answer(3, std::string(3U << 20U, 'x'));
  pair.run();
  EXPECT_EQ(other.answer.size(), 3U << 20U);

  std::size_t got = 0;
  for (;;) {
    const auto next = pair.session.take_message(stream);
    if (next) {
      ASSERT_EQ(*next, message);
      ++got;
      ASSERT_LE(kMessages * (message.size() + kPrefixSize) - pair.server.unsent(1) -
                    got * (message.size() + kPrefixSize),
                (1U << 20U) + 2 * message.size());
    } else if (stream.done()) {
      break;
    }
    pair.run();
  }
  EXPECT_EQ(got, kMessages);
  EXPECT_EQ(stream.error(), std::nullopt);
}

TEST(Session, AMessageLargerThanTheWindowArrives) {
  SessionPair pair;
  pair.connect();
  TestStream stream;
  TestUnary unary;
  pair.submit(stream, "", HalfClose::kYes);
  pair.submit(unary);
  pair.run();
  const std::string big(9U << 20U, 'b');
  pair.server.answer(1, big);
  pair.server.answer(3, big);
  pair.run();
  EXPECT_EQ(unary.answer, big);
  EXPECT_EQ(pair.session.take_message(stream), big);
  EXPECT_TRUE(stream.done());
}

TEST(Session, SendingWaitsForThePeersWindow) {
  SessionPair pair(test_options(), {.window = 1'000, .holds_windows = true});
  pair.connect();
  TestStream stream;
  pair.submit(stream);
  pair.run();
  pair.session.send(stream, std::string(2'500, 's'));
  pair.run();
  EXPECT_TRUE(stream.sending());
  EXPECT_EQ(pair.server.requests[1].body.size(), 1'000U);
  pair.server.credit(1, 1'000);
  pair.run();
  EXPECT_TRUE(stream.sending());
  const auto wakes = stream.wakes;
  pair.server.credit(1, 1'000);
  pair.run();
  EXPECT_FALSE(stream.sending());
  EXPECT_EQ(stream.wakes, wakes + 1);
  EXPECT_EQ(pair.server.requests[1].body.size(), 2'505U);
}

TEST(Session, ACallCancelledWhileItsBodyWaitsIsReset) {
  SessionPair pair(test_options(), {.window = 100, .holds_windows = true});
  pair.connect();
  {
    TestUnary call;
    const std::string request(1'000, 'r');
    pair.submit(call, "/a/b", request);
    pair.run();
    pair.session.cancel(call);
  }
  pair.server.credit(1, 1'000);
  pair.run();
  EXPECT_EQ(pair.server.requests[1].reset, NGHTTP2_CANCEL);
  EXPECT_EQ(pair.server.requests[1].body.size(), 100U);
}

TEST(Session, ACallCancelledBeforeItsHeaderLeftTouchesNothing) {
  SessionPair pair;
  pair.connect();
  {
    TestUnary call;
    const Metadata metadata{{"token", std::string(100, 't')}};
    call.metadata = &metadata;
    const std::string path = "/a/path/that/is/gone/soon";
    pair.submit(call, path);
    std::string out;
    pair.session.produce(out, 1, pair.now);  // the limit stops after the first frame
    pair.session.cancel(call);
    pair.server.receive(out);
  }
  pair.run();
  TestUnary next;
  pair.submit(next);
  pair.run();
  EXPECT_EQ(pair.server.requests.rbegin()->second.body, framed("ask"));
}

TEST(Session, OutputIsBounded) {
  SessionPair pair(test_options(), {.window = 1U << 30U});
  pair.connect();
  pair.server.credit(0, 1U << 29U);
  pair.run();
  TestUnary calls[20];
  const std::string request(1U << 20U, 'r');
  for (auto& call : calls) pair.submit(call, "/a/b", request);
  std::string out;
  pair.session.produce(out, 64U << 10U, pair.now);
  EXPECT_LE(out.size(), 96U << 10U);
  pair.server.receive(out);
  pair.run();
  for (std::int32_t i = 0; i < 20; ++i)
    EXPECT_EQ(pair.server.requests[2 * i + 1].body.size(), request.size() + 5);
}

TEST(Session, EndFailsEveryCallAndLaterOnes) {
  SessionPair pair;
  pair.connect();
  TestUnary calls[3];
  for (auto& call : calls) pair.submit(call);
  pair.session.end(Error{ErrorCode::kUnavailable, "reset", Cause::kReset});
  TestUnary late;
  pair.submit(late);
  pair.wake();
  for (auto& call : calls) EXPECT_EQ(call.error()->message, "reset");
  EXPECT_EQ(late.error()->message, "reset");
  EXPECT_EQ(late.wakes, 1);
}

}  // namespace
}  // namespace etcdmon::rpc
