#include "net/detail/tls_error.hpp"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace etcdmon::net::detail {
namespace {

using ::testing::HasSubstr;

constexpr WallTime kNow{std::chrono::seconds(1'700'000'000)};
const Certificate kOwn{.subject = "CN=monitor",
                       .issuer = "CN=CA",
                       .names = {},
                       .not_before = WallTime{},
                       .not_after = kNow + std::chrono::hours(1)};

TlsFailure alert(int number, const Certificate* own = nullptr) {
  TlsFailure failure;
  failure.alert = number;
  failure.own = own;
  failure.server_name = "etcd-1";
  return failure;
}

TlsFailure refused(long why, int depth = 0) {
  TlsFailure failure;
  failure.verify_error = why;
  failure.depth = depth;
  failure.refused = kOwn;
  return failure;
}

struct Case {
  const char* name;
  TlsFailure failure;
  const char* want;
  Cause cause = Cause::kTls;
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class ExplainTls : public testing::TestWithParam<Case> {};

TEST_P(ExplainTls, InPlainWords) {
  const auto error = explain("connect a:1", GetParam().failure, kNow);
  EXPECT_THAT(error.message, testing::StartsWith("connect a:1: "));
  EXPECT_THAT(error.message, HasSubstr(GetParam().want));
  EXPECT_EQ(error.cause, GetParam().cause);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ExplainTls,
    testing::Values(
        Case{"NoClientCertificate", alert(SSL_AD_CERTIFICATE_REQUIRED),
             "the server wants a client certificate, and none is set"},
        Case{"BadCertificateAsGoSaysIt", alert(SSL_AD_BAD_CERTIFICATE),
             "the server wants a client certificate, and none is set"},
        Case{"HandshakeFailureWithoutOwn", alert(SSL_AD_HANDSHAKE_FAILURE),
             "perhaps it wants a client certificate"},
        Case{"HandshakeFailureWithOwn", alert(SSL_AD_HANDSHAKE_FAILURE, &kOwn),
             "no cipher or certificate suits both sides"},
        Case{"Revoked", alert(SSL_AD_CERTIFICATE_REVOKED, &kOwn), "(CN=monitor): revoked"},
        Case{"Unsupported", alert(SSL_AD_UNSUPPORTED_CERTIFICATE, &kOwn), "is it for clients?"},
        Case{"ExpiredByTheirClock", alert(SSL_AD_CERTIFICATE_EXPIRED, &kOwn),
             "expired; is a clock wrong?"},
        Case{"NoSuchName", alert(SSL_AD_UNRECOGNIZED_NAME), "no certificate for etcd-1"},
        Case{"NoCommonProtocol", alert(SSL_AD_NO_APPLICATION_PROTOCOL), "does not speak h2"},
        Case{"AnyOtherAlert", alert(SSL_AD_INTERNAL_ERROR), "the alert \"internal error\""},
        Case{"AuthorityExpired", refused(X509_V_ERR_CERT_HAS_EXPIRED, 1),
             "the certificate authority CN=monitor expired on 2023-11-14T23:13:20Z"},
        Case{"WeakKey", refused(X509_V_ERR_EE_KEY_TOO_SMALL), "is too weak"},
        Case{"AnyOtherRefusal", refused(X509_V_ERR_CERT_REVOKED),
             "was refused: certificate revoked"},
        Case{"PlainHttp", {.first_bytes = "HTTP/"}, "does not speak TLS (is it plain http?)"},
        Case{"Http2Settings",
             {.first_bytes = std::string_view("\0\0\x12\x04\0", 5)},
             "does not speak TLS (is it plain http?)"},
        Case{"Reset", {.socket_error = ECONNRESET}, "connection reset by peer", Cause::kReset},
        Case{"EndInTheMiddle",
             {.first_bytes = "\x16\x03\x03", .ended = true},
             "the connection ended during the TLS handshake",
             Cause::kReset},
        Case{"EndLater",
             {.first_bytes = "\x16\x03\x03", .ended = true, .in_handshake = false},
             "the connection ended without notice",
             Cause::kReset},
        Case{"OpensslsOwnWords", {.reason = "bad record mac"}, "TLS: bad record mac"}),
    testing::PrintToStringParamName());

}  // namespace
}  // namespace etcdmon::net::detail
