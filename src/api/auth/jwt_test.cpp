#include "api/auth/jwt.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/auth/testing/signer.hpp"

namespace etcdmon::api::auth {
namespace {

using namespace std::chrono_literals;
using testing::hmac_token;
using testing::Signer;
using testing::token_of;

constexpr std::string_view kHeader = R"({"alg":"RS256","kid":"a","typ":"JWT"})";
const WallTime kNow{std::chrono::seconds(1'000'000)};
const std::string kSecret(32, 's');

const Signer& rsa() {
  static const auto kSigner = Signer::rsa();
  return kSigner;
}

JwtPolicy policy() {
  return {.issuer = "https://issuer", .audiences = {"monitor", "other"}, .leeway = 30s};
}

std::string payload(std::string_view claims = R"("exp":1000100)", std::string_view sub = "ann") {
  return fmt::format(R"({{"iss":"https://issuer","aud":"monitor","sub":"{}",{}}})", sub, claims);
}

std::string outcome(std::string_view token, std::span<const Key> keys,
                    const JwtPolicy& wanted = policy()) {
  const auto parsed = parse_jwt(token);
  if (!parsed) return std::string(name_of(parsed.error()));
  const auto claims = verify_jwt(*parsed, keys, wanted, kNow);
  return claims ? claims->subject : std::string(name_of(claims.error()));
}

struct Case {
  const char* name;
  std::string text;
  std::string outcome;
  friend std::ostream& operator<<(std::ostream& os, const Case& c) { return os << c.name; }
};

class JwtHeaders : public ::testing::TestWithParam<Case> {};

TEST_P(JwtHeaders, AreTakenOrRefused) {
  const std::vector keys{rsa().key("a")};
  EXPECT_EQ(outcome(rsa().token(Algorithm::kRs256, GetParam().text, payload()), keys),
            GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Table, JwtHeaders,
    ::testing::Values(
        Case{"Good", std::string(kHeader), "ann"},
        Case{"NoTypeNoKeyId", R"({"alg":"RS256"})", "ann"},
        Case{"AccessToken", R"({"alg":"RS256","typ":"AT+JWT"})", "ann"},
        Case{"LogoutToken", R"({"alg":"RS256","typ":"logout+jwt"})", "unsupported_type"},
        Case{"TypeIsNumber", R"({"alg":"RS256","typ":1})", "malformed"},
        Case{"None", R"({"alg":"none"})", "unsupported_algorithm"},
        Case{"NoneOtherwise", R"({"alg":"nOnE"})", "unsupported_algorithm"},
        Case{"LowerCase", R"({"alg":"rs256"})", "unsupported_algorithm"},
        Case{"Unknown", R"({"alg":"RS1"})", "unsupported_algorithm"},
        Case{"Empty", R"({"alg":""})", "unsupported_algorithm"},
        Case{"NoAlgorithm", R"({"kid":"a"})", "malformed"},
        Case{"AlgorithmIsList", R"({"alg":["RS256"]})", "malformed"},
        Case{"AlgorithmTwice", R"({"alg":"none","alg":"RS256"})", "malformed"},
        Case{"AlgorithmTwiceByEscape", R"({"alg":"none","\u0061lg":"RS256"})", "malformed"},
        Case{"Critical", R"({"alg":"RS256","crit":["exp"],"exp":1})", "critical"},
        Case{"CriticalOfNothing", R"({"alg":"RS256","crit":[]})", "critical"},
        Case{"UnencodedPayload", R"({"alg":"RS256","b64":false})", "malformed"},
        Case{"UnknownKeyId", R"({"alg":"RS256","kid":"b"})", "unknown_key"},
        Case{"EmptyKeyId", R"({"alg":"RS256","kid":""})", "malformed"},
        Case{"KeyIdIsNumber", R"({"alg":"RS256","kid":1})", "malformed"},
        Case{"KeyForOtherAlgorithm", R"({"alg":"ES256","kid":"a"})", "unfit_key"},
        Case{"SameKeyOtherAlgorithm", R"({"alg":"PS256","kid":"a"})", "bad_signature"},
        Case{"NotUsedByIssuer", R"({"alg":"HS256","kid":"a"})", "unsupported_algorithm"},
        Case{"OwnKeyInHeader", R"({"alg":"RS256","jwk":{"kty":"oct","k":"AA"},"jku":"http://x"})",
             "ann"},
        Case{"NoObject", R"(["RS256"])", "malformed"}, Case{"NoJson", "alg", "malformed"},
        Case{"SomethingAfter", R"({"alg":"RS256"}x)", "malformed"},
        Case{"Nothing", "", "malformed"},
        Case{"InvalidUtf8", "{\"alg\":\"RS256\",\"x\":\"\xff\"}", "malformed"}),
    ::testing::PrintToStringParamName());

class JwtClaims : public ::testing::TestWithParam<Case> {};

TEST_P(JwtClaims, AreTakenOrRefused) {
  const std::vector keys{rsa().key("a")};
  EXPECT_EQ(outcome(rsa().token(Algorithm::kRs256, kHeader, GetParam().text), keys),
            GetParam().outcome);
}

// The clock says 1000000, and the leeway is 30 s.
INSTANTIATE_TEST_SUITE_P(
    Times, JwtClaims,
    ::testing::Values(
        Case{"Good", payload(), "ann"}, Case{"NoExpiry", payload(R"("iat":1)"), "no_expiry"},
        Case{"InsideLeeway", payload(R"("exp":999971)"), "ann"},
        Case{"Expired", payload(R"("exp":999970)"), "expired"},
        Case{"ExpiryIsText", payload(R"("exp":"1000100")"), "malformed"},
        Case{"ExpiryIsNull", payload(R"("exp":null)"), "malformed"},
        Case{"ExpiryNegative", payload(R"("exp":-1)"), "malformed"},
        Case{"ExpiryWithFraction", payload(R"("exp":1000000.5)"), "ann"},
        Case{"ExpiryFarAway", payload(R"("exp":253402300799)"), "ann"},
        Case{"ExpiryBeyondIntegers", payload(R"("exp":1e300)"), "ann"},
        Case{"ExpiryNoNumber", payload(R"("exp":1e999)"), "malformed"},
        Case{"ExpiryTwice", payload(R"("exp":1,"exp":1000100)"), "malformed"},
        Case{"NotBeforeInsideLeeway", payload(R"("exp":1000100,"nbf":1000030)"), "ann"},
        Case{"NotYet", payload(R"("exp":1000100,"nbf":1000031)"), "not_yet_valid"},
        Case{"NotBeforeIsText", payload(R"("exp":1000100,"nbf":"0")"), "malformed"},
        Case{"IssuedInsideLeeway", payload(R"("exp":1000100,"iat":1000030)"), "ann"},
        Case{"IssuedInFuture", payload(R"("exp":1000100,"iat":1000031)"), "issued_in_future"}),
    ::testing::PrintToStringParamName());

std::string claims(std::string_view text) {
  return fmt::format(R"({{{},"exp":1000100}})", text);
}

INSTANTIATE_TEST_SUITE_P(
    Names, JwtClaims,
    ::testing::Values(
        Case{"OneOfAudiences", claims(R"("iss":"https://issuer","aud":["x","other"],"sub":"ann")"),
             "ann"},
        Case{"WrongAudience", claims(R"("iss":"https://issuer","aud":"x","sub":"ann")"),
             "wrong_audience"},
        Case{"NoneOfAudiences", claims(R"("iss":"https://issuer","aud":[],"sub":"ann")"),
             "wrong_audience"},
        Case{"PartOfAudience", claims(R"("iss":"https://issuer","aud":"monito","sub":"ann")"),
             "wrong_audience"},
        Case{"NoAudience", claims(R"("iss":"https://issuer","sub":"ann")"), "wrong_audience"},
        Case{"AudienceOfNumbers",
             claims(R"("iss":"https://issuer","aud":["monitor",1],"sub":"ann")"), "malformed"},
        Case{"AudienceIsObject", claims(R"("iss":"https://issuer","aud":{},"sub":"ann")"),
             "malformed"},
        Case{"NoIssuer", claims(R"("aud":"monitor","sub":"ann")"), "wrong_issuer"},
        Case{"IssuerIsNumber", claims(R"("iss":1,"aud":"monitor","sub":"ann")"), "wrong_issuer"},
        Case{"WrongIssuer", claims(R"("iss":"https://issuer/","aud":"monitor","sub":"ann")"),
             "wrong_issuer"},
        Case{"NoSubject", claims(R"("iss":"https://issuer","aud":"monitor")"), "no_subject"},
        Case{"EmptySubject", payload(R"("exp":1000100)", ""), "no_subject"},
        Case{"SubjectWithNewLine", payload(R"("exp":1000100)", R"(a\nb)"), "no_subject"},
        Case{"SubjectTooLong", payload(R"("exp":1000100)", std::string(256, 'a')), "no_subject"},
        Case{"SubjectIsNumber", claims(R"("iss":"https://issuer","aud":"monitor","sub":1)"),
             "no_subject"},
        Case{"ClaimTwiceInside", payload(R"("exp":1000100,"a":{"b":1,"b":2})"), "malformed"},
        Case{"SameNameElsewhere", payload(R"("exp":1000100,"a":{"exp":1},"b":[{"exp":1}])"), "ann"},
        Case{"TooDeep",
             payload(R"("exp":1000100,"a":)" + std::string(16, '[') + std::string(16, ']')),
             "malformed"},
        Case{"DeepEnough",
             payload(R"("exp":1000100,"a":)" + std::string(15, '[') + std::string(15, ']')), "ann"},
        Case{"List", "[]", "malformed"}, Case{"Nothing", "", "malformed"}),
    ::testing::PrintToStringParamName());

TEST(JwtText, IsThreePartsOfBase64url) {
  const std::vector keys{rsa().key("a")};
  const auto good = rsa().token(Algorithm::kRs256, kHeader, payload());
  ASSERT_EQ(outcome(good, keys), "ann");
  const auto unsigned_text = good.substr(0, good.rfind('.'));
  EXPECT_EQ(outcome("", keys), "malformed");
  EXPECT_EQ(outcome("..", keys), "malformed");
  EXPECT_EQ(outcome(unsigned_text, keys), "malformed");
  EXPECT_EQ(outcome(unsigned_text + ".", keys), "bad_signature");
  EXPECT_EQ(outcome(good + ".", keys), "malformed");
  EXPECT_EQ(outcome(good + ".AA.AA", keys), "malformed");
  EXPECT_EQ(outcome(good + "==", keys), "malformed");
  EXPECT_EQ(outcome(" " + good, keys), "malformed");
  EXPECT_EQ(outcome(good + "\n", keys), "malformed");
  EXPECT_EQ(outcome(token_of(kHeader, payload(R"("exp":1000101)"), "x"), keys), "bad_signature");
}

TEST(JwtText, IsSmall) {
  const std::vector keys{rsa().key("a")};
  const auto token = [](std::size_t filler) {
    return rsa().token(Algorithm::kRs256, kHeader,
                       payload(fmt::format(R"("exp":1000100,"x":"{}")", std::string(filler, 'x'))));
  };
  EXPECT_EQ(outcome(token(5'600), keys), "ann");
  EXPECT_EQ(outcome(token(6'200), keys), "too_large");
}

TEST(JwtKeys, AreChosenByNameAndKind) {
  const auto ec = Signer::ec();
  const std::vector keys{ec.key("e"), rsa().key("r"), Signer::ed25519().key("e2"), rsa().key()};
  const auto as = [](const Signer& signer, Algorithm algorithm, std::string_view id) {
    return signer.token(algorithm,
                        fmt::format(R"({{"alg":"{}"{}}})", name_of(algorithm),
                                    id.empty() ? "" : fmt::format(R"(,"kid":"{}")", id)),
                        payload());
  };
  EXPECT_EQ(outcome(as(ec, Algorithm::kEs256, "e"), keys), "ann");
  EXPECT_EQ(outcome(as(ec, Algorithm::kEs256, ""), keys), "ann");
  EXPECT_EQ(outcome(as(rsa(), Algorithm::kPs256, "r"), keys), "ann");
  // A key without a name, as one of a file, serves every name that no other key has.
  EXPECT_EQ(outcome(as(rsa(), Algorithm::kRs256, "new"), keys), "ann");
  EXPECT_EQ(outcome(as(rsa(), Algorithm::kRs256, "e"), keys), "unfit_key");
  EXPECT_EQ(outcome(as(Signer::ec(), Algorithm::kEs256, "e"), keys), "bad_signature");
  // It may be signed by a key that is not known yet.
  EXPECT_EQ(outcome(as(Signer::rsa(), Algorithm::kRs256, "new"), keys), "unknown_key");
  EXPECT_EQ(outcome(as(rsa(), Algorithm::kRs256, "r"), {}), "unknown_key");
}

// Who knows the public key signs with it as if it were the secret of HS256.
TEST(JwtKeys, APublicKeyIsNoSecret) {
  auto wanted = policy();
  wanted.algorithms.push_back(Algorithm::kHs256);
  const std::vector keys{rsa().key("a")};
  for (const auto& secret : {rsa().public_pem(), rsa().jwk()}) {
    EXPECT_EQ(outcome(hmac_token(secret, R"({"alg":"HS256","kid":"a"})", payload()), keys, wanted),
              "unfit_key");
    EXPECT_EQ(outcome(hmac_token(secret, R"({"alg":"HS256"})", payload()), keys, wanted),
              "unfit_key");
    EXPECT_EQ(outcome(hmac_token(secret, R"({"alg":"RS256"})", payload()), keys, wanted),
              "bad_signature");
  }
}

TEST(JwtKeys, ASecretIsTakenWhereThePolicySaysSo) {
  auto secret = Key::hmac(Secret(kSecret));
  ASSERT_TRUE(secret);
  const std::vector keys{*secret};
  const auto token = hmac_token(kSecret, R"({"alg":"HS256"})", payload());
  EXPECT_EQ(outcome(token, keys), "unsupported_algorithm");
  auto wanted = policy();
  wanted.algorithms = {Algorithm::kHs256};
  EXPECT_EQ(outcome(token, keys, wanted), "ann");
  EXPECT_EQ(outcome(hmac_token(kSecret + "x", R"({"alg":"HS256"})", payload()), keys, wanted),
            "bad_signature");
}

TEST(JwtPolicies, LetNobodyInByThemselves) {
  const std::vector keys{rsa().key("a")};
  const auto token = rsa().token(Algorithm::kRs256, kHeader, payload());
  EXPECT_EQ(outcome(token, keys, {}), "wrong_issuer");
  EXPECT_EQ(outcome(token, keys, {.issuer = "https://issuer"}), "wrong_audience");
}

TEST(JwtClaimsGiven, AreThoseOfTheToken) {
  const std::vector keys{rsa().key("a")};
  const auto text = payload(R"("exp":1000100,"groups":["sre"])");
  const auto parsed = parse_jwt(rsa().token(Algorithm::kRs256, kHeader, text));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->issuer, "https://issuer");
  EXPECT_EQ(parsed->key_id, "a");
  const auto given = verify_jwt(*parsed, keys, policy(), kNow);
  ASSERT_TRUE(given);
  EXPECT_EQ(*given, (Claims{"ann", kNow + 100s, text}));
}

}  // namespace
}  // namespace etcdmon::api::auth
