// api/auth/authenticator.hpp: from a request to somebody known, or to why not.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/auth/api_token.hpp"
#include "api/auth/jwks.hpp"
#include "api/auth/jwt.hpp"
#include "api/auth/password.hpp"
#include "api/auth/rate_limit.hpp"
#include "api/auth/roles.hpp"
#include "api/auth/users.hpp"
#include "api/auth/verified_cache.hpp"
#include "base/clock.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api::auth {

/// For the log, the audit and counters.
enum class Reason : std::uint8_t {
  kNoCredentials,
  kManyCredentials,  ///< two Authorization headers: which one counts would be a guess
  kUnsupportedScheme,
  kMalformed,
  kBadJwt,  ///< `fault` says what is wrong with it
  kUnknownIssuer,
  kNoKeys,  ///< the issuer's keys are not here (yet)
  kUnknownApiToken,
  kBadPassword,  ///< or there is no such user
  kThrottled,
  kBusy,  ///< too many passwords are being checked
  kForbidden,
};
/// "bad_password".
std::string_view name_of(Reason reason);

/// The answer says no more than its receiver needs; the rest is for us.
struct Refusal {
  Reason reason = Reason::kNoCredentials;
  std::optional<JwtFault> fault{};
  std::string who{};  ///< the name that was claimed or proved, where there is one
  net::Response response{};
};

/// A password still to be checked, which takes tenths of a second.
class PasswordCheck {
 public:
  PasswordCheck(PasswordCheck&&) = default;
  PasswordCheck& operator=(PasswordCheck&&) = default;
  PasswordCheck(const PasswordCheck&) = delete;
  PasswordCheck& operator=(const PasswordCheck&) = delete;
  ~PasswordCheck() = default;

  /// Threads: any; belongs on the pool for blocking work.
  bool matches() const { return hash_.matches(password_); }
  const std::string& user() const { return user_; }

 private:
  friend class Authenticator;
  PasswordCheck(std::string user, Secret password, PasswordHash hash)
      : user_(std::move(user)), password_(std::move(password)), hash_(std::move(hash)) {}

  std::string user_;
  Secret password_;
  PasswordHash hash_;
  std::string remote_;
  std::shared_ptr<const int> place_;  ///< one of those that may run at once
};

/// An OIDC issuer, or a file of keys, and what its tokens are worth.
struct Issuer {
  JwtPolicy policy;
  RoleMapping mapping;
  IssuerKeys keys;
};

/// Everybody who can prove himself, and the roles there are.
struct Credentials {
  std::vector<Issuer> issuers{};
  Users users{};
  ApiTokens tokens{};
  Roles roles{};
};

/// `Authorization: Bearer` with a JWT or an API token, or `Basic` with a user's password. A browser
/// sends the latter by itself, for any page: what changes something looks at Origin as well.
///
/// Threads: the loop only.
class Authenticator {
 public:
  struct Options {
    std::string realm = "etcd-monitor";  ///< as a client shows it
    VerifiedCache::Options cache{};
    LoginThrottle::Options throttle{};
    unsigned passwords_at_once = 4;  ///< each takes 32 MiB and more
  };

  Authenticator(Options options, Credentials credentials);

  using Outcome = std::variant<Identity, Refusal, PasswordCheck>;
  using Verdict = std::variant<Identity, Refusal>;
  /// Who asks. A PasswordCheck is not an answer yet: run it elsewhere and bring it to finish().
  Outcome authenticate(const net::Request& request, Now now);
  /// `matched` is what matches() said. A check that is never finished counts as a failed try.
  Verdict finish(const PasswordCheck& check, bool matched, Now now);

  /// nullopt: he may. The answer is the same whether there is such a cluster or not.
  std::optional<Refusal> authorise(const Identity& who, Action action,
                                   std::string_view cluster) const;

  /// Issuers whose keys are to be fetched now. Each is told to be under way by that.
  std::vector<std::string> begin_fetches(SteadyTime now);
  void keys_fetched(std::string_view issuer, KeySet keys, SteadyTime now);
  void fetch_failed(std::string_view issuer);

  /// Other ones from now on: nothing that was verified before is believed.
  void replace(Credentials credentials);

 private:
  Outcome bearer(std::string_view token, Now now);
  Outcome jwt(std::string_view token, Now now);
  Outcome basic(std::string_view encoded, const net::Request& request, Now now);
  Issuer* find_issuer(std::string_view name);
  Refusal unauthorised(Reason reason) const;
  Refusal bad_token(Reason reason, std::optional<JwtFault> fault = {}) const;
  Refusal bad_password(std::string who) const;

  Options options_;
  Credentials credentials_;
  VerifiedCache cache_;
  LoginThrottle throttle_;
  std::shared_ptr<const int> places_;
};

}  // namespace etcdmon::api::auth
