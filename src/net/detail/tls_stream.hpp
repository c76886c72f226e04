// net/detail/tls_stream.hpp: TLS by OpenSSL straight on the non-blocking socket.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/detail/openssl.hpp"
#include "net/detail/socket_stream.hpp"
#include "net/detail/tls_context.hpp"
#include "net/detail/tls_error.hpp"

namespace etcdmon::net::detail {

/// Shakes hands on a connected socket. `doing` opens the message of an error.
Task<Result<std::unique_ptr<Stream>>> start_tls(Socket socket, asio::ip::tcp::endpoint peer,
                                                ConnectOptions options, std::string doing,
                                                Deadline deadline);

class TlsStream final : public SocketStream {
 public:
  /// Lets sessions and refused certificates of this context find their stream.
  static void install_callbacks(SSL_CTX* context, bool verify);

  TlsStream(Socket socket, const asio::ip::tcp::endpoint& peer,
            std::shared_ptr<OpensslContext> context, const ConnectOptions& options);
  ~TlsStream() override;

  enum class Step : std::uint8_t { kDone, kWantsRead, kWantsWrite, kFailed };
  /// `doing` opens the message of error().
  Step shake_hands(std::string_view doing);
  /// After kFailed.
  const Error& error() const { return *error_; }
  /// The protocol that ALPN agreed on; empty: none.
  std::string_view protocol() const;

  IoResult try_read(std::span<std::byte> into) override;
  IoResult try_write(std::span<const std::byte> from) override;
  Task<> wait_readable() override;
  Task<> wait_writable() override;
  void close() override;
  bool is_tls() const override { return true; }
  /// Also what was refused.
  const std::vector<Certificate>& peer_certificates() const override { return certificates_; }

 private:
  struct Bio;        // the functions that OpenSSL reads and writes through
  struct Callbacks;  // what OpenSSL tells

  // What the socket said to OpenSSL.
  struct Wire {
    int error = 0;  // errno
    bool ended = false;
    std::uint8_t count = 0;
    std::array<char, 5> first_bytes{};
  };
  struct Refused {
    long error;
    int depth;
    Certificate certificate;
  };

  void set_server_name(const ConnectOptions& options);
  void offer(const std::vector<std::string>& protocols);
  TlsFailure diagnose(int ssl_error) const;
  void fail(std::string_view doing, int ssl_error);
  bool hung_up_with_an_alert();

  std::shared_ptr<OpensslContext> context_;
  std::uint64_t generation_;
  std::string server_;       // the key of the session cache: "host:port"
  std::string server_name_;  // what was checked
  SslPtr ssl_;               // none once closed
  Wire wire_;
  std::vector<Certificate> certificates_;
  std::unique_ptr<Refused> refused_;
  std::unique_ptr<Error> error_;  // final: OpenSSL must not be called again
  bool established_ = false;
  bool buffered_ = false;  // OpenSSL may hold bytes that the socket no longer has
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
};

}  // namespace etcdmon::net::detail
