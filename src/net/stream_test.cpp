#include "net/stream.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "async/when_all.hpp"
#include "net/testing/loop.hpp"

namespace etcdmon::net {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using testing::in;
using testing::run;

constexpr std::string_view kLocal = "127.0.0.1";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

tcp::endpoint any_port(std::string_view address) {
  return {asio::ip::make_address(address), 0};
}

ConnectOptions to(std::string_view host, std::uint16_t port) {
  return {.endpoint = {.host = std::string(host), .port = port}, .tls = {}, .alpn = {}};
}

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

// Two ends of one connection.
Task<Pair> connect_pair(Loop& loop, std::string_view address) {
  Resolver resolver(loop.get_executor());
  Acceptor acceptor(loop.get_executor(), any_port(address));
  auto client =
      co_await Stream::connect(resolver, to(address, acceptor.local_endpoint().port()), in(5s));
  EXPECT_TRUE(client) << client.error().message;
  Socket socket = co_await acceptor.async_accept(use_task);
  co_return Pair{client ? *std::move(client) : nullptr, Stream::adopt(std::move(socket))};
}

Task<std::string> read_to_end(Stream& stream) {
  std::string text;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const auto count = co_await stream.read_some(buffer);
    if (!count) co_return "error: " + count.error().message;
    if (*count == 0) co_return text;
    text.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
}

Task<std::string> send_all(Stream& stream, std::string text) {
  const auto sent = co_await stream.write_all(bytes_of(text));
  stream.close();
  co_return sent ? std::string("sent") : sent.error().message;
}

Task<std::vector<std::string>> transfer(Loop& loop, std::string_view address, std::string text) {
  auto pair = co_await connect_pair(loop, address);
  std::vector<Task<std::string>> both;
  both.push_back(send_all(*pair.client, std::move(text)));
  both.push_back(read_to_end(*pair.server));
  co_return co_await async::when_all(std::move(both));
}

TEST(Stream, MovesMoreThanTheKernelBuffers) {
  Loop loop;
  std::string text(8U << 20U, 'x');
  text[12345] = 'y';
  const auto ends = run(loop, transfer(loop, kLocal, text));
  EXPECT_EQ(ends[0], "sent");
  EXPECT_TRUE(ends[1] == text);
}

TEST(Stream, SpeaksIpv6) {
  Loop loop;
  EXPECT_EQ(run(loop, transfer(loop, "::1", "hello"))[1], "hello");
}

Task<std::string> peer_of(Loop& loop) {
  const auto pair = co_await connect_pair(loop, "::1");
  EXPECT_FALSE(pair.client->is_tls());
  EXPECT_TRUE(pair.client->peer_certificates().empty());
  EXPECT_GE(pair.client->native_handle(), 0);
  co_return pair.client->peer_address();
}

TEST(Stream, NamesItsPeer) {
  Loop loop;
  EXPECT_THAT(run(loop, peer_of(loop)), ::testing::StartsWith("[::1]:"));
}

Task<Error> connect_fails(Loop& loop, ConnectOptions options, std::chrono::milliseconds wait) {
  Resolver resolver(loop.get_executor());
  const auto stream = co_await Stream::connect(resolver, std::move(options), in(wait));
  co_return stream ? Error{} : stream.error();
}

std::uint16_t unused_port(Loop& loop) {
  const Acceptor acceptor(loop.get_executor(), any_port(kLocal));
  return acceptor.local_endpoint().port();
}

TEST(Stream, RefusedSaysSo) {
  Loop loop;
  const auto port = unused_port(loop);
  const auto error = run(loop, connect_fails(loop, to(kLocal, port), 5s));
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(error.cause, Cause::kRefused);
  EXPECT_EQ(error.message, fmt::format("connect 127.0.0.1:{}: connection refused", port));
}

TEST(Stream, RefusedByNameTellsTheAddress) {
  Loop loop;
  const auto port = unused_port(loop);
  const auto error = run(loop, connect_fails(loop, to("localhost", port), 5s));
  EXPECT_EQ(error.cause, Cause::kRefused);
  EXPECT_THAT(error.message, ::testing::StartsWith(fmt::format("connect localhost:{} (", port)));
}

// A listener whose queue is full drops what comes: a black hole on loopback.
class BlackHole {
 public:
  explicit BlackHole(Loop& loop) : acceptor_(loop) {
    acceptor_.open(tcp::v4());
    acceptor_.bind(any_port(kLocal));
    acceptor_.listen(0);
    for (int i = 0; i < 3; ++i) {
      fillers_.emplace_back(loop);
      fillers_.back().open(tcp::v4());
      fillers_.back().non_blocking(true);
      // Not Asio's connect(), which waits for the answer that never comes.
      const auto target = acceptor_.local_endpoint();
      ::connect(fillers_.back().native_handle(), target.data(),
                static_cast<socklen_t>(target.size()));
    }
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  Acceptor acceptor_;
  std::vector<Socket> fillers_;
};

TEST(Stream, ABlackHoleEndsAtTheDeadline) {
  Loop loop;
  const BlackHole hole(loop);
  const auto start = std::chrono::steady_clock::now();
  const auto error = run(loop, connect_fails(loop, to(kLocal, hole.port()), 50ms));
  EXPECT_EQ(error.code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(error.cause, Cause::kTimeout);
  EXPECT_EQ(error.message, fmt::format("connect 127.0.0.1:{}: no answer in time", hole.port()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

Task<> connect_for_ever(Loop& loop, std::uint16_t port, bool& cancelled) {
  Resolver resolver(loop.get_executor());
  try {
    const auto stream = co_await Stream::connect(resolver, to(kLocal, port), SteadyTime::max());
    EXPECT_FALSE(stream);
  } catch (const boost::system::system_error& error) {
    cancelled = error.code() == asio::error::operation_aborted;
    throw;
  }
}

Task<bool> cancel_connect(Loop& loop) {
  const BlackHole hole(loop);
  bool cancelled = false;
  async::TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("connect", connect_for_ever(loop, hole.port(), cancelled));
  co_await async::yield();
  co_await async::yield();
  co_await scope.close();
  co_return cancelled;
}

TEST(Stream, ConnectCanBeCancelled) {
  Loop loop;
  EXPECT_TRUE(run(loop, cancel_connect(loop)));
}

Task<> read_until_woken(Stream& stream, std::string& how) {
  try {
    how = co_await read_to_end(stream);
    how += "ended";
  } catch (const boost::system::system_error& error) {
    how = "cancelled";
    throw;
  }
}

Task<std::vector<std::string>> wake_readers(Loop& loop) {
  auto pair = co_await connect_pair(loop, kLocal);
  std::vector<std::string> how(2);
  {
    async::TaskScope scope(loop.get_executor(), Logger{});
    scope.spawn("reader", read_until_woken(*pair.client, how[0]));
    co_await async::yield();
    co_await scope.close();
  }
  async::TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("reader", read_until_woken(*pair.client, how[1]));
  co_await async::yield();
  pair.client->close();
  pair.client->close();
  co_await async::yield();
  co_await async::yield();
  co_await scope.close();
  co_return how;
}

TEST(Stream, WaitsEndByCancellationAndByClose) {
  Loop loop;
  EXPECT_THAT(run(loop, wake_readers(loop)), ::testing::ElementsAre("cancelled", "ended"));
}

Task<Error> write_to_the_dead(Loop& loop) {
  auto pair = co_await connect_pair(loop, kLocal);
  pair.server.reset();
  const std::string text(64U << 10U, 'x');
  for (int i = 0; i < 1000; ++i) {
    const auto sent = co_await pair.client->write_all(bytes_of(text));
    if (!sent) co_return sent.error();
  }
  co_return Error{};
}

// Without MSG_NOSIGNAL this would end the process.
TEST(Stream, WritingToAClosedPeerIsAReset) {
  Loop loop;
  EXPECT_EQ(run(loop, write_to_the_dead(loop)).cause, Cause::kReset);
}

Task<std::string> use_after_close(Loop& loop) {
  auto pair = co_await connect_pair(loop, kLocal);
  pair.client->close();
  EXPECT_EQ(pair.client->native_handle(), -1);
  const auto sent = co_await pair.client->write_all(bytes_of("x"));
  EXPECT_FALSE(sent);
  co_return co_await read_to_end(*pair.client);
}

TEST(Stream, AClosedStreamIsAtItsEnd) {
  Loop loop;
  EXPECT_EQ(run(loop, use_after_close(loop)), "");
}

}  // namespace
}  // namespace etcdmon::net
