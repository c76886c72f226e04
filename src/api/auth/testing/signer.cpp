#include "api/auth/testing/signer.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "api/auth/detail/openssl.hpp"
#include "base/assert.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth::testing {

namespace {

using namespace auth::detail;

constexpr int kCoordinateSize = 32;

std::shared_ptr<const KeyMaterial> held(EVP_PKEY* key) {
  ETCDMON_ASSERT(key != nullptr);
  auto material = std::make_shared<KeyMaterial>();
  material->public_key.reset(key);
  return material;
}

std::string number(const EVP_PKEY* key, const char* name, int size) {
  BIGNUM* raw = nullptr;
  ETCDMON_ASSERT(EVP_PKEY_get_bn_param(key, name, &raw) == 1);
  const NumberPtr value(raw);
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(raw)), '\0');
  ETCDMON_ASSERT(BN_bn2binpad(raw, bytes_of(bytes), static_cast<int>(bytes.size())) >= 0);
  return bytes;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// Both numbers side by side, as tokens have them.
std::string from_der(const std::string& der) {
  const unsigned char* data = bytes_of(std::string_view(der));
  const SignaturePtr pair(d2i_ECDSA_SIG(nullptr, &data, static_cast<long>(der.size())));
  std::string bytes(std::size_t{2} * kCoordinateSize, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes_of(bytes), kCoordinateSize);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes_of(bytes) + kCoordinateSize, kCoordinateSize);
  return bytes;
}

}  // namespace

Signer Signer::rsa(unsigned bits) {
  return Signer(held(EVP_RSA_gen(bits)));
}

Signer Signer::ec(const char* curve) {
  return Signer(held(EVP_EC_gen(curve)));
}

Signer Signer::ed25519() {
  return Signer(held(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")));
}

std::string Signer::jwk(std::string_view more) const {
  const auto* key = key_->public_key.get();
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return fmt::format(R"({{"kty":"RSA","n":"{}","e":"{}"{}}})",
                         encode_base64(number(key, OSSL_PKEY_PARAM_RSA_N, 0)),
                         encode_base64(number(key, OSSL_PKEY_PARAM_RSA_E, 0)), more);
    case EVP_PKEY_EC:
      return fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{}","y":"{}"{}}})",
                         encode_base64(number(key, OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateSize)),
                         encode_base64(number(key, OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateSize)),
                         more);
    default: {
      std::string raw(kCoordinateSize, '\0');
      std::size_t size = raw.size();
      ETCDMON_ASSERT(EVP_PKEY_get_raw_public_key(key, bytes_of(raw), &size) == 1);
      return fmt::format(R"({{"kty":"OKP","crv":"Ed25519","x":"{}"{}}})", encode_base64(raw), more);
    }
  }
}

std::string Signer::public_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ETCDMON_ASSERT(PEM_write_bio_PUBKEY(bio.get(), key_->public_key.get()) == 1);
  return text_of(bio.get());
}

std::string Signer::private_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ETCDMON_ASSERT(PEM_write_bio_PrivateKey(bio.get(), key_->public_key.get(), nullptr, nullptr, 0,
                                          nullptr, nullptr) == 1);
  return text_of(bio.get());
}

Key Signer::key(std::string id) const {
  auto keys = Key::from_pem(public_pem());
  ETCDMON_ASSERT(keys && keys->size() == 1);
  return std::move(keys->front()).with_id(std::move(id));
}

std::string Signer::sign(Algorithm algorithm, std::string_view text) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  const auto* digest = algorithm == Algorithm::kEdDsa ? nullptr : EVP_sha256();
  ETCDMON_ASSERT(
      EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key_->public_key.get()) == 1);
  if (algorithm == Algorithm::kPs256) {
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 0;
  ETCDMON_ASSERT(EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) == 1);
  std::string signature(size, '\0');
  ETCDMON_ASSERT(
      EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(text), text.size()) == 1);
  signature.resize(size);
  return algorithm == Algorithm::kEs256 ? from_der(signature) : signature;
}

std::string Signer::token(Algorithm algorithm, std::string_view header,
                          std::string_view payload) const {
  const auto text = fmt::format("{}.{}", encode_base64(header), encode_base64(payload));
  return fmt::format("{}.{}", text, encode_base64(sign(algorithm, text)));
}

std::string hmac_token(std::string_view secret, std::string_view header, std::string_view payload) {
  const auto text = fmt::format("{}.{}", encode_base64(header), encode_base64(payload));
  return fmt::format("{}.{}", text, encode_base64(hmac_sha256(secret, text)));
}

std::string token_of(std::string_view header, std::string_view payload,
                     std::string_view signature) {
  return fmt::format("{}.{}.{}", encode_base64(header), encode_base64(payload),
                     encode_base64(signature));
}

}  // namespace etcdmon::api::auth::testing
