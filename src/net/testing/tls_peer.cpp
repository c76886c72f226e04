#include "net/testing/tls_peer.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/detail/openssl.hpp"

namespace etcdmon::net::testing {

namespace {

using detail::BioPtr;
using detail::KeyPtr;
using detail::SslContextPtr;
using detail::SslPtr;
using detail::X509Ptr;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("tls_peer: ") + what);
}

std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return text_of(out);
}

std::string to_pem(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(out);
}

KeyPtr make_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  require(key != nullptr, "no key");
  return key;
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Ptr make_certificate(const IdentityOptions& options, EVP_PKEY* key, X509* issuer) {
  static std::atomic<long> serial{1};
  X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), options.begins.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), options.ends.count());
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), issuer == nullptr ? name : X509_get_subject_name(issuer));
  return certificate;
}

}  // namespace

struct Authority::Keys {
  KeyPtr key;
  X509Ptr certificate;
};

Authority::Authority(const std::string& name) : keys_(std::make_unique<Keys>()) {
  keys_->key = make_key();
  keys_->certificate = make_certificate({.name = name}, keys_->key.get(), nullptr);
  X509* certificate = keys_->certificate.get();
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate, certificate, NID_subject_key_identifier, "hash");
  X509_sign(certificate, keys_->key.get(), EVP_sha256());
}

Authority::~Authority() = default;

std::string Authority::pem() const {
  return to_pem(keys_->certificate.get());
}

Identity Authority::issue(const IdentityOptions& options) const {
  const auto key = make_key();
  X509* issuer = keys_->certificate.get();
  const auto certificate = make_certificate(options, key.get(), issuer);
  std::string names;
  for (const auto& name : options.names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) extend(certificate.get(), issuer, NID_subject_alt_name, names);
  extend(certificate.get(), issuer, NID_ext_key_usage, options.usage);
  X509_sign(certificate.get(), keys_->key.get(), EVP_sha256());
  return {to_pem(certificate.get()), to_pem(key.get())};
}

TempFolder::TempFolder() {
  auto pattern = (std::filesystem::temp_directory_path() / "net_test.XXXXXX").string();
  require(::mkdtemp(pattern.data()) != nullptr, "no temporary folder");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name) + ".new", std::ios::binary) << text;
  std::filesystem::rename(path(name) + ".new", path(name));
  return path(name);
}

struct TlsPeer::Server {
  explicit Server(Options o);

  void run();
  void serve(int descriptor);
  static void echo(SSL* ssl);
  void reply(SSL* ssl);
  static int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned length, void* self);

  Options options;
  SslContextPtr context;
  boost::asio::io_context loop;
  boost::asio::ip::tcp::acceptor acceptor{loop, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  std::atomic<int> handshakes{0};
  std::atomic<int> resumed{0};
  std::atomic<int> client{-1};
  std::atomic<bool> stopping{false};
  std::thread thread;
};

TlsPeer::Server::Server(Options o)
    : options(std::move(o)), context(SSL_CTX_new(TLS_server_method())) {
  const BioPtr cert(BIO_new_mem_buf(options.identity.cert_pem.c_str(), -1));
  const BioPtr key(BIO_new_mem_buf(options.identity.key_pem.c_str(), -1));
  const X509Ptr own(PEM_read_bio_X509(cert.get(), nullptr, nullptr, nullptr));
  const KeyPtr own_key(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  SSL_CTX* native = context.get();
  require(SSL_CTX_use_certificate(native, own.get()) == 1 &&
              SSL_CTX_use_PrivateKey(native, own_key.get()) == 1,
          "server certificate");
  const unsigned char id[] = "peer";
  SSL_CTX_set_session_id_context(native, id, sizeof(id));
  if (options.tls12_only) SSL_CTX_set_max_proto_version(native, TLS1_2_VERSION);
  if (options.tls11_only) {
    SSL_CTX_set_security_level(native, 0);
    SSL_CTX_set_min_proto_version(native, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(native, TLS1_1_VERSION);
  }
  if (!options.client_ca.empty()) {
    const BioPtr in(BIO_new_mem_buf(options.client_ca.c_str(), -1));
    const X509Ptr authority(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(native), authority.get());
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  if (!options.alpn.empty()) SSL_CTX_set_alpn_select_cb(native, &Server::choose, this);
}

int TlsPeer::Server::choose(SSL*, const unsigned char** out, unsigned char* size,
                            const unsigned char* in, unsigned length, void* self) {
  const auto& wanted = static_cast<Server*>(self)->options.alpn;
  for (unsigned at = 0; at < length; at += in[at] + 1U) {
    if (std::string_view(reinterpret_cast<const char*>(in + at + 1), in[at]) != wanted) continue;
    *out = in + at + 1;
    *size = in[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void TlsPeer::Server::run() {
  // OpenSSL's socket BIO writes with write(2): the signal of a gone client stays with this thread.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!stopping) {
    const int descriptor = ::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int yes = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    client = descriptor;
    if (!stopping) serve(descriptor);
    client = -1;
    ::close(descriptor);
  }
}

void TlsPeer::Server::serve(int descriptor) {
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), descriptor);
  if (SSL_accept(ssl.get()) == 1) {
    ++handshakes;
    if (SSL_session_reused(ssl.get()) == 1) ++resumed;
    if (options.replies.empty()) {
      echo(ssl.get());
    } else {
      reply(ssl.get());
    }
    SSL_shutdown(ssl.get());
  }
  ERR_clear_error();
}

void TlsPeer::Server::echo(SSL* ssl) {
  SSL_write(ssl, "hello", 5);
  char buffer[16384];
  for (;;) {
    const int count = SSL_read(ssl, buffer, sizeof(buffer));
    if (count <= 0 || SSL_write(ssl, buffer, count) <= 0) return;
  }
}

void TlsPeer::Server::reply(SSL* ssl) {
  constexpr std::size_t kPiece = 4096;
  char buffer[4096];
  for (const auto& text : options.replies) {
    std::string request;
    while (!request.ends_with("\r\n\r\n")) {
      const int count = SSL_read(ssl, buffer, sizeof(buffer));
      if (count <= 0) return;
      request.append(buffer, static_cast<std::size_t>(count));
    }
    for (std::size_t at = 0; at < text.size(); at += kPiece) {
      const auto size = static_cast<int>(std::min(kPiece, text.size() - at));
      if (SSL_write(ssl, text.data() + at, size) <= 0) return;
    }
  }
}

TlsPeer::TlsPeer(Options options) : server_(std::make_unique<Server>(std::move(options))) {
  server_->thread = std::thread(&Server::run, server_.get());
}

TlsPeer::~TlsPeer() {
  server_->stopping = true;
  ::shutdown(server_->acceptor.native_handle(), SHUT_RDWR);
  if (const int client = server_->client; client >= 0) ::shutdown(client, SHUT_RDWR);
  server_->thread.join();
}

std::uint16_t TlsPeer::port() const {
  return server_->acceptor.local_endpoint().port();
}
int TlsPeer::handshakes() const {
  return server_->handshakes;
}
int TlsPeer::resumed() const {
  return server_->resumed;
}

}  // namespace etcdmon::net::testing
