// net/testing/tls_peer.hpp: certificates made in this process, and a TLS server on loopback.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace etcdmon::net::testing {

struct Identity {
  std::string cert_pem;
  std::string key_pem;
};

struct IdentityOptions {
  std::string name = "etcd";
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1"};
  std::chrono::seconds begins{-3600};  ///< from now
  std::chrono::seconds ends{3600};
  std::string usage = "serverAuth,clientAuth";
};

/// Signs EC P-256 certificates.
class Authority {
 public:
  explicit Authority(const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  std::string pem() const;
  Identity issue(const IdentityOptions& options = {}) const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
};

/// A folder with files that is removed at the end.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  /// Replaces the file in one step, so that its inode changes; returns its path.
  std::string write(const std::string& name, const std::string& text) const;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A blocking TLS server on a thread of its own: serves one connection after the other, says
/// "hello", sends back what comes, until the client ends.
///
/// Threads: the counters may be read from any thread.
class TlsPeer {
 public:
  struct Options {
    Identity identity{};
    std::string client_ca{};  ///< PEM; not empty: a client certificate is required
    bool tls12_only = false;
    bool tls11_only = false;
    std::string alpn{};  ///< the one protocol it speaks; empty: it ignores ALPN
    /// Not empty: no "hello" and no echo, but the next of these for each request that ends with an
    /// empty line, in pieces as etcd writes them.
    std::vector<std::string> replies{};
  };

  explicit TlsPeer(Options options);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  std::uint16_t port() const;
  int handshakes() const;
  int resumed() const;

 private:
  struct Server;
  std::unique_ptr<Server> server_;
};

}  // namespace etcdmon::net::testing
