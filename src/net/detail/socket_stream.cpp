#include "net/detail/socket_stream.hpp"

#include <cerrno>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/assert.hpp"
#include "net/detail/socket_error.hpp"

namespace etcdmon::net::detail {

namespace {

// Sent data that nobody acknowledges for this long ends the connection, so that the death of a
// host is noticed although its kernel sends nothing.
constexpr std::chrono::milliseconds kUserTimeout{20'000};

bool would_block(int error_number) {
  return error_number == EAGAIN || error_number == EWOULDBLOCK;
}

}  // namespace

std::string to_string(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) return fmt::format("[{}]:{}", address, endpoint.port());
  return fmt::format("{}:{}", address, endpoint.port());
}

void prepare(Socket& socket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto timeout = static_cast<unsigned>(kUserTimeout.count());
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

Task<> SocketStream::wait(Socket::wait_type type) {
  if (!is_open()) co_return;
  const auto [error] = co_await socket_.async_wait(type, as_result);
  if (!error) co_return;
  // close() ends the wait too; only the coroutine's own state tells that from being cancelled.
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
}

void SocketStream::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  descriptor_ = -1;
}

IoResult TcpStream::try_read(std::span<std::byte> into) {
  ETCDMON_ASSERT(!into.empty());
  if (!is_open()) return {IoResult::Status::kEnd, 0, {}};
  for (;;) {
    const auto count = ::recv(native_handle(), into.data(), into.size(), 0);
    if (count > 0) return {IoResult::Status::kOk, static_cast<std::size_t>(count), {}};
    if (count == 0) return {IoResult::Status::kEnd, 0, {}};
    if (errno == EINTR) continue;
    if (would_block(errno)) return {IoResult::Status::kWouldBlock, 0, {}};
    return {IoResult::Status::kError, 0, socket_error("read from " + peer_address(), errno)};
  }
}

IoResult TcpStream::try_write(std::span<const std::byte> from) {
  ETCDMON_ASSERT(!from.empty());
  if (!is_open()) {
    return {IoResult::Status::kError, 0, socket_error("write to " + peer_address(), EPIPE)};
  }
  for (;;) {
    const auto count = ::send(native_handle(), from.data(), from.size(), MSG_NOSIGNAL);
    if (count >= 0) return {IoResult::Status::kOk, static_cast<std::size_t>(count), {}};
    if (errno == EINTR) continue;
    if (would_block(errno)) return {IoResult::Status::kWouldBlock, 0, {}};
    return {IoResult::Status::kError, 0, socket_error("write to " + peer_address(), errno)};
  }
}

const std::vector<Certificate>& TcpStream::peer_certificates() const {
  static const std::vector<Certificate> kNone;
  return kNone;
}

}  // namespace etcdmon::net::detail
