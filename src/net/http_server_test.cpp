#include "net/http_server.hpp"

#include <array>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/event.hpp"
#include "async/when_all.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "net/testing/loop.hpp"

namespace etcdmon::net {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::in;
using ::testing::Not;
using testing::run;
using ::testing::SizeIs;
using ::testing::StartsWith;

HttpServerOptions local() {
  HttpServerOptions options;
  options.host = "127.0.0.1";
  options.port = 0;
  options.sweep_interval = 5ms;
  return options;
}

// Times that a test can wait for.
HttpServerOptions impatient() {
  auto options = local();
  options.header_timeout = 40ms;
  options.request_timeout = 80ms;
  options.idle_timeout = 40ms;
  options.write_timeout = 60ms;
  return options;
}

// Answers with what it was asked; "/big" and "/throw" are special, "/hold" waits.
struct Echo {
  async::Event release;
  async::Event asked;
  std::string last_remote;
  bool last_loopback = false;

  Task<Response> handle(const Request& request) {
    last_remote = request.remote;
    last_loopback = request.loopback;
    asked.set();
    Response response;
    response.content_type = "text/plain";
    if (request.path == "/throw") throw std::logic_error("on purpose");
    if (request.path == "/hold") co_await release.wait();
    if (request.path == "/big") {
      response.shared_body = std::make_shared<const std::string>(std::string(8U << 20U, 'x'));
    } else {
      response.body = request.method + " " + request.path + " " + request.body;
    }
    co_return response;
  }

  HttpServer::Handler handler() {
    return [this](const Request& request) { return handle(request); };
  }
};

class Server {
 public:
  explicit Server(HttpServerOptions options = local()) {
    auto server = HttpServer::listen(loop.get_executor(), std::move(options), echo.handler(), {});
    EXPECT_TRUE(server) << server.error().message;
    if (server) http = *std::move(server);
    http->start();
  }

  // Runs one client against the server, then stops the server.
  template <class T>
  T with(Task<T> client) {
    return run(loop, stopped_after(std::move(client)));
  }

  Task<std::unique_ptr<Stream>> connect() {
    Resolver resolver(loop.get_executor());
    ConnectOptions options{
        .endpoint = {.host = "127.0.0.1", .port = http->port()}, .tls = {}, .alpn = {}};
    auto stream = co_await Stream::connect(resolver, std::move(options), in(5s));
    EXPECT_TRUE(stream) << stream.error().message;
    co_return *std::move(stream);
  }

  Loop loop{1};
  Echo echo;
  std::unique_ptr<HttpServer> http;

 private:
  template <class T>
  Task<T> stopped_after(Task<T> client) {
    T value = co_await std::move(client);
    co_await http->stop(in(2s));
    co_return value;
  }
};

Task<> send(Stream& stream, std::string_view text) {
  const auto sent = co_await stream.write_all(std::as_bytes(std::span(text)));
  EXPECT_TRUE(sent) << sent.error().message;
}

// What the server says until it has said `enough`, or closes.
Task<std::string> hear(Stream& stream, std::string_view enough) {
  std::string heard;
  std::array<std::byte, 65536> buffer;
  while (enough.empty() || heard.find(enough) == std::string::npos) {
    const auto count = co_await stream.read_some(buffer);
    if (!count) co_return heard + "[" + count.error().message + "]";
    if (*count == 0) co_return heard + "[end]";
    heard.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  co_return heard;
}

Task<std::string> ask(Server& server, std::string request, std::string enough = {}) {
  const auto stream = co_await server.connect();
  co_await send(*stream, request);
  co_return co_await hear(*stream, enough);
}

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kGetAndClose = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Server server;
  const auto task = [](Server& s) -> Task<std::string> {
    const auto stream = co_await s.connect();
    co_await send(*stream, kGet);
    const auto first = co_await hear(*stream, "GET /a ");
    co_await send(*stream, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy");
    const auto second = co_await hear(*stream, "POST /b xy");
    co_return first + second;
  };
  const auto heard = server.with(task(server));
  EXPECT_THAT(heard, AllOf(StartsWith("HTTP/1.1 200 OK\r\nDate: "), EndsWith("\r\n\r\nPOST /b xy"),
                           Not(HasSubstr("Connection"))));
  EXPECT_THAT(server.echo.last_remote, StartsWith("127.0.0.1:"));
  EXPECT_TRUE(server.echo.last_loopback);
  EXPECT_EQ(server.http->counts().connections, 1U);
  EXPECT_EQ(server.http->counts().responses[2], 2U);
  EXPECT_EQ(server.http->counts().connections_open, 0U);
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
  Server server;
  std::string requests;
  for (int i = 0; i < 300; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  const auto heard = server.with(ask(server, requests + std::string(kGetAndClose)));
  std::size_t at = 0;
  for (int i = 0; i < 300; ++i) {
    at = heard.find("GET /" + std::to_string(i) + " ", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_THAT(heard, AllOf(HasSubstr("Connection: close\r\n\r\nGET /a "), EndsWith("[end]")));
}

TEST(HttpServer, HeadSaysWhatGetWouldWithoutTheBody) {
  Server server;
  const auto heard =
      server.with(ask(server, "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(heard, AllOf(HasSubstr("Content-Length: 8\r\n"), EndsWith("\r\n\r\n[end]")));
}

TEST(HttpServer, Http10ClosesUnlessAskedToKeep) {
  Server server;
  const auto heard = server.with(ask(server,
                                     "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                                     "GET /2 HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(heard, AllOf(HasSubstr("Connection: keep-alive\r\n\r\nGET /1 "),
                           EndsWith("Connection: close\r\n\r\nGET /2 [end]")));
}

TEST(HttpServer, LargeBodyArrivesWhole) {
  Server server;
  const auto heard =
      server.with(ask(server, "GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(heard, EndsWith("x[end]"));
  EXPECT_EQ(heard.size() - heard.find("\r\n\r\n") - 4 - 5, 8U << 20U);
}

TEST(HttpServer, SaysContinueToWhoWaitsForIt) {
  Server server;
  const auto task = [](Server& s) -> Task<std::string> {
    const auto stream = co_await s.connect();
    co_await send(*stream,
                  "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
                  "Connection: close\r\n\r\n");
    const auto first = co_await hear(*stream, "\r\n\r\n");
    co_await send(*stream, "xy");
    const auto second = co_await hear(*stream, {});
    co_return first + second;
  };
  EXPECT_THAT(
      server.with(task(server)),
      AllOf(StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), EndsWith("PUT /a xy[end]")));
}

TEST(HttpServer, RefusesWithAProblemDocumentAndCloses) {
  struct Case {
    std::string request;
    int status;
  };
  auto options = local();
  options.max_body = 100;
  for (const auto& [request, status] :
       {Case{"garbage\r\n\r\n", 400},
        Case{"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x'), 431},
        Case{"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n", 414},
        Case{"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" +
                 std::string(1'000'000, 'x'),
             413}}) {
    SCOPED_TRACE(status);
    Server server(options);
    const auto heard = server.with(ask(server, request, "[never]"));
    EXPECT_THAT(heard, AllOf(StartsWith("HTTP/1.1 " + std::to_string(status)),
                             HasSubstr("application/problem+json"),
                             HasSubstr("\"status\":" + std::to_string(status)),
                             HasSubstr("Connection: close"), EndsWith("[end]")));
  }
}

TEST(HttpServer, AnExceptionIsA500AndTheConnectionLivesOn) {
  Server server;
  const auto heard = server.with(
      ask(server, "GET /throw HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kGetAndClose)));
  EXPECT_THAT(heard, AllOf(StartsWith("HTTP/1.1 500 "), HasSubstr("request id 1"),
                           Not(HasSubstr("on purpose")), EndsWith("GET /a [end]")));
}

TEST(HttpServer, TooManyBodiesAtOnceAreRefused) {
  auto options = local();
  options.max_bodies = 1000;
  Server server(options);
  const auto heard =
      server.with(ask(server, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n" +
                                  std::string(2000, 'x')));
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 503 "));
}

TEST(HttpServer, TurnsConnectionsAwayBeyondTheLimit) {
  auto options = local();
  options.max_connections = 2;
  Server server(options);
  const auto task = [](Server& s) -> Task<std::string> {
    const auto first = co_await s.connect();
    const auto second = co_await s.connect();
    const auto third = co_await s.connect();
    const auto refused = co_await hear(*third, {});
    co_await send(*first, kGet);
    const auto served = co_await hear(*first, "GET /a ");
    co_return refused + served;
  };
  EXPECT_THAT(server.with(task(server)),
              AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"), HasSubstr("Retry-After: 1"),
                    HasSubstr("too many connections"), HasSubstr("[end]HTTP/1.1 200 OK")));
  EXPECT_EQ(server.http->counts().connections_refused, 1U);
}

TEST(HttpServer, ASlowHeaderIsEndedWith408) {
  Server server(impatient());
  const auto heard = server.with(ask(server, "GET /a HTTP/1.1\r\nHo"));
  EXPECT_THAT(heard, AllOf(StartsWith("HTTP/1.1 408 "), EndsWith("[end]")));
  EXPECT_EQ(server.http->counts().timeouts, 1U);
}

TEST(HttpServer, DrippingDoesNotExtendTheTime) {
  Server server(impatient());
  const auto task = [](Server& s) -> Task<std::string> {
    const auto stream = co_await s.connect();
    const auto begin = std::chrono::steady_clock::now();
    co_await send(*stream, "GET /a HTTP/1.1\r\n");
    std::string heard;
    std::array<std::byte, 4096> buffer;
    while (in(0ms) - begin < 5s) {
      const auto sent = co_await stream->write_all(std::as_bytes(std::span("X: y\r\n", 6)));
      if (!sent) break;
      Timer timer(s.loop.get_executor(), 2ms);
      co_await timer.async_wait(use_task);
      const auto result = stream->try_read(buffer);
      if (result.status == IoResult::Status::kEnd) break;
      if (result.status == IoResult::Status::kError) break;
      if (result.status == IoResult::Status::kOk) {
        heard.append(reinterpret_cast<const char*>(buffer.data()), result.bytes);
      }
    }
    co_return heard;
  };
  EXPECT_THAT(server.with(task(server)), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpServer, ASlowBodyIsEndedWith408) {
  Server server(impatient());
  const auto heard =
      server.with(ask(server, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabc"));
  EXPECT_THAT(heard, AllOf(StartsWith("HTTP/1.1 408 "), EndsWith("[end]")));
}

TEST(HttpServer, SilentAndIdleConnectionsAreClosedWithoutAWord) {
  Server server(impatient());
  EXPECT_EQ(server.with(ask(server, {})), "[end]");
  Server other(impatient());
  EXPECT_THAT(other.with(ask(other, std::string(kGet))), EndsWith("\r\n\r\nGET /a [end]"));
  EXPECT_EQ(other.http->counts().timeouts, 0U);
}

TEST(HttpServer, ALateAnswerIsA504) {
  Server server(impatient());
  const auto task = [](Server& s) -> Task<std::string> {
    const auto heard = co_await ask(s, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    s.echo.release.set();
    co_return heard;
  };
  EXPECT_THAT(server.with(task(server)), AllOf(StartsWith("HTTP/1.1 504 "), EndsWith("[end]")));
}

TEST(HttpServer, AClientThatDoesNotReadIsDropped) {
  Server server(impatient());
  const auto task = [](Server& s) -> Task<int> {
    const auto stream = co_await s.connect();
    co_await send(*stream, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    while (s.http->counts().timeouts == 0) {
      Timer timer(s.loop.get_executor(), 2ms);
      co_await timer.async_wait(use_task);
    }
    co_return static_cast<int>(s.http->counts().timeouts);
  };
  EXPECT_EQ(server.with(task(server)), 1);
}

TEST(HttpServer, StopLetsARequestFinishAndClosesTheRest) {
  Server server;
  const auto task = [](Server& s) -> Task<std::string> {
    const auto idle = co_await s.connect();
    co_await send(*idle, kGet);
    co_await hear(*idle, "GET /a ");
    s.echo.asked.reset();
    const auto busy = co_await s.connect();
    co_await send(*busy, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    co_await s.echo.asked.wait();

    std::vector<Task<Result<void>>> both;
    const auto stop = [](Server& server_) -> Task<Result<void>> {
      co_await server_.http->stop(in(5s));
      co_return Result<void>{};
    };
    const auto release = [](Server& server_, Stream& quiet) -> Task<Result<void>> {
      const auto heard = co_await hear(quiet, {});
      EXPECT_EQ(heard, "[end]") << "an idle connection is closed at once";
      server_.echo.release.set();
      co_return Result<void>{};
    };
    both.push_back(stop(s));
    both.push_back(release(s, *idle));
    co_await async::when_all(std::move(both));
    co_return co_await hear(*busy, {});
  };
  EXPECT_THAT(server.with(task(server)),
              AllOf(HasSubstr("Connection: close"), EndsWith("GET /hold [end]")));
}

TEST(HttpServer, StopEndsAtItsDeadlineWhateverHangs) {
  Server server;
  const auto task = [](Server& s) -> Task<std::string> {
    const auto busy = co_await s.connect();
    co_await send(*busy, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    co_await s.echo.asked.wait();
    co_await s.http->stop(in(20ms));
    co_return co_await hear(*busy, {});
  };
  EXPECT_EQ(server.with(task(server)), "[end]");
}

TEST(HttpServer, ListensOnIpv6AndOnBothAtOnce) {
  for (const std::string host : {"::1", "[::1]", "", "localhost"}) {
    SCOPED_TRACE(host);
    Loop loop{1};
    auto options = local();
    options.host = host;
    Echo echo;
    const auto server = HttpServer::listen(loop.get_executor(), options, echo.handler(), {});
    ASSERT_TRUE(server) << server.error().message;
    EXPECT_NE((*server)->port(), 0);
    EXPECT_THAT((*server)->address(), EndsWith(":" + std::to_string((*server)->port())));
  }
}

TEST(HttpServer, SaysWhyItCannotListen) {
  Loop loop{1};
  Echo echo;
  const auto first = HttpServer::listen(loop.get_executor(), local(), echo.handler(), {});
  ASSERT_TRUE(first);
  auto options = local();
  options.port = (*first)->port();
  const auto second = HttpServer::listen(loop.get_executor(), options, echo.handler(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(second.error().message,
            "listen on " + (*first)->address() + ": Address already in use");

  options.host = "203.0.113.1";
  EXPECT_EQ(HttpServer::listen(loop.get_executor(), options, echo.handler(), {}).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace etcdmon::net
