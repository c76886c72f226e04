// api/auth/detail/openssl.hpp: owners for OpenSSL's objects, and its digests as text.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/free_by.hpp"
#include "base/secret.hpp"

namespace etcdmon::api::auth {

/// What a Key holds: one of both.
struct KeyMaterial {
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> public_key{nullptr, EVP_PKEY_free};
  Secret secret;
};

}  // namespace etcdmon::api::auth

namespace etcdmon::api::auth::detail {

using KeyPtr = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreeBy<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, FreeBy<X509_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, FreeBy<ECDSA_SIG_free>>;
using ParameterBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeBy<OSSL_PARAM_BLD_free>>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, FreeBy<OSSL_PARAM_free>>;

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
inline unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

/// 32 bytes.
std::string sha256(std::string_view text);
std::string hmac_sha256(std::string_view key, std::string_view text);
/// Takes the same time wherever they differ. Texts of different lengths differ at once.
bool equal_in_constant_time(std::string_view one, std::string_view other);
/// From the operating system, for keys and salts.
std::string random_bytes(std::size_t count);

}  // namespace etcdmon::api::auth::detail
