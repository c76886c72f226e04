// net/tls.hpp: TLS for outgoing connections: certificates from files, re-read when they change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::net {

struct TlsOptions {
  std::string ca_file{};    ///< empty: the system's authorities
  std::string cert_file{};  ///< client certificate; with `key_file` or not at all
  std::string key_file{};
  std::string server_name{};  ///< checked instead of the host that was dialled; empty: the host
  bool insecure_skip_verify = false;
};

/// What was met in a handshake, or read from our own file.
struct Certificate {
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  ///< DNS names and addresses it is for
  WallTime not_before;
  WallTime not_after;
};

/// A client context: session cache, certificates, reload on change (files are looked at when a
/// connection is made, at most once a second; a broken new file keeps the old context and is told
/// by `reload_error()`).
///
/// Threads:  the loop only.
class TlsContext {
 public:
  virtual ~TlsContext() = default;

  /// Errors: kInvalidArgument with the file's name when a file cannot be read, is no PEM, or key
  /// and certificate do not belong together.
  static Result<std::shared_ptr<TlsContext>> client(TlsOptions options);

  virtual const TlsOptions& options() const = 0;
  /// Our own client certificate, if one is set.
  virtual const Certificate* own_certificate() const = 0;
  /// Why the newest files are not in use; empty when they are.
  virtual const std::string& reload_error() const = 0;
};

}  // namespace etcdmon::net
