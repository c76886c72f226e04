#include "net/detail/tls_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>

#include "base/assert.hpp"
#include "net/detail/certificate.hpp"
#include "net/detail/handshake_gate.hpp"
#include "net/detail/socket_error.hpp"
#include "net/detail/watchdog.hpp"

namespace etcdmon::net::detail {

namespace {

// A server that is hung must not keep the others waiting: from here on its handshake goes on
// without a place.
constexpr std::chrono::milliseconds kPatience{250};

Task<> at_once() {
  co_return;
}

// OpenSSL's number for where a stream hangs on its SSL.
int stream_index() {
  static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

// As it is compared and asked for: without the final dot of a full name and the zone of an address.
std::string plain_name(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name.substr(0, name.find('%'));
}

bool is_address(const std::string& name) {
  boost::system::error_code no_address;
  asio::ip::make_address(name, no_address);
  return !no_address;
}

WallTime wall_now() {
  return std::chrono::system_clock::now();
}

}  // namespace

// OpenSSL's own socket BIO writes with write(2), which may end the process by SIGPIPE.
struct TlsStream::Bio {
  static TlsStream& stream_of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int write(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    TlsStream& stream = stream_of(bio);
    for (;;) {
      const auto count = ::send(stream.native_handle(), data, size, MSG_NOSIGNAL);
      if (count >= 0) {
        *written = static_cast<std::size_t>(count);
        return 1;
      }
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        BIO_set_retry_write(bio);
      } else {
        stream.wire_.error = errno;
      }
      return 0;
    }
  }

  static int read(BIO* bio, char* data, std::size_t size, std::size_t* read) {
    BIO_clear_retry_flags(bio);
    TlsStream& stream = stream_of(bio);
    for (;;) {
      const auto count = ::recv(stream.native_handle(), data, size, 0);
      if (count > 0) {
        *read = static_cast<std::size_t>(count);
        Wire& wire = stream.wire_;
        for (std::size_t i = 0; i < *read && wire.count < wire.first_bytes.size(); ++i) {
          wire.first_bytes[wire.count++] = data[i];
        }
        return 1;
      }
      if (count == 0) {
        stream.wire_.ended = true;
        return 0;
      }
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {
        BIO_set_retry_read(bio);
      } else {
        stream.wire_.error = errno;
      }
      return 0;
    }
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return stream_of(bio).wire_.ended ? 1 : 0;
    return 0;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      BIO_meth_set_write_ex(made, write);
      BIO_meth_set_read_ex(made, read);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return kMethod;
  }
};

struct TlsStream::Callbacks {
  static TlsStream* stream_of(const SSL* ssl) {
    return static_cast<TlsStream*>(SSL_get_ex_data(ssl, stream_index()));
  }

  // Takes the session over. With TLS 1.3 this happens while reading, after the handshake.
  static int new_session(SSL* ssl, SSL_SESSION* session) {
    TlsStream* stream = stream_of(ssl);
    stream->context_->keep_session(stream->server_, SessionPtr(session), stream->generation_);
    return 1;
  }

  static int verify(int accepted, X509_STORE_CTX* store) {
    if (accepted == 1) return 1;
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    TlsStream* stream = stream_of(ssl);
    stream->certificates_ = to_certificates(X509_STORE_CTX_get0_untrusted(store));
    if (X509* refused = X509_STORE_CTX_get_current_cert(store); refused != nullptr) {
      stream->refused_ =
          std::make_unique<Refused>(X509_STORE_CTX_get_error(store),
                                    X509_STORE_CTX_get_error_depth(store), to_certificate(refused));
    }
    return 0;
  }
};

void TlsStream::install_callbacks(SSL_CTX* context, bool verify) {
  SSL_CTX_sess_set_new_cb(context, &Callbacks::new_session);
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     verify ? &Callbacks::verify : nullptr);
}

TlsStream::TlsStream(Socket socket, const asio::ip::tcp::endpoint& peer,
                     std::shared_ptr<OpensslContext> context, const ConnectOptions& options)
    : SocketStream(std::move(socket), peer),
      context_(std::move(context)),
      generation_(context_->generation()),
      server_(options.endpoint.authority()),
      ssl_(SSL_new(context_->native())) {
  ETCDMON_ASSERT(ssl_ != nullptr);
  SSL_set_ex_data(ssl_.get(), stream_index(), this);
  BIO* bio = BIO_new(Bio::method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  set_server_name(options);
  if (!options.alpn.empty()) offer(options.alpn);
  if (SSL_SESSION* session = context_->session(server_); session != nullptr) {
    SSL_set_session(ssl_.get(), session);
  }
}

TlsStream::~TlsStream() {
  close();
}

void TlsStream::set_server_name(const ConnectOptions& options) {
  const auto& given = context_->options().server_name;
  server_name_ = plain_name(given.empty() ? options.endpoint.host : given);
  X509_VERIFY_PARAM* checks = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(
      checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (is_address(server_name_)) {
    X509_VERIFY_PARAM_set1_ip_asc(checks, server_name_.c_str());
    return;
  }
  X509_VERIFY_PARAM_set1_host(checks, server_name_.c_str(), server_name_.size());
  SSL_set_tlsext_host_name(ssl_.get(), server_name_.c_str());
}

void TlsStream::offer(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    ETCDMON_ASSERT(!protocol.empty() && protocol.size() < 256);
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                      static_cast<unsigned>(wire.size()));
}

TlsStream::Step TlsStream::shake_hands(std::string_view doing) {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    certificates_ = to_certificates(SSL_get_peer_cert_chain(ssl_.get()));
    return Step::kDone;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return Step::kWantsRead;
  if (error == SSL_ERROR_WANT_WRITE) return Step::kWantsWrite;
  fail(doing, error);
  context_->forget_session(server_);
  return Step::kFailed;
}

std::string_view TlsStream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

// Reads OpenSSL's error queue, whose oldest entry is the cause of the others.
TlsFailure TlsStream::diagnose(int ssl_error) const {
  TlsFailure failure;
  failure.server_name = server_name_;
  failure.options = &context_->options();
  failure.own = context_->own_certificate();
  if (refused_) {
    failure.verify_error = refused_->error;
    failure.depth = refused_->depth;
    failure.refused = refused_->certificate;
  }
  failure.first_bytes = {wire_.first_bytes.data(), wire_.count};
  failure.socket_error = wire_.error;
  failure.ended = wire_.ended || ssl_error == SSL_ERROR_ZERO_RETURN;
  failure.in_handshake = !established_;
  if (ssl_error != SSL_ERROR_SSL) return failure;
  const auto code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET &&
      reason < SSL_AD_REASON_OFFSET + 256) {
    failure.alert = reason - SSL_AD_REASON_OFFSET;
  }
  if (const char* words = ERR_reason_error_string(code); words != nullptr) failure.reason = words;
  return failure;
}

void TlsStream::fail(std::string_view doing, int ssl_error) {
  error_ = std::make_unique<Error>(explain(doing, diagnose(ssl_error), wall_now()));
  ERR_clear_error();
}

IoResult TlsStream::try_read(std::span<std::byte> into) {
  ETCDMON_ASSERT(!into.empty());
  if (!is_open()) return {IoResult::Status::kEnd, 0, {}};
  if (error_) return {IoResult::Status::kError, 0, *error_};
  buffered_ = false;
  std::size_t total = 0;
  do {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &count);
    if (result == 1) {
      total += count;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      read_wants_write_ = error == SSL_ERROR_WANT_WRITE;
      // Reading a session ticket leaves a write buffer behind that released buffers do not cover.
      SSL_free_buffers(ssl_.get());
      if (total == 0) return {IoResult::Status::kWouldBlock, 0, {}};
    } else if (error == SSL_ERROR_ZERO_RETURN) {
      if (total == 0) return {IoResult::Status::kEnd, 0, {}};
    } else {
      fail("read from " + peer_address(), error);
      if (total == 0) return {IoResult::Status::kError, 0, *error_};
    }
    return {IoResult::Status::kOk, total, {}};
  } while (total < into.size() && SSL_has_pending(ssl_.get()) == 1);
  buffered_ = SSL_has_pending(ssl_.get()) == 1;
  return {IoResult::Status::kOk, total, {}};
}

IoResult TlsStream::try_write(std::span<const std::byte> from) {
  ETCDMON_ASSERT(!from.empty());
  if (error_) return {IoResult::Status::kError, 0, *error_};
  if (!is_open()) {
    return {IoResult::Status::kError, 0, socket_error("write to " + peer_address(), EPIPE)};
  }
  std::size_t total = 0;
  while (total < from.size()) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), from.data() + total, from.size() - total, &count);
    if (result == 1) {
      total += count;
      continue;
    }
    int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
      write_wants_read_ = error == SSL_ERROR_WANT_READ;
      if (total == 0) return {IoResult::Status::kWouldBlock, 0, {}};
      break;
    }
    if (error == SSL_ERROR_SYSCALL && hung_up_with_an_alert()) error = SSL_ERROR_SSL;
    fail("write to " + peer_address(), error);
    if (total == 0) return {IoResult::Status::kError, 0, *error_};
    break;
  }
  return {IoResult::Status::kOk, total, {}};
}

// With TLS 1.3 a server judges our certificate when we think that all is well. Its alert, which
// says why, then waits unread behind the reset of the connection.
bool TlsStream::hung_up_with_an_alert() {
  ERR_clear_error();
  char ignored = 0;
  const int result = SSL_peek(ssl_.get(), &ignored, 1);
  return result <= 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL &&
         diagnose(SSL_ERROR_SSL).alert >= 0;
}

Task<> TlsStream::wait_readable() {
  if (buffered_ || error_) return at_once();
  return wait(read_wants_write_ ? Socket::wait_write : Socket::wait_read);
}

Task<> TlsStream::wait_writable() {
  if (error_) return at_once();
  return wait(write_wants_read_ ? Socket::wait_read : Socket::wait_write);
}

void TlsStream::close() {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    if (established_ && !error_) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    // Else OpenSSL takes the session, which others share, for compromised and never resumes it.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ssl_.reset();
  }
  SocketStream::close();
}

Task<Result<std::unique_ptr<Stream>>> start_tls(Socket socket, asio::ip::tcp::endpoint peer,
                                                ConnectOptions options, std::string doing,
                                                Deadline deadline) {
  auto permit = co_await HandshakeGate::of_this_loop().enter(deadline);
  if (!permit) {
    co_return Error{ErrorCode::kDeadlineExceeded,
                    doing + ": TLS: other handshakes took all the time", Cause::kLocal};
  }
  const auto executor = socket.get_executor();
  auto context = std::static_pointer_cast<OpensslContext>(options.tls);
  const auto now = std::chrono::steady_clock::now();
  context->refresh(now);
  auto stream = std::make_unique<TlsStream>(std::move(socket), peer, std::move(context), options);

  Watchdog patience(executor, [&permit] { permit.release(); });
  patience.arm(now + kPatience);
  Watchdog watchdog(executor, [&stream] { stream->close(); });
  watchdog.arm(deadline);
  auto step = stream->shake_hands(doing);
  while (step == TlsStream::Step::kWantsRead || step == TlsStream::Step::kWantsWrite) {
    if (step == TlsStream::Step::kWantsRead) {
      co_await stream->wait_readable();
    } else {
      co_await stream->wait_writable();
    }
    if (watchdog.fired()) co_return timeout_error(doing, "TLS: no answer to the handshake in time");
    step = stream->shake_hands(doing);
  }
  if (options.certificates_shown) *options.certificates_shown = stream->peer_certificates();
  if (step == TlsStream::Step::kFailed) co_return stream->error();
  const auto agreed = stream->protocol();
  if (options.alpn_required && std::ranges::find(options.alpn, agreed) == options.alpn.end()) {
    co_return Error{
        ErrorCode::kUnavailable,
        fmt::format("{}: TLS: the peer does not speak {}", doing, fmt::join(options.alpn, " or ")),
        Cause::kTls};
  }
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace etcdmon::net::detail
