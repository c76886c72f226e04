#include "api/auth/key.hpp"

#include <array>
#include <tuple>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "api/auth/detail/openssl.hpp"

namespace etcdmon::api::auth {

namespace {

using namespace detail;

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;
constexpr int kMostExponentBits = 32;
constexpr std::size_t kLeastSecret = 32;
constexpr std::size_t kCoordinate = 32;
constexpr std::size_t kEd25519Key = 32;
constexpr std::size_t kMostPem = 256U << 10U;

struct Spelling {
  Algorithm algorithm;
  std::string_view name;
  KeyType type;
};

constexpr std::array kSpellings{
    Spelling{Algorithm::kRs256, "RS256", KeyType::kRsa},
    Spelling{Algorithm::kPs256, "PS256", KeyType::kRsa},
    Spelling{Algorithm::kEs256, "ES256", KeyType::kEcP256},
    Spelling{Algorithm::kEdDsa, "EdDSA", KeyType::kEd25519},
    Spelling{Algorithm::kHs256, "HS256", KeyType::kHmac},
};

Error bad_key(std::string message) {
  // What OpenSSL queued is about this key; nobody else shall read it.
  ERR_clear_error();
  return Error{ErrorCode::kInvalidArgument, std::move(message), Cause::kLocal};
}

KeyPtr from_parameters(const char* kind, OSSL_PARAM_BLD* builder) {
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return KeyPtr(key);
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(),
                                        nullptr) == 1 &&
         std::string_view(name.data()) == "prime256v1";
}

// Null: not of this kind, or sound.
std::optional<std::string> weakness_of_rsa(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return fmt::format("an RSA key of {} bits; {} to {} are taken", bits, kLeastRsaBits,
                       kMostRsaBits);
  }
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &number) != 1) return "no RSA key";
  const NumberPtr exponent(number);
  if (BN_is_odd(exponent.get()) != 1 || BN_is_one(exponent.get()) == 1 ||
      BN_num_bits(exponent.get()) > kMostExponentBits) {
    return "an RSA key with an unsound exponent";
  }
  return std::nullopt;
}

bool verify_with(EVP_PKEY* key, const EVP_MD* digest, bool pss, std::string_view text,
                 std::string_view signature) {
  const DigestContextPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  const bool ready =
      context && EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, key) == 1 &&
      (!pss || (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1));
  const bool good = ready && EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                              bytes_of(text), text.size()) == 1;
  ERR_clear_error();
  return good;
}

/// A token carries both numbers side by side, OpenSSL wants them in DER.
std::optional<std::string> to_der(std::string_view signature) {
  if (signature.size() != 2 * kCoordinate) return std::nullopt;
  NumberPtr r(BN_bin2bn(bytes_of(signature), kCoordinate, nullptr));
  NumberPtr s(BN_bin2bn(bytes_of(signature) + kCoordinate, kCoordinate, nullptr));
  const SignaturePtr pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  std::ignore = r.release();  // the pair owns both now
  std::ignore = s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

KeyPtr key_of_block(const std::string& label, const unsigned char* data, long size) {
  if (label == PEM_STRING_PUBLIC) return KeyPtr(d2i_PUBKEY(nullptr, &data, size));
  if (label == PEM_STRING_X509 || label == PEM_STRING_X509_TRUSTED) {
    const X509Ptr certificate(d2i_X509(nullptr, &data, size));
    return certificate ? KeyPtr(X509_get_pubkey(certificate.get())) : nullptr;
  }
  return nullptr;
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
  for (const auto& spelling : kSpellings) {
    if (spelling.algorithm == algorithm) return spelling.name;
  }
  return "?";
}

std::optional<Algorithm> algorithm_of(std::string_view name) {
  for (const auto& spelling : kSpellings) {
    if (spelling.name == name) return spelling.algorithm;
  }
  return std::nullopt;
}

Result<Key> Key::of(KeyMaterial material) {
  KeyType type = KeyType::kHmac;
  if (auto* key = material.public_key.get(); key != nullptr) {
    const int kind = EVP_PKEY_get_base_id(key);
    if (kind == EVP_PKEY_RSA) {
      type = KeyType::kRsa;
      if (auto weakness = weakness_of_rsa(key)) return bad_key(*std::move(weakness));
    } else if (kind == EVP_PKEY_EC && is_p256(key)) {
      type = KeyType::kEcP256;
    } else if (kind == EVP_PKEY_ED25519) {
      type = KeyType::kEd25519;
    } else {
      return bad_key("a key of an unknown kind; RSA, EC P-256 and Ed25519 are taken");
    }
  }
  return Key(type, std::make_shared<const KeyMaterial>(std::move(material)));
}

Result<Key> Key::rsa(std::string_view modulus, std::string_view exponent) {
  constexpr std::size_t kMostBytes = kMostRsaBits / 8 + 1;
  if (modulus.size() > kMostBytes || exponent.size() > kMostBytes) {
    return bad_key("an RSA key with too many bits");
  }
  const NumberPtr n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  const NumberPtr e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  const ParameterBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return bad_key("no RSA key");
  }
  KeyMaterial material;
  material.public_key.reset(from_parameters("RSA", builder.get()).release());
  if (!material.public_key) return bad_key("no RSA key");
  return of(std::move(material));
}

Result<Key> Key::ec_p256(std::string_view x, std::string_view y) {
  if (x.size() != kCoordinate || y.size() != kCoordinate) {
    return bad_key("an EC key whose coordinates have not 32 bytes");
  }
  const std::string point = fmt::format("\x04{}{}", x, y);
  const ParameterBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return bad_key("no EC key");
  }
  KeyMaterial material;
  material.public_key.reset(from_parameters("EC", builder.get()).release());
  if (!material.public_key) return bad_key("an EC key that is not on the curve");
  return of(std::move(material));
}

Result<Key> Key::ed25519(std::string_view x) {
  if (x.size() != kEd25519Key) return bad_key("an Ed25519 key that has not 32 bytes");
  KeyMaterial material;
  material.public_key.reset(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
  if (!material.public_key) return bad_key("no Ed25519 key");
  return of(std::move(material));
}

Result<Key> Key::hmac(const Secret& secret) {
  if (secret.reveal().size() < kLeastSecret) {
    return bad_key(fmt::format("an HMAC key needs {} bytes at least", kLeastSecret));
  }
  if (secret.reveal().find("-----BEGIN ") != std::string::npos) {
    return bad_key("a PEM file is no HMAC key: who knows the public key could sign with it");
  }
  KeyMaterial material;
  material.secret = secret;
  return of(std::move(material));
}

Result<std::vector<Key>> Key::from_pem(std::string_view text) {
  if (text.size() > kMostPem) return bad_key("a PEM file of more than 256 KiB");
  const BioPtr source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::vector<Key> keys;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (source && PEM_read_bio(source.get(), &name, &header, &data, &size) == 1) {
    const std::string label(name);
    KeyMaterial material;
    material.public_key.reset(key_of_block(label, data, size).release());
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
    if (label.ends_with("PRIVATE KEY")) {
      return bad_key("a private key, where the public one is needed and is safe");
    }
    if (!material.public_key) return bad_key(fmt::format("\"{}\" is no public key", label));
    ETCDMON_TRY(auto key, of(std::move(material)));
    keys.push_back(std::move(key));
  }
  ERR_clear_error();
  if (keys.empty()) return bad_key("there is no public key and no certificate in PEM");
  return keys;
}

Key Key::with_id(std::string id) && {
  id_ = std::move(id);
  return std::move(*this);
}

Key Key::only_for(Algorithm algorithm) && {
  only_ = algorithm;
  return std::move(*this);
}

bool Key::fits(Algorithm algorithm) const {
  if (only_ && *only_ != algorithm) return false;
  for (const auto& spelling : kSpellings) {
    if (spelling.algorithm == algorithm) return spelling.type == type_;
  }
  return false;
}

bool Key::verify(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  if (!fits(algorithm)) return false;
  auto* key = material_->public_key.get();
  switch (algorithm) {
    case Algorithm::kRs256:
      return verify_with(key, EVP_sha256(), false, text, signature);
    case Algorithm::kPs256:
      return verify_with(key, EVP_sha256(), true, text, signature);
    case Algorithm::kEs256: {
      const auto der = to_der(signature);
      return der && verify_with(key, EVP_sha256(), false, text, *der);
    }
    case Algorithm::kEdDsa:
      return verify_with(key, nullptr, false, text, signature);
    case Algorithm::kHs256:
      return equal_in_constant_time(hmac_sha256(material_->secret.reveal(), text), signature);
  }
  return false;
}

}  // namespace etcdmon::api::auth
