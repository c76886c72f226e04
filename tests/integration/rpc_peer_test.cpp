// Calls to independent servers: Google's gRPC in Python, and one by hand that does all it should
// not.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "async/event.hpp"
#include "async/when_all.hpp"
#include "integration/python_peer.hpp"
#include "kit/loop_test.hpp"
#include "net/resolver.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::rpc {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using HalfClose = Connection::HalfClose;
using What = LinkEvent::What;

SteadyTime in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

class RpcPeer : public kit::LoopTest {
 protected:
  void TearDown() override {
    if (connection_) kit::run(loop_, connection_->close());
  }

  void use(std::uint16_t port) {
    ConnectionOptions options;
    options.endpoint.host = "127.0.0.1";
    options.endpoint.port = port;
    options.dial_timeout = 2s;
    options.max_message = 8U << 20U;
    options.backoff = {.base = 20ms, .cap = 100ms};
    connection_ = std::make_unique<Connection>(executor(), resolver_, std::move(options), Logger{});
  }
  void use(const char* script, const char* greeting) {
    peer_ = std::make_unique<PythonPeer>(loop_, script);
    use(peer_->port(greeting));
  }

  Result<std::string> ask(std::string_view path, std::string request = "hello",
                          std::chrono::milliseconds timeout = 5s,
                          const Metadata* metadata = nullptr) {
    return run(connection_->unary(Call{path, std::move(request), in(timeout), metadata}));
  }
  nlohmann::json stats() {
    const auto answer = ask("/raw/stats");
    return answer ? nlohmann::json::parse(*answer) : nlohmann::json{};
  }

  net::Resolver resolver_{executor()};
  std::unique_ptr<PythonPeer> peer_;
  std::unique_ptr<Connection> connection_;
};

// --- Google's gRPC.

class GrpcioPeer : public RpcPeer {
 protected:
  void SetUp() override { use("bad_grpc_server.py", "grpc"); }
};

TEST_F(GrpcioPeer, Answers) {
  EXPECT_EQ(ask("/test/echo").value(), "hello");
  EXPECT_EQ(ask("/test/echo", "").value(), "");
  const std::string all_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 100'000; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
  }();
  EXPECT_EQ(ask("/test/echo", all_bytes).value(), all_bytes);
}

TEST_F(GrpcioPeer, MegabytesBothWays) {
  const std::string big(6U << 20U, 'b');
  EXPECT_EQ(ask("/test/echo", big).value().size(), big.size());
}

TEST_F(GrpcioPeer, ACompressedAnswerIsRefusedAndTheConnectionStays) {
  const auto answer = ask("/test/compressed");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInternal);
  EXPECT_THAT(answer.error().message, HasSubstr("compressed"));
  EXPECT_EQ(ask("/test/echo").value(), "hello");
}

TEST_F(GrpcioPeer, AnAnswerAboveTheLimitIsRefusedAndTheConnectionStays) {
  const auto answer = ask("/test/large", "8388609");
  EXPECT_EQ(answer.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(ask("/test/large", "8388608").value().size(), 8388608U);
}

TEST_F(GrpcioPeer, StatusAndMessageArrive) {
  const auto answer = ask("/test/failing");
  EXPECT_EQ(answer.error(), (Error{ErrorCode::kFailedPrecondition,
                                   "nicht jetzt: 100 % \xe2\x98\x83 zweite Zeile", Cause::kNone}));
  EXPECT_EQ(ask("/test/raising").error().code, ErrorCode::kUnknown);
  EXPECT_EQ(ask("/test/no_such_method").error().code, ErrorCode::kUnimplemented);
}

TEST_F(GrpcioPeer, DeadlineIsHeldAndTold) {
  const auto start = std::chrono::steady_clock::now();
  const auto answer = ask("/test/slow", "3", 200ms);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(answer.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_GE(took, 195ms);
  EXPECT_LE(took, 600ms);
  EXPECT_EQ(ask("/test/slow", "0.2", 5s).value(), "at last");
}

TEST_F(GrpcioPeer, MetadataAndTimeoutReachTheServer) {
  const Metadata metadata{{"token", "abc"}, {"hasleader", "true"}};
  const auto seen = nlohmann::json::parse(ask("/test/facts", "", 10s, &metadata).value());
  EXPECT_EQ(seen["token"], "abc");
  EXPECT_EQ(seen["hasleader"], "true");
  EXPECT_EQ(seen["user-agent"], "etcd-monitor");
  EXPECT_GT(seen["time-left"].get<double>(), 8.0);
  EXPECT_LE(seen["time-left"].get<double>(), 10.01);
}

Task<std::vector<std::string>> collect(Connection& connection, Call call) {
  std::vector<std::string> messages;
  auto stream = co_await connection.open(std::move(call), HalfClose::kYes);
  if (!stream) {
    messages.push_back(stream.error().message);
    co_return messages;
  }
  for (;;) {
    auto next = co_await (*stream)->next();
    if (!next) {
      messages.push_back(next.error().message);
      co_return messages;
    }
    if (!*next) co_return messages;
    messages.push_back(**std::move(next));
  }
}

TEST_F(GrpcioPeer, StreamsEndWithTheirStatus) {
  EXPECT_THAT(run(collect(*connection_, Call{"/test/count", "4", in(5s), nullptr})),
              ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(run(collect(*connection_, Call{"/test/count", "0", in(5s), nullptr})), ElementsAre());
  EXPECT_THAT(run(collect(*connection_, Call{"/test/count_then_fail", "1", in(5s), nullptr})),
              ElementsAre("0", "no more"));
  const auto endless = run(collect(*connection_, Call{"/test/endless", "", in(200ms), nullptr}));
  EXPECT_GT(endless.size(), 3U);
  EXPECT_THAT(endless.back(),
              AnyOf("no answer in time", "Deadline Exceeded"));  // ours, or the server's
}

Task<std::vector<std::string>> talk(Connection& connection) {
  std::vector<std::string> heard;
  Call call{"/test/echo_all", "first", SteadyTime::max(), nullptr};
  auto stream = co_await connection.open(std::move(call), HalfClose::kNo);
  for (const char* word : {"second", "third", ""}) {
    auto sent = co_await (*stream)->send(word);
    if (!sent) heard.push_back(sent.error().message);
    auto next = co_await (*stream)->next();
    heard.push_back(next && *next ? **next : "nothing");
  }
  (*stream)->finish_sending();
  for (;;) {
    auto next = co_await (*stream)->next();
    if (!next || !*next) {
      heard.push_back(next ? "end" : next.error().message);
      co_return heard;
    }
    heard.push_back(**next);
  }
}

TEST_F(GrpcioPeer, BothSidesTalk) {
  EXPECT_THAT(run(talk(*connection_)), ElementsAre("first", "second", "third", "", "end"));
}

Task<int> many(Connection& connection, int calls) {
  std::vector<Task<Result<std::string>>> asked;
  for (int i = 0; i < calls; ++i) {
    asked.push_back(connection.unary(Call{"/test/echo", std::to_string(i), in(20s), nullptr}));
  }
  const auto answers = co_await async::when_all(std::move(asked));
  int right = 0;
  for (int i = 0; i < calls; ++i) {
    const auto& answer = answers[static_cast<std::size_t>(i)];
    if (answer && *answer == std::to_string(i)) ++right;
  }
  co_return right;
}

TEST_F(GrpcioPeer, ManyCallsAtOnceGetTheirOwnAnswers) {
  EXPECT_EQ(run(many(*connection_, 2'000)), 2'000);
}

// --- One that breaks the rules, by method.

struct Fault {
  const char* method;
  std::optional<ErrorCode> code;  ///< nullopt: the request comes back
  Cause cause = Cause::kNone;
  const char* message = "";
  friend std::ostream& operator<<(std::ostream& os, const Fault& fault) {
    return os << fault.method;
  }
};

class RawPeer : public RpcPeer, public ::testing::WithParamInterface<Fault> {
 protected:
  void SetUp() override { use("raw_h2_server.py", "h2"); }
};

TEST_P(RawPeer, EndsTheCallAndTheNextOneWorks) {
  const auto& fault = GetParam();
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    const auto answer = ask(fmt::format("/raw/{}", fault.method), "hello", 1s);
    if (!fault.code) {
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(*answer, "hello");
    } else {
      ASSERT_FALSE(answer) << *answer;
      EXPECT_EQ(answer.error().code, *fault.code) << answer.error().message;
      EXPECT_EQ(answer.error().cause, fault.cause) << answer.error().message;
      EXPECT_THAT(answer.error().message, HasSubstr(fault.message));
    }
    EXPECT_EQ(ask("/raw/ok", "still there").value_or("no"), "still there");
  }
}

using enum ErrorCode;
INSTANTIATE_TEST_SUITE_P(
    Faults, RawPeer,
    ::testing::Values(
        Fault{"ok", {}}, Fault{"byte_by_byte", {}}, Fault{"tiny_frames", {}}, Fault{"padded", {}},
        Fault{"ping_storm", {}}, Fault{"settings_change", {}}, Fault{"goaway_finish", {}},
        Fault{"trailers_only", kPermissionDenied, Cause::kNone, "etcdserver: permission denied"},
        Fault{"percent", kFailedPrecondition, Cause::kNone, "\xe4\xbd\xa0 100% \xef\xbf\xbd"},
        Fault{"http_503", kUnavailable, Cause::kProtocol, "HTTP 503"},
        Fault{"http_404", kUnimplemented, Cause::kProtocol, "HTTP 404"},
        Fault{"html", kUnknown, Cause::kProtocol, "no gRPC server"},
        Fault{"no_status", kUnknown, Cause::kProtocol, "without a grpc-status"},
        Fault{"no_message", kInternal, Cause::kProtocol, "without an answer"},
        Fault{"two_messages", kInternal, Cause::kProtocol, "more than one message"},
        Fault{"compressed", kInternal, Cause::kProtocol, "compressed"},
        Fault{"oversize", kResourceExhausted, Cause::kLocal, "the limit is 8388608"},
        Fault{"garbage_trailers", kInternal, Cause::kProtocol, "broke HTTP/2"},
        Fault{"garbage_status", kUnknown, Cause::kNone, "%%%"},
        Fault{"garbage_hpack", kUnavailable, Cause::kProtocol, "broke HTTP/2"},
        Fault{"garbage_frames", kUnavailable, Cause::kProtocol, "broke HTTP/2"},
        Fault{"huge_header", kResourceExhausted, Cause::kProtocol, "larger than 65536 bytes"},
        Fault{"stall", kDeadlineExceeded, Cause::kTimeout, "no answer in time"},
        Fault{"stall_inside", kDeadlineExceeded, Cause::kTimeout, "no answer in time"},
        Fault{"reset_refused", kUnavailable, Cause::kReset, "REFUSED_STREAM"},
        Fault{"reset_internal", kInternal, Cause::kReset, "INTERNAL_ERROR"},
        Fault{"reset_cancel", kCancelled, Cause::kReset, "CANCEL"},
        Fault{"goaway_refuse", kUnavailable, Cause::kGoAway, "NO_ERROR, maintenance"},
        Fault{"too_many_pings", kUnavailable, Cause::kGoAway, "ENHANCE_YOUR_CALM, too_many_pings"},
        Fault{"close_inside", kUnavailable, Cause::kReset, "closed the connection"},
        Fault{"reset_connection", kUnavailable, Cause::kReset, "reset"}),
    ::testing::PrintToStringParamName());

class RawPeerOnce : public RawPeer {};

TEST_F(RawPeerOnce, DrippedAnswerIsAnAnswer) {
  EXPECT_EQ(ask("/raw/drip").value(), "drip");
}

TEST_F(RawPeerOnce, ALargeRequestThatIsRefusedEarlyStops) {
  const auto answer = ask("/raw/reset_early", std::string(4U << 20U, 'x'));
  EXPECT_EQ(answer.error(), (Error{ErrorCode::kResourceExhausted, "too big", Cause::kNone}));
  EXPECT_EQ(ask("/raw/ok").value(), "hello");
}

TEST_F(RawPeerOnce, AnEndlessHeaderEndsTheConnectionAndTheNextOneWorks) {
  EXPECT_EQ(ask("/raw/endless_header").error().code, ErrorCode::kResourceExhausted);
  // The second may still go out on the connection that breaks.
  EXPECT_TRUE(ask("/raw/ok") || ask("/raw/ok"));
}

TEST_F(RawPeerOnce, ABlackHoleCostsTheDeadlineAndNoMore) {
  ASSERT_TRUE(ask("/raw/ok"));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask("/raw/kill_me", "", 200ms);
    EXPECT_EQ(answer.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(answer.error().cause, Cause::kTimeout);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  EXPECT_TRUE(connection_->up());
}

Task<int> cancelled_call(Connection& connection, Loop& loop) {
  asio::cancellation_signal signal;
  async::Event ended;
  bool aborted = false;
  const auto finish = [&](const std::exception_ptr& exception, const Result<std::string>&) {
    aborted = async::is_cancelled(exception);
    ended.set();
  };
  asio::co_spawn(loop, connection.unary(Call{"/raw/stall", "", in(10s), nullptr}),
                 asio::bind_cancellation_slot(signal.slot(), finish));
  co_await async::sleep_for(100ms);
  signal.emit(asio::cancellation_type::terminal);
  co_await ended.wait();
  co_return aborted ? 1 : 0;
}

TEST_F(RawPeerOnce, CancellingACallResetsItsStream) {
  EXPECT_EQ(run(cancelled_call(*connection_, loop_)), 1);
  EXPECT_EQ(stats()["reset CANCEL"], 1);
}

Task<int> dropped_stream(Connection& connection) {
  Call call{"/raw/stall", "", SteadyTime::max(), nullptr};
  auto stream = co_await connection.open(std::move(call), HalfClose::kYes);
  co_await async::sleep_for(100ms);  // the server has it
  co_return stream ? 1 : 0;
}

TEST_F(RawPeerOnce, DroppingAStreamResetsIt) {
  EXPECT_EQ(run(dropped_stream(*connection_)), 1);
  EXPECT_EQ(stats()["reset CANCEL"], 1);
}

Task<std::size_t> slow_reader(Connection& connection) {
  Call call{"/raw/flood", "256", in(20s), nullptr};
  auto stream = co_await connection.open(std::move(call), HalfClose::kYes);
  if (!stream) co_return 0;
  co_await async::sleep_for(300ms);
  Call stats{"/raw/stats", "", in(2s), nullptr};
  auto other = co_await connection.unary(std::move(stats));
  if (!other) co_return 1;
  const auto flooded = nlohmann::json::parse(*other)["flooded"].get<std::size_t>();
  if (flooded > (2U << 20U)) co_return 2;  // 16 MiB were ready; one window of 1 MiB may wait unread
  std::size_t bytes = 0;
  for (;;) {
    auto next = co_await (*stream)->next();
    if (!next || !*next) co_return bytes;
    bytes += (*next)->size();
  }
}

TEST_F(RawPeerOnce, AStreamThatIsNotReadHoldsTheServerBackAndNotTheOthers) {
  EXPECT_EQ(run(slow_reader(*connection_)), 256U * 65'536U);
}

TEST_F(RawPeer, TheConnectionIsKeptAcrossCalls) {
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(ask("/raw/ok"));
  EXPECT_EQ(stats()["connections"], 1);
}

// --- Ways to greet.

struct Greeting {
  const char* name;
  ErrorCode code;
  Cause cause;
  const char* message;
  friend std::ostream& operator<<(std::ostream& os, const Greeting& greeting) {
    return os << greeting.name;
  }
};

class Greets : public RpcPeer, public ::testing::WithParamInterface<Greeting> {};

TEST_P(Greets, IsTold) {
  const auto& greeting = GetParam();
  use("raw_h2_server.py", greeting.name);
  const auto answer = ask("/raw/ok", "", 1s);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, greeting.code) << answer.error().message;
  EXPECT_EQ(answer.error().cause, greeting.cause) << answer.error().message;
  EXPECT_THAT(answer.error().message, HasSubstr(greeting.message));
  EXPECT_FALSE(connection_->up());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Greets,
    ::testing::Values(
        Greeting{"silent", kDeadlineExceeded, Cause::kTimeout, "no HTTP/2 SETTINGS in time"},
        Greeting{"close", kUnavailable, Cause::kReset, "is it a TLS port?"},
        Greeting{"http1", kUnavailable, Cause::kProtocol, "speaks HTTP/1"},
        Greeting{"tls_alert", kUnavailable, Cause::kProtocol, "TLS alert"},
        Greeting{"garbage", kUnavailable, Cause::kProtocol, "no HTTP/2 SETTINGS"},
        Greeting{"settings_then_close", kUnavailable, Cause::kReset, "closed the connection"}),
    ::testing::PrintToStringParamName());

class RpcGreeting : public RpcPeer {};

TEST_F(RpcGreeting, CallsAboveTheLimitQueueAndAllSucceed) {
  use("raw_h2_server.py", "one_stream");
  std::vector<Task<Result<std::string>>> asked;
  for (int i = 0; i < 50; ++i)
    asked.push_back(connection_->unary(Call{"/raw/ok", std::to_string(i), in(5s), nullptr}));
  const auto answers = run(async::when_all(std::move(asked)));
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_EQ(answers[i].value_or("failed"), std::to_string(i));
}

TEST_F(RpcGreeting, ARequestLargerThanThePeersWindowIsSentInPieces) {
  use("raw_h2_server.py", "small_window");
  const std::string request(3'000, 'r');
  EXPECT_EQ(ask("/raw/ok", request).value(), request);
}

// --- The connection's life.

TEST_F(RpcGreeting, RefusedIsHeardAtOnceByAllWhoWait) {
  asio::ip::tcp::acceptor unused(loop_, {asio::ip::address_v4::loopback(), 0});
  const auto port = unused.local_endpoint().port();
  unused.close();
  use(port);
  const auto start = std::chrono::steady_clock::now();
  std::vector<Task<Result<std::string>>> asked;
  for (int i = 0; i < 10; ++i)
    asked.push_back(connection_->unary(Call{"/raw/ok", "", in(5s), nullptr}));
  const auto answers = run(async::when_all(std::move(asked)));
  for (const auto& answer : answers) {
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(answer.error().cause, Cause::kRefused);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 500ms);
}

Task<int> wait_for(const std::vector<LinkEvent>& events, async::Event& changed, std::size_t count) {
  const auto limit = in(5s);
  while (events.size() < count) {
    changed.reset();
    const bool more = co_await changed.wait_until(limit);
    if (!more) co_return 0;
  }
  co_return 1;
}

std::vector<What> kinds(const std::vector<LinkEvent>& events) {
  std::vector<What> kinds;
  for (const auto& event : events) kinds.push_back(event.what);
  return kinds;
}

TEST_F(RpcGreeting, AStartedConnectionTellsItsLifeAndComesBack) {
  use("raw_h2_server.py", "h2");
  std::vector<LinkEvent> events;
  async::Event changed;
  connection_->start([&](const LinkEvent& event) {
    events.push_back(event);
    changed.set();
  });
  ASSERT_EQ(run(wait_for(events, changed, 2)), 1);
  EXPECT_TRUE(connection_->up());
  EXPECT_FALSE(ask("/raw/close_inside"));
  ASSERT_EQ(run(wait_for(events, changed, 5)), 1);
  EXPECT_THAT(kinds(events), ElementsAre(What::kConnecting, What::kUp, What::kEnded,
                                         What::kConnecting, What::kUp));
  EXPECT_EQ(events[2].error.cause, Cause::kReset);

  connection_->reconnect();
  ASSERT_EQ(run(wait_for(events, changed, 8)), 1);
  EXPECT_THAT(kinds({events.begin() + 5, events.end()}),
              ElementsAre(What::kEnded, What::kConnecting, What::kUp));
  EXPECT_TRUE(ask("/raw/ok"));
}

TEST_F(RpcGreeting, TheFirstRedialIsAtOnceAndFailuresBackOff) {
  use("raw_h2_server.py", "h2");
  std::vector<LinkEvent> events;
  async::Event changed;
  connection_->start([&](const LinkEvent& event) {
    events.push_back(event);
    changed.set();
  });
  ASSERT_EQ(run(wait_for(events, changed, 2)), 1);
  kit::run(loop_, async::sleep_for(1100ms));  // it has stood firm
  ASSERT_TRUE(peer_->process().signal(9));
  ASSERT_EQ(run(wait_for(events, changed, 6)), 1);
  EXPECT_THAT(kinds({events.begin() + 2, events.begin() + 6}),
              ElementsAre(What::kEnded, What::kConnecting, What::kFailed, What::kConnecting));
  EXPECT_LT(events[4].at - events[2].at, 50ms);
  // The kernel may still complete a handshake for a listener that is about to go.
  EXPECT_THAT(events[4].error.cause, AnyOf(Cause::kRefused, Cause::kReset));
  kit::run(loop_, async::sleep_for(500ms));
  EXPECT_LT(events.size(), 60U);  // 20 to 100 ms apart, not a tight loop
}

TEST_F(RpcGreeting, ClosingFailsWhatIsUnderWayAndWhatComesLater) {
  use("raw_h2_server.py", "h2");
  ASSERT_TRUE(ask("/raw/ok"));
  std::optional<Result<std::string>> under_way;
  asio::co_spawn(loop_, connection_->unary(Call{"/raw/stall", "", in(10s), nullptr}),
                 [&](const std::exception_ptr&, Result<std::string> answer) {
                   under_way = std::move(answer);
                 });
  kit::run(loop_, async::sleep_for(50ms));
  EXPECT_FALSE(under_way);
  kit::run(loop_, connection_->close());
  ASSERT_TRUE(under_way);
  EXPECT_EQ(under_way->error().code, ErrorCode::kCancelled);
  EXPECT_EQ(ask("/raw/ok").error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace etcdmon::rpc
