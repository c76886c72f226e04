#include "api/auth/jwks.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/auth/testing/signer.hpp"

namespace etcdmon::api::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Signer;

const Signer& rsa() {
  static const auto kSigner = Signer::rsa();
  return kSigner;
}

const Signer& ec() {
  static const auto kSigner = Signer::ec();
  return kSigner;
}

std::string set_of(std::string_view keys) {
  return fmt::format(R"({{"keys":[{}]}})", keys);
}

struct Case {
  const char* name;
  std::string key;
  std::string skipped;  // empty: it is taken
};

TEST(JwksKey, IsTakenOrSkipped) {
  const auto ed = Signer::ed25519();
  const auto point = std::string(43, 'A');
  const Case table[] = {
      {"Rsa", rsa().jwk(), ""},
      {"RsaForPs256", rsa().jwk(R"(,"alg":"PS256","use":"sig","kid":"a")"), ""},
      {"Ec", ec().jwk(R"(,"key_ops":["verify"])"), ""},
      {"Ed25519", ed.jwk(R"(,"alg":"EdDSA")"), ""},
      {"UnknownMembers", ed.jwk(R"(,"x5c":["AA"],"new":{})"), ""},
      {"ForEncryption", rsa().jwk(R"(,"use":"enc")"), "not for verifying"},
      {"ForSigning", rsa().jwk(R"(,"key_ops":["sign"])"), "not for verifying"},
      {"RsaForEc", rsa().jwk(R"(,"alg":"ES256")"), "does not fit"},
      {"RsaForHmac", rsa().jwk(R"(,"alg":"HS256")"), "does not fit"},
      {"UnknownAlgorithm", rsa().jwk(R"(,"alg":"RS512")"), "does not fit"},
      {"BadKeyId", rsa().jwk(R"(,"kid":7)"), "bad kid"},
      {"Short", Signer::rsa(1024).jwk(), "1024 bits"},
      {"Secret", R"({"kty":"oct","k":")" + std::string(64, 'A') + R"("})", "a secret"},
      {"OtherCurve", R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})", "unknown kind"},
      {"OffCurve", fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}})", point),
       "curve"},
      {"X25519", R"({"kty":"OKP","crv":"X25519","x":"AA"})", "unknown kind"},
      {"NoKind", R"({"n":"AA"})", "unknown kind"},
      {"KindIsNumber", R"({"kty":1})", "unknown kind"},
      {"PaddedNumber", R"({"kty":"RSA","n":"AA==","e":"AQAB"})", "without n or e"},
      {"NoObject", "1", "no object"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    const auto set = parse_jwks(set_of(row.key));
    ASSERT_TRUE(set);
    EXPECT_EQ(set->keys.size(), row.skipped.empty() ? 1U : 0U);
    if (row.skipped.empty()) {
      EXPECT_THAT(set->skipped, IsEmpty());
    } else {
      EXPECT_THAT(set->skipped, ElementsAre(HasSubstr(row.skipped)));
    }
  }
}

TEST(JwksKey, VerifiesWhatItWasPublishedFor) {
  const auto set = parse_jwks(set_of(rsa().jwk(R"(,"alg":"PS256","kid":"r")") + "," +
                                     R"({"kty":"new"},)" + ec().jwk(R"(,"kid":"e")")));
  ASSERT_TRUE(set);
  ASSERT_EQ(set->keys.size(), 2U);
  EXPECT_THAT(set->skipped, ElementsAre(HasSubstr("key 2 of the set")));
  const auto& keys = set->keys;
  EXPECT_EQ(keys[0].id(), "r");
  EXPECT_TRUE(keys[0].verify(Algorithm::kPs256, "t", rsa().sign(Algorithm::kPs256, "t")));
  EXPECT_FALSE(keys[0].verify(Algorithm::kRs256, "t", rsa().sign(Algorithm::kRs256, "t")));
  EXPECT_TRUE(keys[1].verify(Algorithm::kEs256, "t", ec().sign(Algorithm::kEs256, "t")));
}

TEST(JwksText, IsASet) {
  for (const auto& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[],"keys":[]})"), set_of(std::string(300'000, ' ')), rsa().jwk()}) {
    EXPECT_FALSE(parse_jwks(text)) << text.substr(0, 40);
  }
  std::string many = "1";
  for (int i = 1; i < 64; ++i) many += ",1";
  EXPECT_TRUE(parse_jwks(set_of(many)));
  EXPECT_FALSE(parse_jwks(set_of(many + ",1")));
}

TEST(Discovery, NamesTheKeysOfThisIssuer) {
  const auto uri = [](std::string_view text) {
    const auto found = jwks_uri_of(text, "https://issuer");
    return found ? *found : found.error().message;
  };
  EXPECT_EQ(uri(R"({"issuer":"https://issuer","jwks_uri":"https://issuer/keys"})"),
            "https://issuer/keys");
  EXPECT_THAT(uri(R"({"issuer":"https://issuer/","jwks_uri":"https://issuer/keys"})"),
              HasSubstr("another issuer"));
  EXPECT_THAT(uri(R"({"jwks_uri":"https://issuer/keys"})"), HasSubstr("another issuer"));
  EXPECT_THAT(uri(R"({"issuer":"https://issuer","jwks_uri":"http://issuer/keys"})"),
              HasSubstr("https"));
  EXPECT_THAT(uri(R"({"issuer":"https://issuer"})"), HasSubstr("https"));
  EXPECT_THAT(uri("<html>"), HasSubstr("no JSON"));
}

class IssuerKeysOverTime : public ::testing::Test {
 protected:
  KeySet two() const { return *parse_jwks(set_of(rsa().jwk() + "," + ec().jwk())); }
  KeySet one() const { return *parse_jwks(set_of(ec().jwk())); }
  SteadyTime at(std::chrono::seconds since) const { return SteadyTime(1'000s + since); }

  IssuerKeys issuer_{IssuerKeys::Options{.refresh = 600s, .retry = 30s, .keep = 3'600s}};
};

TEST_F(IssuerKeysOverTime, AreFetchedAndRefreshed) {
  EXPECT_THAT(issuer_.keys(at(0s)), IsEmpty());
  EXPECT_TRUE(issuer_.wants_fetch(at(0s)));
  issuer_.fetch_started(at(0s));
  EXPECT_FALSE(issuer_.wants_fetch(at(100s)));
  issuer_.fetched(two(), at(1s));
  EXPECT_EQ(issuer_.keys(at(1s)).size(), 2U);
  EXPECT_FALSE(issuer_.wants_fetch(at(599s)));
  EXPECT_TRUE(issuer_.wants_fetch(at(600s)));
  issuer_.fetch_started(at(600s));
  EXPECT_EQ(issuer_.keys(at(600s)).size(), 2U);
  // One was withdrawn.
  issuer_.fetched(one(), at(601s));
  EXPECT_EQ(issuer_.keys(at(601s)).size(), 1U);
}

TEST_F(IssuerKeysOverTime, AnUnknownNameIsAReasonNowAndThen) {
  issuer_.fetch_started(at(0s));
  issuer_.fetched(one(), at(0s));
  issuer_.missed_key();
  EXPECT_FALSE(issuer_.wants_fetch(at(29s)));
  EXPECT_TRUE(issuer_.wants_fetch(at(30s)));
  issuer_.fetch_started(at(30s));
  issuer_.fetched(two(), at(30s));
  EXPECT_FALSE(issuer_.wants_fetch(at(90s)));
  // It came up while a fetch was under way: that one may have been too early.
  issuer_.fetch_started(at(700s));
  issuer_.missed_key();
  issuer_.fetched(two(), at(701s));
  EXPECT_TRUE(issuer_.wants_fetch(at(730s)));
}

TEST_F(IssuerKeysOverTime, OldOnesStandWhileFetchesFailButNotForEver) {
  issuer_.fetch_started(at(0s));
  issuer_.fetched(two(), at(0s));
  issuer_.fetch_started(at(600s));
  issuer_.fetch_failed();
  EXPECT_FALSE(issuer_.wants_fetch(at(629s)));
  EXPECT_TRUE(issuer_.wants_fetch(at(630s)));
  issuer_.fetch_started(at(630s));
  issuer_.fetched(KeySet{}, at(630s));
  EXPECT_TRUE(issuer_.wants_fetch(at(660s)));
  EXPECT_EQ(issuer_.keys(at(3'600s)).size(), 2U);
  EXPECT_THAT(issuer_.keys(at(3'601s)), IsEmpty());
}

TEST_F(IssuerKeysOverTime, ThoseOfAFileStay) {
  IssuerKeys fixed(two());
  fixed.missed_key();
  EXPECT_FALSE(fixed.wants_fetch(at(100'000s)));
  EXPECT_EQ(fixed.keys(at(100'000s)).size(), 2U);
}

}  // namespace
}  // namespace etcdmon::api::auth
