// net/detail/tls_context.hpp: the TlsContext that streams use: OpenSSL's context and the session
// cache.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/detail/openssl.hpp"
#include "net/tls.hpp"

namespace etcdmon::net::detail {

/// Threads: the loop only.
class OpensslContext final : public TlsContext {
 public:
  static Result<std::shared_ptr<OpensslContext>> make(TlsOptions options);

  const TlsOptions& options() const override { return options_; }
  const Certificate* own_certificate() const override {
    return loaded_.own ? &*loaded_.own : nullptr;
  }
  const std::string& reload_error() const override { return reload_error_; }

  /// Looks at the files, at most once a second, and takes what is new.
  void refresh(SteadyTime now);
  /// Never nullptr. Without files it is made when it is first asked for: the authorities of the
  /// system are 0.8 MB, which a cluster in plain text has no use for.
  SSL_CTX* native();

  /// Counts the contexts so far: a session belongs to the one it was made under, since it says that
  /// a certificate was good by the authorities of that time.
  std::uint64_t generation() const { return generation_; }
  /// The session to resume with this server; nullptr: none.
  SSL_SESSION* session(const std::string& server) const;
  void keep_session(const std::string& server, SessionPtr session, std::uint64_t generation);
  void forget_session(const std::string& server) { sessions_.erase(server); }

 private:
  // What stat() says of a file that is still the same.
  struct Stamp {
    std::timespec modified{};
    std::int64_t size = -1;
    std::uint64_t inode = 0;
    bool operator==(const Stamp& other) const {
      return modified.tv_sec == other.modified.tv_sec &&
             modified.tv_nsec == other.modified.tv_nsec && size == other.size &&
             inode == other.inode;
    }
  };
  using Stamps = std::array<Stamp, 3>;

  struct Loaded {
    SslContextPtr context;
    std::optional<Certificate> own;
  };

  explicit OpensslContext(TlsOptions options) : options_(std::move(options)) {}
  bool has_files() const { return !options_.ca_file.empty() || !options_.cert_file.empty(); }
  static Stamp stamp_of(const std::string& path);
  Stamps stamps() const;
  Result<Loaded> load() const;
  Result<void> load_authorities(SSL_CTX* context) const;
  Result<Certificate> load_own(SSL_CTX* context) const;

  TlsOptions options_;
  Loaded loaded_;
  Stamps stamps_{};
  SteadyTime looked_at_;
  std::string reload_error_;
  std::uint64_t generation_ = 0;
  std::unordered_map<std::string, SessionPtr> sessions_;
};

}  // namespace etcdmon::net::detail
