// net/detail/certificate.hpp: OpenSSL's certificates as plain values, and from PEM.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/detail/openssl.hpp"
#include "net/tls.hpp"

namespace etcdmon::net::detail {

Certificate to_certificate(X509* certificate);
std::vector<Certificate> to_certificates(const STACK_OF(X509) * chain);

/// Every certificate of a PEM text, in its order.
/// Errors: kInvalidArgument, without a file's name, when there is none or one cannot be read.
Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem);

}  // namespace etcdmon::net::detail
