#include "api/auth/key.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/auth/testing/signer.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth {
namespace {

using ::testing::HasSubstr;
using testing::Signer;

constexpr std::array kAll{Algorithm::kRs256, Algorithm::kPs256, Algorithm::kEs256,
                          Algorithm::kEdDsa, Algorithm::kHs256};

// Making RSA keys is slow.
const Signer& rsa() {
  static const auto kSigner = Signer::rsa();
  return kSigner;
}

TEST(Algorithms, NamesAreExact) {
  for (const auto algorithm : kAll) EXPECT_EQ(algorithm_of(name_of(algorithm)), algorithm);
  for (const auto* name : {"none", "None", "", "rs256", "RS384", "HS512", "ES256K", "RS256 "}) {
    EXPECT_EQ(algorithm_of(name), std::nullopt) << name;
  }
}

struct Signature {
  const char* name;
  Algorithm algorithm;
  const Signer signer;
};

TEST(KeyVerifies, WhatItsPrivateHalfSigned) {
  const Signature table[] = {{"Rs256", Algorithm::kRs256, rsa()},
                             {"Ps256", Algorithm::kPs256, rsa()},
                             {"Es256", Algorithm::kEs256, Signer::ec()},
                             {"EdDsa", Algorithm::kEdDsa, Signer::ed25519()}};
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const auto key = row.signer.key();
    auto signature = row.signer.sign(row.algorithm, "text");
    EXPECT_TRUE(key.verify(row.algorithm, "text", signature));
    EXPECT_FALSE(key.verify(row.algorithm, "Text", signature));
    EXPECT_FALSE(key.verify(row.algorithm, "text", ""));
    EXPECT_FALSE(key.verify(row.algorithm, "text", signature + '\0'));
    EXPECT_FALSE(key.verify(row.algorithm, "text", std::string(signature.size(), '\0')));
    for (const auto other : kAll) {
      if (other != row.algorithm) {
        EXPECT_FALSE(key.verify(other, "text", signature)) << name_of(other);
      }
    }
    signature.back() = static_cast<char>(signature.back() ^ 1);
    EXPECT_FALSE(key.verify(row.algorithm, "text", signature));
  }
}

TEST(KeyVerifies, AnEcSignatureAsTokensHaveItOnly) {
  const auto signer = Signer::ec();
  // OpenSSL's own form, which is DER.
  const auto der = signer.sign(Algorithm::kRs256, "text");
  EXPECT_FALSE(signer.key().verify(Algorithm::kEs256, "text", der));
}

TEST(KeyVerifies, OneAlgorithmWhereItIsBoundToIt) {
  const auto key = rsa().key().only_for(Algorithm::kPs256);
  EXPECT_TRUE(key.verify(Algorithm::kPs256, "text", rsa().sign(Algorithm::kPs256, "text")));
  EXPECT_FALSE(key.verify(Algorithm::kRs256, "text", rsa().sign(Algorithm::kRs256, "text")));
}

// The example of RFC 7515, A.1.
TEST(KeyVerifies, AnHmac) {
  constexpr std::string_view kText =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh"
      "0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const auto secret = decode_base64(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  auto signature = decode_base64("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_TRUE(secret && signature);
  const auto key = Key::hmac(Secret(*secret));
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->verify(Algorithm::kHs256, kText, *signature));
  EXPECT_FALSE(key->verify(Algorithm::kHs256, kText, signature->substr(0, 31)));
  EXPECT_FALSE(key->verify(Algorithm::kRs256, kText, *signature));
  signature->front() = static_cast<char>(signature->front() ^ 1);
  EXPECT_FALSE(key->verify(Algorithm::kHs256, kText, *signature));
}

// The example of RFC 8037, A.4.
TEST(KeyVerifies, AnEd25519SignatureOfTheStandard) {
  const auto x = decode_base64("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  const auto signature = decode_base64(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  ASSERT_TRUE(x && signature);
  const auto key = Key::ed25519(*x);
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->verify(Algorithm::kEdDsa,
                          "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", *signature));
}

std::string refusal(const Result<Key>& key) {
  return key ? "taken" : key.error().message;
}

TEST(KeyRefuses, WeakAndBrokenOnes) {
  const std::string big(256, '\xff');
  EXPECT_THAT(refusal(Key::hmac(Secret(std::string(31, 'x')))), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal(Key::hmac(Secret(rsa().public_pem()))), HasSubstr("no HMAC key"));
  EXPECT_THAT(refusal(Key::rsa(std::string(255, '\xff'), "\x03")), HasSubstr("2040 bits"));
  EXPECT_EQ(refusal(Key::rsa(big, "\x03")), "taken");
  EXPECT_THAT(refusal(Key::rsa(big, "\x02")), HasSubstr("exponent"));
  EXPECT_THAT(refusal(Key::rsa(big, "\x01")), HasSubstr("exponent"));
  EXPECT_THAT(refusal(Key::rsa(big, std::string(5, '\x01'))), HasSubstr("exponent"));
  EXPECT_NE(refusal(Key::rsa(big, "")), "taken");
  EXPECT_NE(refusal(Key::rsa("", "\x03")), "taken");
  EXPECT_THAT(refusal(Key::rsa(std::string(4096, '\xff'), "\x03")), HasSubstr("too many"));
  EXPECT_THAT(refusal(Key::ec_p256(std::string(32, '\x01'), std::string(32, '\x01'))),
              HasSubstr("not on the curve"));
  EXPECT_THAT(refusal(Key::ec_p256(std::string(31, '\x01'), std::string(32, '\x01'))),
              HasSubstr("32 bytes"));
  EXPECT_THAT(refusal(Key::ed25519(std::string(31, '\x01'))), HasSubstr("32 bytes"));
}

struct PemCase {
  const char* name;
  std::string text;
  std::string message;
};

TEST(KeyFromPem, TakesPublicKeysOnly) {
  const auto ec = Signer::ec();
  const PemCase table[] = {
      {"Nothing", "", "no public key"},
      {"NoPem", "ssh-ed25519 AAAA", "no public key"},
      {"Huge", std::string(300'000, '\n') + ec.public_pem(), "256 KiB"},
      {"Private", ec.private_pem(), "a private key"},
      {"PublicThenPrivate", ec.public_pem() + ec.private_pem(), "a private key"},
      {"OtherCurve", Signer::ec("P-384").public_pem(), "unknown kind"},
      {"Koblitz", Signer::ec("secp256k1").public_pem(), "unknown kind"},
      {"ShortRsa", Signer::rsa(1024).public_pem(), "1024 bits"},
      {"BrokenKey", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public"},
      {"Request", "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n", "OTHER"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const auto keys = Key::from_pem(row.text);
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(keys.error().message, HasSubstr(row.message));
  }
  const auto keys = Key::from_pem("about: this\n" + ec.public_pem() + rsa().public_pem() +
                                  Signer::ed25519().public_pem());
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].type(), KeyType::kEcP256);
  EXPECT_EQ((*keys)[1].type(), KeyType::kRsa);
  EXPECT_EQ((*keys)[2].type(), KeyType::kEd25519);
}

}  // namespace
}  // namespace etcdmon::api::auth
