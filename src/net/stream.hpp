// net/stream.hpp: the one byte stream: TCP, or TLS over TCP by OpenSSL on the non-blocking socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "net/endpoint.hpp"
#include "net/resolver.hpp"
#include "net/tls.hpp"

namespace etcdmon::net {

struct IoResult {
  enum class Status : std::uint8_t { kOk, kWouldBlock, kEnd, kError };
  Status status = Status::kOk;
  std::size_t bytes = 0;  ///< with kOk: more than 0
  Error error;            ///< with kError
};

struct ConnectOptions {
  Endpoint endpoint;
  std::shared_ptr<TlsContext> tls{};  ///< needed when endpoint.tls
  std::vector<std::string> alpn{};    ///< offered protocols; empty: none
  bool alpn_required = false;  ///< no or another protocol chosen is kTls "peer does not speak h2"
  /// If given: gets the chain that the server showed, also when it was refused.
  std::shared_ptr<std::vector<Certificate>> certificates_shown{};
};

/// Threads:  the loop only.
/// Lifetime: closes its socket when destroyed; must outlive operations on it.
/// Cancel:   waits end with operation_aborted; the stream stays usable for close().
class Stream {
 public:
  virtual ~Stream() = default;

  /// Resolves, tries the addresses one after the other (sharing the deadline), shakes hands.
  /// Sets TCP_NODELAY and TCP_USER_TIMEOUT. At most 8 TLS handshakes run at once.
  /// With TLS 1.3 a server judges our certificate after the handshake: "the server wants a client
  /// certificate" may come from the first read or write instead, with Cause::kTls too.
  /// Errors carry a Cause: kDns, kRefused, kUnreachable, kTimeout, kTls, kReset, kLocal; the
  /// message names the address ("connect 127.0.0.1:2379: connection refused").
  static Task<Result<std::unique_ptr<Stream>>> connect(Resolver& resolver, ConnectOptions options,
                                                       Deadline deadline);
  /// Takes over an accepted, connected socket (plain TCP).
  static std::unique_ptr<Stream> adopt(asio::basic_stream_socket<asio::ip::tcp, Executor> socket);

  /// What can be moved without waiting; the span must not be empty. TLS may need to write in order
  /// to read: wait_readable() knows. What try_write() did not take must come first in the next
  /// try_write(), at least as many bytes: TLS may have sealed them already.
  virtual IoResult try_read(std::span<std::byte> into) = 0;
  virtual IoResult try_write(std::span<const std::byte> from) = 0;
  /// Ends when try_read (try_write) is worth calling again; errors show there. One waiter for each
  /// at a time.
  virtual Task<> wait_readable() = 0;
  virtual Task<> wait_writable() = 0;

  /// 0 is the end of the stream.
  Task<Result<std::size_t>> read_some(std::span<std::byte> into);
  Task<Result<void>> write_all(std::span<const std::byte> from);

  /// Ends both directions at once; waiting coroutines wake and see kEnd or kError.
  virtual void close() = 0;

  virtual int native_handle() const = 0;
  virtual bool is_tls() const = 0;
  virtual std::string peer_address() const = 0;  ///< "127.0.0.1:2379"
  /// The server's certificate chain, leaf first; empty without TLS.
  virtual const std::vector<Certificate>& peer_certificates() const = 0;
};

}  // namespace etcdmon::net
