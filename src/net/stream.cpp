#include "net/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/assert.hpp"
#include "net/detail/socket_error.hpp"
#include "net/detail/socket_stream.hpp"
#include "net/detail/tls_stream.hpp"
#include "net/detail/watchdog.hpp"

namespace etcdmon::net {

namespace {

using asio::ip::tcp;
using detail::Socket;

// Below this an attempt at one of several addresses would fail on a healthy but distant host.
constexpr std::chrono::milliseconds kShortestAttempt{250};

// Each address gets its share of the time that is left, so that one black hole does not keep us
// from the others.
Deadline share_of(Deadline deadline, std::size_t addresses_left) {
  const auto now = std::chrono::steady_clock::now();
  if (addresses_left <= 1 || deadline <= now) return deadline;
  const Duration share = (deadline - now) / static_cast<std::int64_t>(addresses_left);
  return std::min(deadline, now + std::max<Duration>(share, kShortestAttempt));
}

// How much an error tells about the server, when several addresses failed in different ways.
int weight_of(Cause cause) {
  switch (cause) {
    case Cause::kReset:
      return 4;
    case Cause::kRefused:
      return 3;
    case Cause::kTimeout:
      return 2;
    case Cause::kUnreachable:
      return 1;
    default:
      return 0;
  }
}

// "connect etcd-1.example:2379 (10.0.0.5:2379)", or without the second part where it says the same.
std::string describe(const Endpoint& endpoint, const tcp::endpoint& address) {
  const auto authority = endpoint.authority();
  const auto numeric = detail::to_string(address);
  if (authority == numeric) return "connect " + numeric;
  return fmt::format("connect {} ({})", authority, numeric);
}

// A socket that has waited to become writable, as connecting does, is told so anew at each later
// wait. Registered afresh, it is not: half of the wake-ups of a connection's life.
Result<Socket> registered_afresh(Socket socket, const tcp::endpoint& peer,
                                 const std::string& doing) {
  boost::system::error_code failure;
  const int descriptor = socket.release(failure);
  if (failure) return detail::socket_error(doing, failure.value());
  Socket fresh(socket.get_executor());
  fresh.assign(peer.protocol(), descriptor, failure);
  if (failure) {
    ::close(descriptor);
    return detail::socket_error(doing, failure.value());
  }
  boost::system::error_code ignored;
  fresh.non_blocking(true, ignored);
  return fresh;
}

Task<Result<Socket>> dial(tcp::endpoint address, std::string doing, Deadline deadline) {
  Socket socket(co_await asio::this_coro::executor);
  boost::system::error_code failure;
  socket.open(address.protocol(), failure);
  if (failure) co_return detail::socket_error(doing, failure.value());
  detail::prepare(socket);

  detail::Watchdog watchdog(socket.get_executor(), [&socket] {
    boost::system::error_code ignored;
    socket.cancel(ignored);
  });
  watchdog.arm(deadline);
  const auto [error] = co_await socket.async_connect(address, as_result);
  if (!error) co_return registered_afresh(std::move(socket), address, doing);
  if (watchdog.fired()) co_return detail::timeout_error(doing, "no answer in time");
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return detail::socket_error(doing, error.value());
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> Stream::connect(Resolver& resolver, ConnectOptions options,
                                                      Deadline deadline) {
  const Endpoint& endpoint = options.endpoint;
  ETCDMON_ASSERT(!endpoint.tls || options.tls != nullptr);
  auto addresses = co_await resolver.resolve(endpoint.host, endpoint.port, deadline);
  if (!addresses) {
    co_return with_context(std::move(addresses).error(), "connect " + endpoint.authority());
  }

  Error worst{ErrorCode::kUnavailable, "", Cause::kNone};
  std::size_t left = addresses->size();
  for (const auto& address : *addresses) {
    const auto doing = describe(endpoint, address);
    auto socket = co_await dial(address, doing, share_of(deadline, left--));
    if (socket && endpoint.tls) {
      co_return co_await detail::start_tls(*std::move(socket), address, options, doing, deadline);
    }
    if (socket) {
      co_return std::unique_ptr<Stream>(
          std::make_unique<detail::TcpStream>(*std::move(socket), address));
    }
    if (worst.cause == Cause::kNone || weight_of(socket.error().cause) > weight_of(worst.cause)) {
      worst = std::move(socket).error();
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  co_return worst;
}

std::unique_ptr<Stream> Stream::adopt(Socket socket) {
  detail::prepare(socket);
  boost::system::error_code ignored;
  const auto peer = socket.remote_endpoint(ignored);
  return std::make_unique<detail::TcpStream>(std::move(socket), peer);
}

Task<Result<std::size_t>> Stream::read_some(std::span<std::byte> into) {
  for (;;) {
    auto result = try_read(into);
    switch (result.status) {
      case IoResult::Status::kOk:
        co_return result.bytes;
      case IoResult::Status::kEnd:
        co_return std::size_t{0};
      case IoResult::Status::kError:
        co_return std::move(result.error);
      case IoResult::Status::kWouldBlock:
        break;
    }
    co_await wait_readable();
  }
}

Task<Result<void>> Stream::write_all(std::span<const std::byte> from) {
  while (!from.empty()) {
    auto result = try_write(from);
    switch (result.status) {
      case IoResult::Status::kOk:
        from = from.subspan(result.bytes);
        continue;
      case IoResult::Status::kEnd:
        co_return detail::socket_error("write to " + peer_address(), EPIPE);
      case IoResult::Status::kError:
        co_return std::move(result.error);
      case IoResult::Status::kWouldBlock:
        break;
    }
    co_await wait_writable();
  }
  co_return Result<void>{};
}

}  // namespace etcdmon::net
