#include "api/auth/authenticator.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/auth/testing/signer.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Signer;

constexpr std::string_view kPassword = "correct horse battery";
const WallTime kEpoch{std::chrono::seconds(1'000'000)};

Now at(Duration since) {
  return {SteadyTime(500s + since), kEpoch + since};
}

const Signer& ec() {
  static const auto kSigner = Signer::ec();
  return kSigner;
}

const PasswordHash& hash() {
  static const auto kHash =
      *hash_password(Secret(std::string(kPassword)), {.log2_n = 14, .block_size = 8, .passes = 1});
  return kHash;
}

const std::string& api_token() {
  static const auto kToken = make_api_token().reveal();
  return kToken;
}

KeySet keys_of(const Signer& signer, std::string id) {
  KeySet set;
  set.keys.push_back(signer.key(std::move(id)));
  return set;
}

Credentials example() {
  Credentials all;
  all.issuers.push_back(
      {.policy = {.issuer = "https://issuer", .audiences = {"monitor"}},
       .mapping = {.claim = "groups", .roles = {{"sre", {"operator"}}}},
       .keys = IssuerKeys(IssuerKeys::Options{.refresh = 600s, .retry = 30s, .keep = 3'600s})});
  all.users = *Users::make({{.name = "ann", .password = hash(), .roles = {"viewer"}}});
  all.tokens = *ApiTokens::make({{.name = "backup job",
                                  .hash = hash_api_token(api_token()),
                                  .roles = {"admin"},
                                  .expires = kEpoch + 1h}});
  return all;
}

std::string token(std::string_view claims = R"("exp":1000100)", const Signer& signer = ec(),
                  std::string_view key_id = "a") {
  return signer.token(
      Algorithm::kEs256, fmt::format(R"({{"alg":"ES256","kid":"{}"}})", key_id),
      fmt::format(R"({{"iss":"https://issuer","aud":"monitor","sub":"bob","groups":["sre"],{}}})",
                  claims));
}

std::string basic(std::string_view user, std::string_view password) {
  return "Basic " + encode_base64(fmt::format("{}:{}", user, password), Base64::kPlain);
}

net::Request with(std::string authorization, std::string remote = "10.0.0.1:1") {
  net::Request request;
  request.remote = std::move(remote);
  request.headers = {{"Host", "monitor"}, {"authorization", std::move(authorization)}};
  return request;
}

std::vector<std::string> values(const net::Response& response, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& field : response.headers) {
    if (field.name == name) found.push_back(field.value);
  }
  return found;
}

class AuthenticatorOf : public ::testing::Test {
 protected:
  AuthenticatorOf() {
    authenticator_.begin_fetches(at(0s).steady);
    authenticator_.keys_fetched("https://issuer", keys_of(ec(), "a"), at(0s).steady);
  }

  // "bob" or "bad_jwt expired" or "password".
  std::string ask(const net::Request& request, Now now = at(0s)) {
    const auto outcome = authenticator_.authenticate(request, now);
    if (const auto* who = std::get_if<Identity>(&outcome)) return who->subject;
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      const auto reason = std::string(name_of(refusal->reason));
      return refusal->fault ? fmt::format("{} {}", reason, name_of(*refusal->fault)) : reason;
    }
    return "password";
  }
  Refusal refusal_of(const net::Request& request, Now now = at(0s)) {
    auto outcome = authenticator_.authenticate(request, now);
    return std::get<Refusal>(std::move(outcome));
  }
  PasswordCheck check_of(const net::Request& request, Now now = at(0s)) {
    auto outcome = authenticator_.authenticate(request, now);
    return std::get<PasswordCheck>(std::move(outcome));
  }

  Authenticator authenticator_{
      {.throttle = {.per_user = {.burst = 3, .every = 10s}}, .passwords_at_once = 2}, example()};
};

TEST_F(AuthenticatorOf, ReadsTheAuthorization) {
  const auto encoded = basic("ann", kPassword).substr(6);
  const std::pair<std::string, std::string> table[] = {
      {"Bearer " + token(), "bob"},
      {"bEARER   " + token(), "bob"},
      {"Bearer " + api_token(), "backup job"},
      {basic("ann", kPassword), "password"},
      {"basic " + encoded + "=", "malformed"},
      {basic("ann", "correct horse batteryX") + "=", "password"},
      {basic("nobody", "x"), "password"},
      {basic("ann", ""), "malformed"},
      {basic("", "x"), "malformed"},
      {basic("a\nb", "x"), "malformed"},
      {basic("ann", std::string(1025, 'x')), "malformed"},
      {"Basic " + encode_base64("ann", Base64::kPlain), "malformed"},
      {"Basic", "malformed"},
      {"Basic !!!!", "malformed"},
      {"", "unsupported_scheme"},
      {token(), "unsupported_scheme"},
      {"Digest username=ann", "unsupported_scheme"},
      {"Bearer", "bad_jwt malformed"},
      {"Bearer " + token() + " x", "bad_jwt malformed"},
      {"Bearer " + std::string(9'000, 'a'), "bad_jwt too_large"},
      {"Bearer " + make_api_token().reveal(), "unknown_api_token"},
      {"Bearer etcdmon_", "unknown_api_token"},
      {"Bearer " + token(R"("exp":999000)"), "bad_jwt expired"},
  };
  for (const auto& [authorization, outcome] : table) {
    EXPECT_EQ(ask(with(authorization)), outcome) << authorization.substr(0, 60);
  }
  net::Request none;
  EXPECT_EQ(ask(none), "no_credentials");
  auto two = with("Bearer " + token());
  two.headers.push_back({"Authorization", "Bearer " + token()});
  EXPECT_EQ(ask(two), "many_credentials");
  auto query = none;
  query.query = {{"access_token", token()}};
  EXPECT_EQ(ask(query), "no_credentials");
}

TEST_F(AuthenticatorOf, SaysWhoItIs) {
  auto outcome = authenticator_.authenticate(with("Bearer " + token()), at(0s));
  EXPECT_EQ(
      std::get<Identity>(outcome),
      (Identity{
          .subject = "bob", .roles = {"operator"}, .how = Proof::kJwt, .expires = kEpoch + 100s}));
  outcome = authenticator_.authenticate(with("Bearer " + api_token()), at(0s));
  EXPECT_EQ(std::get<Identity>(outcome), (Identity{.subject = "backup job",
                                                   .roles = {"admin"},
                                                   .how = Proof::kApiToken,
                                                   .expires = kEpoch + 1h}));
  const auto check = check_of(with(basic("ann", kPassword)));
  EXPECT_EQ(check.user(), "ann");
  ASSERT_TRUE(check.matches());
  EXPECT_EQ(
      std::get<Identity>(authenticator_.finish(check, true, at(0s))),
      (Identity{.subject = "ann", .roles = {"viewer"}, .how = Proof::kPassword, .expires = {}}));
}

TEST_F(AuthenticatorOf, SaysHowToProveOneself) {
  const auto refusal = refusal_of(net::Request());
  EXPECT_EQ(refusal.response.status, 401);
  EXPECT_THAT(values(refusal.response, "WWW-Authenticate"),
              ElementsAre("Bearer realm=\"etcd-monitor\"",
                          "Basic realm=\"etcd-monitor\", charset=\"UTF-8\""));
  EXPECT_THAT(values(refusal.response, "Cache-Control"), ElementsAre("no-store"));

  Authenticator without_users({.realm = "a\"b"}, {});
  const auto outcome = without_users.authenticate(with(basic("ann", kPassword)), at(0s));
  EXPECT_EQ(std::get<Refusal>(outcome).reason, Reason::kUnsupportedScheme);
  EXPECT_THAT(values(std::get<Refusal>(outcome).response, "WWW-Authenticate"),
              ElementsAre("Bearer realm=\"a\\\"b\""));
}

TEST_F(AuthenticatorOf, SaysTheSameOfEveryBadToken) {
  const auto body = refusal_of(with("Bearer x")).response.body;
  for (const auto& bad :
       {token(R"("exp":1)"), token(R"("exp":1000100,"nbf":1000099)"),
        token(R"("exp":1000100)", Signer::ec()), make_api_token().reveal(),
        testing::token_of(R"({"alg":"none"})", R"({"iss":"x"})", ""),
        ec().token(Algorithm::kEs256, R"({"alg":"ES256"})", R"({"iss":"https://other"})")}) {
    const auto refusal = refusal_of(with("Bearer " + bad));
    EXPECT_EQ(refusal.response.status, 401);
    EXPECT_EQ(refusal.response.body, body);
    EXPECT_THAT(values(refusal.response, "WWW-Authenticate"),
                ElementsAre("Bearer realm=\"etcd-monitor\", error=\"invalid_token\""));
  }
}

TEST_F(AuthenticatorOf, SaysTheSameOfAWrongPasswordAndAnUnknownUser) {
  const auto wrong = check_of(with(basic("ann", "wrong horse battery")));
  const auto unknown = check_of(with(basic("zoe", "wrong horse battery")));
  EXPECT_FALSE(wrong.matches());
  EXPECT_FALSE(unknown.matches());
  const auto first = std::get<Refusal>(authenticator_.finish(wrong, false, at(0s)));
  const auto second = std::get<Refusal>(authenticator_.finish(unknown, false, at(0s)));
  EXPECT_EQ(first.response.status, 401);
  EXPECT_EQ(first.response.body, second.response.body);
  EXPECT_EQ(first.response.headers, second.response.headers);
  EXPECT_EQ(first.reason, second.reason);
  EXPECT_EQ(first.who, "ann");
  EXPECT_EQ(second.who, "zoe");
  // Whatever is said of the check: there is no such user.
  EXPECT_EQ(std::get<Refusal>(authenticator_.finish(unknown, true, at(0s))).reason,
            Reason::kBadPassword);
}

TEST_F(AuthenticatorOf, BelievesWhatWasVerifiedForAMinute) {
  const auto request = with("Bearer " + token(R"("exp":1001000)"));
  EXPECT_EQ(ask(request), "bob");
  // With its key withdrawn, the signature cannot be checked any more.
  authenticator_.begin_fetches(at(700s).steady);
  authenticator_.keys_fetched("https://issuer", keys_of(Signer::ec(), "b"), at(1s).steady);
  EXPECT_EQ(ask(request, at(59s)), "bob");
  EXPECT_EQ(ask(request, at(60s)), "bad_jwt unknown_key");
}

TEST_F(AuthenticatorOf, BelievesNoTokenBeyondItsEnd) {
  const auto request = with("Bearer " + token(R"("exp":1000010)"));
  EXPECT_EQ(ask(request), "bob");
  EXPECT_EQ(ask(request, at(39s)), "bob");
  EXPECT_EQ(ask(request, at(40s)), "bad_jwt expired");
}

TEST_F(AuthenticatorOf, ForgetsWhatWasVerifiedWhenCredentialsAreReplaced) {
  const auto request = with(basic("ann", kPassword));
  authenticator_.finish(check_of(request), true, at(0s));
  EXPECT_EQ(ask(request), "ann");
  EXPECT_EQ(ask(with(basic("ann", "wrong horse battery"))), "password");

  const auto late = check_of(with(basic("ann", "another password")));
  authenticator_.replace({});
  EXPECT_EQ(ask(request), "unsupported_scheme");
  EXPECT_EQ(ask(with("Bearer " + api_token())), "unknown_api_token");
  // A check that was under way is of a user who is gone.
  EXPECT_TRUE(std::holds_alternative<Refusal>(authenticator_.finish(late, true, at(0s))));
}

TEST_F(AuthenticatorOf, SlowsGuessingDown) {
  for (int i = 0; i < 3; ++i) {
    const auto request =
        with(basic("ann", fmt::format("guess number {}", i)), fmt::format("10.0.0.{}:1", i));
    authenticator_.finish(check_of(request), false, at(0s));
  }
  const auto refusal = refusal_of(with(basic("ann", kPassword)));
  EXPECT_EQ(refusal.reason, Reason::kThrottled);
  EXPECT_EQ(refusal.who, "ann");
  EXPECT_EQ(refusal.response.status, 429);
  EXPECT_THAT(values(refusal.response, "Retry-After"), ElementsAre("11"));
  EXPECT_EQ(ask(with(basic("zoe", "x"))), "password");
  EXPECT_EQ(ask(with(basic("ann", kPassword)), at(11s)), "password");
}

TEST_F(AuthenticatorOf, DoesNotSlowDownWhoKnowsHisPassword) {
  for (int i = 0; i < 20; ++i) {
    const auto now = at(i * 100ms);
    auto check = check_of(with(basic("ann", kPassword)), now);
    authenticator_.finish(check, true, now);
    authenticator_.replace(example());
  }
}

TEST_F(AuthenticatorOf, ChecksSoManyPasswordsAtOnce) {
  auto first = std::make_unique<PasswordCheck>(check_of(with(basic("ann", "one"))));
  const auto second = check_of(with(basic("bob", "two")));
  const auto refusal = refusal_of(with(basic("cyd", "three")));
  EXPECT_EQ(refusal.reason, Reason::kBusy);
  EXPECT_EQ(refusal.response.status, 503);
  first.reset();
  EXPECT_EQ(ask(with(basic("cyd", "three"))), "password");
}

TEST_F(AuthenticatorOf, LooksForNewKeysWhenOneIsUnknown) {
  const auto rotated = Signer::ec();
  EXPECT_THAT(authenticator_.begin_fetches(at(60s).steady), IsEmpty());
  const auto request = with("Bearer " + token(R"("exp":1000100)", rotated, "b"));
  EXPECT_EQ(ask(request, at(60s)), "bad_jwt unknown_key");
  EXPECT_THAT(authenticator_.begin_fetches(at(60s).steady), ElementsAre("https://issuer"));
  EXPECT_THAT(authenticator_.begin_fetches(at(60s).steady), IsEmpty());
  authenticator_.keys_fetched("https://issuer", keys_of(rotated, "b"), at(61s).steady);
  EXPECT_EQ(ask(request, at(61s)), "bob");
}

TEST(AuthenticatorWithoutKeys, SaysSo) {
  Authenticator authenticator({}, example());
  authenticator.begin_fetches(at(0s).steady);
  authenticator.fetch_failed("https://issuer");
  const auto outcome = authenticator.authenticate(with("Bearer " + token()), at(0s));
  EXPECT_EQ(std::get<Refusal>(outcome).reason, Reason::kNoKeys);
  EXPECT_EQ(std::get<Refusal>(outcome).response.status, 503);
  EXPECT_THAT(authenticator.begin_fetches(at(30s).steady), ElementsAre("https://issuer"));
  authenticator.keys_fetched("https://other", keys_of(ec(), "a"), at(30s).steady);
  EXPECT_EQ(
      std::get<Refusal>(authenticator.authenticate(with("Bearer " + token()), at(30s))).reason,
      Reason::kNoKeys);
}

TEST_F(AuthenticatorOf, AllowsWhatARoleGrants) {
  const Identity who{.subject = "bob", .roles = {"operator"}, .how = Proof::kJwt, .expires = {}};
  EXPECT_FALSE(authenticator_.authorise(who, Action::kOperate, "prod"));
  const auto refusal = authenticator_.authorise(who, Action::kAdmin, "prod");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, Reason::kForbidden);
  EXPECT_EQ(refusal->who, "bob");
  EXPECT_EQ(refusal->response.status, 403);
  EXPECT_THAT(refusal->response.body, HasSubstr("admin"));
  EXPECT_THAT(values(refusal->response, "WWW-Authenticate"),
              ElementsAre("Bearer realm=\"etcd-monitor\", error=\"insufficient_scope\""));
  // There is no telling whether there is such a cluster.
  EXPECT_EQ(authenticator_.authorise(who, Action::kAdmin, "x")->response.body,
            refusal->response.body);
  const Identity stranger{.subject = "x", .roles = {}, .how = Proof::kPassword, .expires = {}};
  for (const auto action : {Action::kRead, Action::kAlert, Action::kOperate, Action::kAdmin}) {
    EXPECT_TRUE(authenticator_.authorise(stranger, action, "prod"));
  }
}

}  // namespace
}  // namespace etcdmon::api::auth
