// net/detail/socket_stream.hpp: what plain and TLS streams share: a connected non-blocking socket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "net/stream.hpp"

namespace etcdmon::net::detail {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// "127.0.0.1:2379", "[::1]:2379".
std::string to_string(const asio::ip::tcp::endpoint& endpoint);

/// Switches the socket to what every stream needs: non-blocking, TCP_NODELAY, TCP_USER_TIMEOUT.
/// Options that the kernel refuses are left out: a slower connection is better than none.
void prepare(Socket& socket);

/// Threads, Lifetime, Cancel: those of Stream.
class SocketStream : public Stream {
 public:
  SocketStream(Socket socket, const asio::ip::tcp::endpoint& peer)
      : socket_(std::move(socket)), descriptor_(socket_.native_handle()), peer_(peer) {}

  Task<> wait_readable() override { return wait(Socket::wait_read); }
  Task<> wait_writable() override { return wait(Socket::wait_write); }
  void close() override;
  int native_handle() const override { return descriptor_; }
  std::string peer_address() const override { return to_string(peer_); }

 protected:
  /// Level-triggered: ends at once where the socket is ready already.
  Task<> wait(Socket::wait_type type);
  bool is_open() const { return descriptor_ >= 0; }

 private:
  Socket socket_;
  int descriptor_;  // -1 once closed
  asio::ip::tcp::endpoint peer_;
};

class TcpStream final : public SocketStream {
 public:
  using SocketStream::SocketStream;

  IoResult try_read(std::span<std::byte> into) override;
  IoResult try_write(std::span<const std::byte> from) override;
  bool is_tls() const override { return false; }
  const std::vector<Certificate>& peer_certificates() const override;
};

}  // namespace etcdmon::net::detail
