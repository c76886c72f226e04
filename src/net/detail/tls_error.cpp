#include "net/detail/tls_error.hpp"

#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "net/detail/socket_error.hpp"

namespace etcdmon::net::detail {

namespace {

constexpr std::size_t kNamesShown = 10;

std::string names_of(const Certificate& certificate) {
  if (certificate.names.empty()) return "no name at all";
  const auto shown = std::min(certificate.names.size(), kNamesShown);
  const auto end = certificate.names.begin() + static_cast<std::ptrdiff_t>(shown);
  auto text = fmt::format("{}", fmt::join(certificate.names.begin(), end, ", "));
  if (shown < certificate.names.size()) {
    text += fmt::format(" and {} more", certificate.names.size() - shown);
  }
  return text;
}

std::string refusal(const TlsFailure& failure) {
  const Certificate& refused = *failure.refused;
  const std::string whose = failure.depth == 0
                                ? fmt::format("the server's certificate ({})", refused.subject)
                                : fmt::format("the certificate authority {}", refused.subject);
  switch (failure.verify_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("{} expired on {}", whose, to_rfc3339(refused.not_after));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("{} is valid only from {} on: is a clock wrong?", whose,
                         to_rfc3339(refused.not_before));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("{} is not for {}; it is for {}", whose, failure.server_name,
                         names_of(refused));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED: {
      const bool system = failure.options == nullptr || failure.options->ca_file.empty();
      return fmt::format(
          "{} is signed by an unknown authority ({}), which is not in {}", whose, refused.issuer,
          system ? std::string("the system's list of authorities") : failure.options->ca_file);
    }
    case X509_V_ERR_INVALID_PURPOSE:
      return fmt::format("{} may not be used by a server (extended key usage)", whose);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return fmt::format("{} is too weak ({})", whose,
                         X509_verify_cert_error_string(failure.verify_error));
    default:
      return fmt::format("{} was refused: {}", whose,
                         X509_verify_cert_error_string(failure.verify_error));
  }
}

// What the server says about our certificate, and what we know of it ourselves.
std::string rejected_own(const TlsFailure& failure, std::string_view why, WallTime now) {
  if (failure.own == nullptr) return "the server wants a client certificate, and none is set";
  if (failure.own->not_after < now) {
    return fmt::format("the server rejected our client certificate ({}), which expired on {}",
                       failure.own->subject, to_rfc3339(failure.own->not_after));
  }
  return fmt::format("the server rejected our client certificate ({}): {}", failure.own->subject,
                     why);
}

std::string alert_text(const TlsFailure& failure, WallTime now) {
  switch (failure.alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_BAD_CERTIFICATE:
      return rejected_own(failure, "bad certificate", now);
    case SSL_AD_CERTIFICATE_EXPIRED:
      return rejected_own(failure, "expired; is a clock wrong?", now);
    case SSL_AD_CERTIFICATE_REVOKED:
      return rejected_own(failure, "revoked", now);
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
      return rejected_own(failure, "not acceptable to it (is it for clients?)", now);
    case SSL_AD_UNKNOWN_CA:
      return rejected_own(failure, "it does not know the authority that signed it", now);
    case SSL_AD_HANDSHAKE_FAILURE:
      return failure.own == nullptr
                 ? "the server refused the handshake; perhaps it wants a client certificate"
                 : "the server refused the handshake: no cipher or certificate suits both sides";
    case SSL_AD_PROTOCOL_VERSION:
      return "the server speaks neither TLS 1.2 nor TLS 1.3";
    case SSL_AD_UNRECOGNIZED_NAME:
      return fmt::format("the server has no certificate for {}", failure.server_name);
    case SSL_AD_NO_APPLICATION_PROTOCOL:
      return "the peer does not speak h2";
    default:
      return fmt::format("the server ended TLS with the alert \"{}\"",
                         SSL_alert_desc_string_long(failure.alert));
  }
}

// Every record of TLS begins with its type, 20 to 24, and the version's major number.
bool is_tls(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  return first >= 20 && first <= 24 && (bytes.size() < 2 || bytes[1] == 3);
}

Error tls(std::string_view doing, std::string_view what) {
  return Error{ErrorCode::kUnavailable, fmt::format("{}: TLS: {}", doing, what), Cause::kTls};
}

}  // namespace

Error explain(std::string_view doing, const TlsFailure& failure, WallTime now) {
  if (failure.refused && failure.verify_error != X509_V_OK) return tls(doing, refusal(failure));
  if (failure.alert >= 0) return tls(doing, alert_text(failure, now));
  if (!failure.first_bytes.empty() && !is_tls(failure.first_bytes)) {
    return tls(doing, "the peer does not speak TLS (is it plain http?)");
  }
  if (failure.socket_error != 0) return socket_error(doing, failure.socket_error);
  if (failure.ended) {
    if (failure.in_handshake && failure.first_bytes.empty()) {
      return tls(doing, "the peer hung up instead of answering (does it speak TLS?)");
    }
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{}: the connection ended {}", doing,
                             failure.in_handshake ? "during the TLS handshake" : "without notice"),
                 Cause::kReset};
  }
  return tls(doing, failure.reason.empty() ? "failed" : failure.reason);
}

}  // namespace etcdmon::net::detail
