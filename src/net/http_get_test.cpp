#include "net/http_get.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "net/testing/loop.hpp"
#include "net/testing/tls_peer.hpp"

namespace etcdmon::net {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::in;
using testing::run;

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct GoodUrl {
  const char* text;
  Endpoint endpoint;
  const char* target;
};

TEST(ParseHttpUrl, SplitsEndpointAndTarget) {
  const std::vector<GoodUrl> urls = {
      {"http://127.0.0.1:2381/metrics", {false, "127.0.0.1", 2381, true}, "/metrics"},
      {"https://etcd-1.example/metrics", {true, "etcd-1.example", 443, true}, "/metrics"},
      {"http://etcd", {false, "etcd", 80, true}, "/"},
      {"http://[::1]:1/a?b=c/d", {false, "::1", 1, true}, "/a?b=c/d"},
      {"http://etcd?x=y", {false, "etcd", 80, true}, "/?x=y"},
  };
  for (const auto& url : urls) {
    SCOPED_TRACE(url.text);
    const auto parsed = parse_http_url(url.text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->endpoint, url.endpoint);
    EXPECT_EQ(parsed->target, url.target);
  }
}

TEST(ParseHttpUrl, RefusesWhatItCannotFetch) {
  for (const auto* text :
       {"etcd:2379/metrics", "ftp://etcd/", "http://", "http:///metrics", "http://u:hunter2@etcd/",
        "http://etcd/#top", "http://etcd/a b", "http://etcd/\r\nX: y", "http://etcd:0/"}) {
    SCOPED_TRACE(text);
    const auto parsed = parse_http_url(text);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, ::testing::Not(HasSubstr("hunter2")));
  }
}

// What a scripted server does with one request.
struct Reply {
  std::string text;
  bool close = false;     ///< afterwards
  std::size_t piece = 0;  ///< not 0: written in pieces of this size, the loop turning in between
  bool hold = false;      ///< then nothing more, the connection stays open
};

std::string page(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

class Server {
 public:
  Server(Loop& loop, std::vector<Reply> replies)
      : acceptor_(loop.get_executor(), {asio::ip::make_address("127.0.0.1"), 0}),
        replies_(std::move(replies)) {}

  HttpUrl url() const {
    return {.endpoint = {.host = "127.0.0.1", .port = acceptor_.local_endpoint().port()},
            .target = "/metrics?token=hunter2"};
  }
  int connections() const { return connections_; }
  const std::string& request() const { return request_; }

  Task<> run() {
    std::size_t next = 0;
    while (next < replies_.size()) {
      auto socket = co_await acceptor_.async_accept(use_task);
      ++connections_;
      const auto stream = Stream::adopt(std::move(socket));
      bool open = true;
      while (open && next < replies_.size()) {
        const bool asked = co_await read_request(*stream);
        if (!asked) break;
        const Reply& reply = replies_[next++];
        co_await answer(*stream, reply);
        open = !reply.close;
      }
    }
  }

 private:
  Task<bool> read_request(Stream& stream) {
    request_.clear();
    std::array<std::byte, 4096> buffer;
    while (!request_.ends_with("\r\n\r\n")) {
      const auto count = co_await stream.read_some(buffer);
      if (!count || *count == 0) co_return false;
      request_.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
    co_return true;
  }

  Task<> answer(Stream& stream, const Reply& reply) {
    std::string_view rest = reply.text;
    while (!rest.empty()) {
      const auto piece = rest.substr(0, reply.piece == 0 ? rest.size() : reply.piece);
      const auto sent = co_await stream.write_all(bytes_of(piece));
      if (!sent) co_return;
      rest.remove_prefix(piece.size());
      co_await async::yield();
    }
    if (reply.hold) co_await async::sleep_for(1h);
  }

  Acceptor acceptor_;
  std::vector<Reply> replies_;
  std::string request_;
  int connections_ = 0;
};

struct Fetched {
  std::vector<std::string> answers;
  int connections = 0;
  std::string request;
};

std::string in_words(const Result<HttpGet::Answer>& answer) {
  if (!answer) return fmt::format("{}: {}", name_of(answer.error().cause), answer.error().message);
  return fmt::format("{} {}", answer->status, answer->body);
}

// Gets the page `times` times from a server that follows its script.
Task<Fetched> fetch(Loop& loop, std::vector<Reply> replies, int times,
                    std::chrono::milliseconds wait = 5s, Bytes max_body = {1U << 20U}) {
  Server server(loop, std::move(replies));
  Resolver resolver(loop.get_executor());
  HttpGet client(resolver, {.url = server.url(), .max_body = max_body});
  async::TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("server", server.run());
  Fetched fetched;
  for (int i = 0; i < times; ++i) {
    const auto answer = co_await client.get(in(wait));
    fetched.answers.push_back(in_words(answer));
    co_await async::yield();
    co_await async::yield();
  }
  fetched.connections = server.connections();
  fetched.request = server.request();
  co_await scope.close();
  co_return fetched;
}

TEST(HttpGet, KeepsItsConnection) {
  Loop loop;
  const auto fetched = run(loop, fetch(loop, {{page("one")}, {page("two")}, {page("")}}, 3));
  EXPECT_THAT(fetched.answers, ElementsAre("200 one", "200 two", "200 "));
  EXPECT_EQ(fetched.connections, 1);
}

TEST(HttpGet, AsksForWhatItUnderstands) {
  Loop loop;
  const auto request = run(loop, fetch(loop, {{page("x")}}, 1)).request;
  EXPECT_THAT(request, ::testing::StartsWith("GET /metrics?token=hunter2 HTTP/1.1\r\nHost: 127."));
  EXPECT_THAT(request, HasSubstr("\r\nAccept-Encoding: identity\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nUser-Agent: etcd-monitor\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nAccept: text/plain;version=0.0.4\r\n"));
}

TEST(HttpGet, AnyStatusIsAnAnswer) {
  Loop loop;
  const auto fetched = run(
      loop,
      fetch(loop, {{"HTTP/1.1 503 No\r\nConnection: close\r\n\r\nsick", true}, {page("ok")}}, 2));
  EXPECT_THAT(fetched.answers, ElementsAre("503 sick", "200 ok"));
  EXPECT_EQ(fetched.connections, 2);
}

TEST(HttpGet, AStaleConnectionIsReplacedAtOnce) {
  Loop loop;
  const auto fetched = run(loop, fetch(loop, {{page("one"), true}, {page("two")}}, 2));
  EXPECT_THAT(fetched.answers, ElementsAre("200 one", "200 two"));
  EXPECT_EQ(fetched.connections, 2);
}

// The end comes when the request is out already: seen by reading, not before asking.
TEST(HttpGet, AConnectionThatEndsUnderTheRequestIsReplacedOnce) {
  Loop loop;
  const auto fetched =
      run(loop, fetch(loop, {{page("one")}, {"", true}, {page("two")}, {"", true}, {"", true}}, 3));
  EXPECT_THAT(fetched.answers[0], "200 one");
  EXPECT_THAT(fetched.answers[1], "200 two");
  EXPECT_THAT(fetched.answers[2], HasSubstr("reset: GET http://127.0.0.1"));
  EXPECT_THAT(fetched.answers[2],
              HasSubstr("ended the connection without an answer (does it expect https?)"));
}

TEST(HttpGet, AnAnswerThatBreaksOffIsNotAskedAgain) {
  Loop loop;
  const auto fetched = run(
      loop,
      fetch(loop, {{page("one")}, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", true}}, 2));
  EXPECT_THAT(fetched.answers[1], HasSubstr("reset: GET"));
  EXPECT_THAT(fetched.answers[1], HasSubstr("in the middle of its answer"));
  EXPECT_THAT(fetched.answers[1], ::testing::Not(HasSubstr("hunter2")));
}

TEST(HttpGet, UnaskedBytesAreNotAnAnswer) {
  Loop loop;
  const auto timeout = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
  const auto fetched = run(loop, fetch(loop, {{page("one") + timeout}, {page("two")}}, 2));
  EXPECT_THAT(fetched.answers[0], HasSubstr("more than one answer"));
  EXPECT_EQ(fetched.answers[1], "200 two");
  EXPECT_EQ(fetched.connections, 2);
}

TEST(HttpGet, ADripEndsAtTheDeadline) {
  Loop loop;
  const auto fetched = run(
      loop,
      fetch(loop, {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", false, 1, true}}, 1, 60ms));
  EXPECT_THAT(fetched.answers[0], HasSubstr("timeout: GET http://127.0.0.1"));
  EXPECT_THAT(fetched.answers[0], HasSubstr("only 41 bytes of it"));
}

TEST(HttpGet, AHugeBodyIsRefused) {
  Loop loop;
  const std::string huge = page(std::string(3U << 20U, 'x'));
  const auto fetched = run(loop, fetch(loop, {{huge}, {page("ok")}}, 2));
  EXPECT_THAT(fetched.answers[0], HasSubstr("larger than 1048576 bytes"));
  EXPECT_EQ(fetched.answers[1], "200 ok");
}

std::string chunked_page(std::size_t chunks) {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < chunks; ++i) text += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  return text + "0\r\n\r\n";
}

// The page grows and shrinks against what the low-water mark expects.
TEST(HttpGet, SizesMayChange) {
  Loop loop;
  std::vector<Reply> replies;
  std::vector<std::string> want;
  for (const std::size_t chunks : {40, 40, 60, 3, 40, 39}) {
    replies.push_back({.text = chunked_page(chunks), .piece = 5000});
    want.push_back("200 " + std::string(chunks * 4096, 'x'));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto fetched = run(loop, fetch(loop, replies, 6));
  EXPECT_TRUE(fetched.answers == want);
  EXPECT_EQ(fetched.connections, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(HttpGet, RefusedSaysSo) {
  Loop loop;
  std::optional<HttpUrl> url;
  {
    const Server gone(loop, {});
    url = gone.url();
  }
  Resolver resolver(loop.get_executor());
  HttpGet client(resolver, {.url = *url});
  const auto answer = run(loop, client.get(in(5s)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().cause, Cause::kRefused);
}

Task<> get_into(HttpGet& client, std::string& told) {
  const auto answer = co_await client.get(in(5s));
  told = in_words(answer);
}

Task<std::string> cancel_and_get_again(Loop& loop) {
  Server server(loop, {{"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"}, {page("fresh")}});
  Resolver resolver(loop.get_executor());
  HttpGet client(resolver, {.url = server.url()});
  async::TaskScope servers(loop.get_executor(), Logger{});
  servers.spawn("server", server.run());
  std::string told;
  {
    async::TaskScope getters(loop.get_executor(), Logger{});
    getters.spawn("get", get_into(client, told));
    for (int i = 0; i < 20; ++i) co_await async::yield();
    co_await getters.close();
  }
  const auto answer = co_await client.get(in(5s));
  co_await servers.close();
  co_return told + in_words(answer);
}

TEST(HttpGet, ACancelledGetLeavesNothingBehind) {
  Loop loop;
  EXPECT_EQ(run(loop, cancel_and_get_again(loop)), "200 fresh");
}

Task<std::vector<std::string>> hold_answers(Loop& loop) {
  Server server(loop, {{page("one")}, {page("two")}});
  Resolver resolver(loop.get_executor());
  HttpGet client(resolver, {.url = server.url()});
  async::TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("server", server.run());
  const auto first = co_await client.get(in(5s));
  client.close();
  const auto second = co_await client.get(in(5s));
  co_await scope.close();
  co_return std::vector{in_words(first), in_words(second), std::to_string(server.connections())};
}

TEST(HttpGet, AnAnswerOutlivesTheNextGet) {
  Loop loop;
  EXPECT_THAT(run(loop, hold_answers(loop)), ElementsAre("200 one", "200 two", "2"));
}

Task<Fetched> fetch_by_tls(Loop& loop, HttpGetOptions options, int times) {
  Resolver resolver(loop.get_executor());
  HttpGet client(resolver, std::move(options));
  Fetched fetched;
  for (int i = 0; i < times; ++i) {
    const auto answer = co_await client.get(in(5s));
    fetched.answers.push_back(in_words(answer));
  }
  EXPECT_EQ(client.peer_certificates().size(), 1U);
  co_return fetched;
}

TEST(HttpGet, SpeaksTls) {
  Loop loop;
  const testing::TempFolder folder;
  const testing::Authority authority("CA");
  std::vector<std::string> replies;
  std::vector<std::string> want;
  for (const std::size_t chunks : {40, 40, 60, 3, 40}) {
    replies.push_back(chunked_page(chunks));
    want.push_back("200 " + std::string(chunks * 4096, 'x'));
  }
  const testing::TlsPeer peer({.identity = authority.issue(), .replies = replies});
  auto tls = TlsContext::client({.ca_file = folder.write("ca.pem", authority.pem())});
  ASSERT_TRUE(tls);
  HttpGetOptions options{
      .url = {.endpoint = {.tls = true, .host = "127.0.0.1", .port = peer.port()}}, .tls = *tls};
  EXPECT_TRUE(run(loop, fetch_by_tls(loop, std::move(options), 5)).answers == want);
  EXPECT_EQ(peer.handshakes(), 1);
}

// The certificate is shown although it is refused.
TEST(HttpGet, KnowsARefusedCertificate) {
  Loop loop;
  const testing::TempFolder folder;
  const testing::Authority authority("CA");
  const testing::TlsPeer peer({.identity = authority.issue({.begins = -48h, .ends = -24h})});
  auto tls = TlsContext::client({.ca_file = folder.write("ca.pem", authority.pem())});
  ASSERT_TRUE(tls);
  HttpGetOptions options{
      .url = {.endpoint = {.tls = true, .host = "127.0.0.1", .port = peer.port()}}, .tls = *tls};
  const auto fetched = run(loop, fetch_by_tls(loop, std::move(options), 1));
  EXPECT_THAT(fetched.answers[0], ::testing::StartsWith("tls: connect 127.0.0.1:"));
}

}  // namespace
}  // namespace etcdmon::net
