// net/detail/tls_error.hpp: why TLS failed, in words that an operator can act on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "net/tls.hpp"

namespace etcdmon::net::detail {

/// What is known when TLS gives up. Pure data, so that every sentence has a test.
struct TlsFailure {
  std::string_view server_name{};  ///< the name or address that was checked
  const TlsOptions* options = nullptr;
  const Certificate* own = nullptr;  ///< our client certificate

  /// The certificate that OpenSSL refused, and why: an X509_V_ERR_ number; 0: none was refused.
  long verify_error = 0;
  int depth = 0;  ///< 0: the server's own, otherwise an authority's
  std::optional<Certificate> refused{};

  int alert = -1;                  ///< the TLS alert that the server sent; -1: none
  std::string_view reason{};       ///< OpenSSL's words
  std::string_view first_bytes{};  ///< the first that the server ever sent, at most five
  int socket_error = 0;            ///< errno of the socket, if that failed
  bool ended = false;              ///< the server ended the connection
  bool in_handshake = true;
};

/// `doing` is what was tried: "connect 127.0.0.1:2379".
/// Returns: kUnavailable with Cause::kTls, or with kReset and its like when the connection failed.
Error explain(std::string_view doing, const TlsFailure& failure, WallTime now);

}  // namespace etcdmon::net::detail
