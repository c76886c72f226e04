// kit/certificates.hpp: an authority of our own: certificates that are right, and wrong on purpose.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/demo/local_etcd.hpp"

namespace etcdmon::kit {

/// Makes PEM files with EC P-256 keys, in about a millisecond each. Throws std::runtime_error when
/// a file cannot be written.
class CertificateAuthority {
 public:
  struct Files {
    std::string cert;
    std::string key;
  };

  struct Request {
    /// Common name: the user, where etcd takes it from the certificate. Empty: none.
    std::string name = "etcd";
    /// Addresses and DNS names.
    std::vector<std::string> names = {"127.0.0.1", "::1", "localhost"};
    std::chrono::seconds begins{-3600};  ///< from now
    /// Later than anybody warns of by default.
    std::chrono::seconds ends{400 * 24 * 3600};
    /// etcd's gateway shows the server's certificate to itself as a client: so both, unless told.
    bool for_server = true;
    bool for_client = true;
  };

  /// `folder` must exist and outlive the files' users.
  explicit CertificateAuthority(std::filesystem::path folder, const std::string& name = "kit CA");
  ~CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;

  std::string ca() const;  ///< the authority's own certificate

  Files issue(const Request& request);
  Files server() { return issue({}); }
  Files client(const std::string& user) {
    return issue({.name = user, .names = {}, .for_server = false});
  }
  Files expired() {
    return issue({.begins = std::chrono::hours(-48), .ends = std::chrono::hours(-24)});
  }
  Files not_yet_valid() {
    return issue({.begins = std::chrono::hours(24), .ends = std::chrono::hours(48)});
  }
  Files wrong_name() { return issue({.names = {"elsewhere.example"}}); }
  /// Signs anew into the same files, each replaced in one step: a rotation.
  void renew(const Files& files, const Request& request);

  /// For a cluster whose members and etcdctl use certificates of this authority.
  enum class ClientAuth { kNo, kRequired };
  app::demo::LocalEtcd::Tls etcd_tls(ClientAuth client_auth);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::kit
