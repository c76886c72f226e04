#include "net/detail/tls_context.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/assert.hpp"
#include "net/detail/certificate.hpp"
#include "net/detail/tls_stream.hpp"

namespace etcdmon::net {

Result<std::shared_ptr<TlsContext>> TlsContext::client(TlsOptions options) {
  auto context = detail::OpensslContext::make(std::move(options));
  if (!context) return std::move(context).error();
  return std::shared_ptr<TlsContext>(*std::move(context));
}

namespace detail {

namespace {

constexpr std::chrono::seconds kLookAgain{1};
constexpr off_t kMaxFile = 16 << 20;
// Far more than one process watches; a bound against a server name that changes all the time.
constexpr std::size_t kMaxSessions = 10'000;
// One receive for several records of a scrape. Held only while there is something in it.
constexpr std::size_t kReadBuffer = 32U << 10U;

Error file_error(std::string_view what, const std::string& path, std::string_view why) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("{} {}: {}", what, path, why)};
}

// What a file holds. A private key leaves no copy in freed memory.
class FileText {
 public:
  explicit FileText(std::size_t capacity) : bytes_(capacity) {}
  ~FileText() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  FileText(FileText&&) = default;
  FileText& operator=(FileText&&) = delete;
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;

  std::span<char> space() { return std::span(bytes_).subspan(used_); }
  void add(std::size_t count) { used_ += count; }
  std::string_view view() const { return {bytes_.data(), used_}; }

 private:
  std::vector<char> bytes_;
  std::size_t used_ = 0;
};

Result<FileText> read_file(std::string_view what, const std::string& path) {
  struct Descriptor {
    int number;
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
  };
  // Not blocking, in case the path is a pipe that nobody writes to.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status{};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) {
    return file_error(what, path, std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode)) return file_error(what, path, "it is not a file");
  if (status.st_size > kMaxFile) return file_error(what, path, "it is too large");
  FileText content(static_cast<std::size_t>(status.st_size));
  while (!content.space().empty()) {
    const auto count = ::read(file.number, content.space().data(), content.space().size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(what, path, std::generic_category().message(errno));
    if (count == 0) break;
    content.add(static_cast<std::size_t>(count));
  }
  return content;
}

int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

OpensslContext::Stamp OpensslContext::stamp_of(const std::string& path) {
  struct stat status{};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
  return {.modified = status.st_mtim, .size = status.st_size, .inode = status.st_ino};
}

OpensslContext::Stamps OpensslContext::stamps() const {
  return {stamp_of(options_.ca_file), stamp_of(options_.cert_file), stamp_of(options_.key_file)};
}

Result<std::shared_ptr<OpensslContext>> OpensslContext::make(TlsOptions options) {
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 options.cert_file.empty()
                     ? fmt::format("key {}: the certificate that belongs to it is not given",
                                   options.key_file)
                     : fmt::format("certificate {}: the key that belongs to it is not given",
                                   options.cert_file)};
  }
  std::shared_ptr<OpensslContext> context(new OpensslContext(std::move(options)));
  // Before reading: a file that changes in between is read again the next time.
  context->stamps_ = context->stamps();
  if (context->has_files()) {
    ETCDMON_TRY(context->loaded_, context->load());
  }
  context->looked_at_ = std::chrono::steady_clock::now();
  return context;
}

SSL_CTX* OpensslContext::native() {
  if (!loaded_.context) {
    auto loaded = load();
    ETCDMON_ASSERT(loaded);  // no file that could be wrong
    loaded_ = *std::move(loaded);
  }
  return loaded_.context.get();
}

void OpensslContext::refresh(SteadyTime now) {
  if (now - looked_at_ < kLookAgain) return;
  looked_at_ = now;
  const auto current = stamps();
  if (current == stamps_ && reload_error_.empty()) return;
  auto loaded = load();
  if (!loaded) {
    // Perhaps half of a rotation: certificate written, key not yet. Tried again at the next look.
    reload_error_ = loaded.error().message;
    return;
  }
  loaded_ = *std::move(loaded);
  stamps_ = current;
  reload_error_.clear();
  sessions_.clear();
  ++generation_;
}

Result<OpensslContext::Loaded> OpensslContext::load() const {
  ERR_clear_error();
  Loaded loaded;
  loaded.context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = loaded.context.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    ERR_clear_error();
    return Error{ErrorCode::kInternal, "TLS cannot be set up", Cause::kLocal};
  }
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadBuffer);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  TlsStream::install_callbacks(context, !options_.insecure_skip_verify);
  if (!options_.insecure_skip_verify) {
    if (auto known = load_authorities(context); !known) return std::move(known).error();
  }
  if (!options_.cert_file.empty()) {
    ETCDMON_TRY(loaded.own, load_own(context));
  }
  return loaded;
}

Result<void> OpensslContext::load_authorities(SSL_CTX* context) const {
  // etcdctl takes an intermediate authority in the file for an anchor; so do we.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  if (options_.ca_file.empty()) {
    if (loaded_.context) {
      SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(loaded_.context.get()));
    } else {
      SSL_CTX_set_default_verify_paths(context);
      ERR_clear_error();
    }
    return {};
  }
  constexpr std::string_view kWhat = "certificate authorities";
  auto file = read_file(kWhat, options_.ca_file);
  if (!file) return std::move(file).error();
  auto authorities = parse_certificates(file->view());
  if (!authorities) return file_error(kWhat, options_.ca_file, authorities.error().message);
  for (const auto& authority : *authorities) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  ERR_clear_error();
  return {};
}

Result<Certificate> OpensslContext::load_own(SSL_CTX* context) const {
  constexpr std::string_view kCertificate = "client certificate";
  constexpr std::string_view kKey = "client key";
  ETCDMON_TRY(const auto cert_file, read_file(kCertificate, options_.cert_file));
  auto chain = parse_certificates(cert_file.view());
  if (!chain) return file_error(kCertificate, options_.cert_file, chain.error().message);
  ETCDMON_TRY(const auto key_file, read_file(kKey, options_.key_file));
  const BioPtr in(
      BIO_new_mem_buf(key_file.view().data(), static_cast<int>(key_file.view().size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    const bool encrypted = key_file.view().find("ENCRYPTED") != std::string_view::npos;
    ERR_clear_error();
    return file_error(kKey, options_.key_file,
                      encrypted ? "it needs a passphrase; give a key without one"
                                : "there is no PEM private key in it");
  }
  if (X509_check_private_key(chain->front().get(), key.get()) != 1) {
    ERR_clear_error();
    return file_error(kKey, options_.key_file,
                      fmt::format("it does not belong to the certificate {}", options_.cert_file));
  }
  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    const auto* reason = ERR_reason_error_string(ERR_peek_error());
    const std::string why = reason == nullptr ? "it cannot be used" : reason;
    ERR_clear_error();
    return file_error(kCertificate, options_.cert_file, why);
  }
  for (std::size_t index = 1; index < chain->size(); ++index) {
    SSL_CTX_add1_chain_cert(context, (*chain)[index].get());
  }
  return to_certificate(chain->front().get());
}

SSL_SESSION* OpensslContext::session(const std::string& server) const {
  const auto found = sessions_.find(server);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void OpensslContext::keep_session(const std::string& server, SessionPtr session,
                                  std::uint64_t generation) {
  if (generation != generation_) return;
  if (sessions_.size() >= kMaxSessions && !sessions_.contains(server)) sessions_.clear();
  sessions_.insert_or_assign(server, std::move(session));
}

}  // namespace detail
}  // namespace etcdmon::net
