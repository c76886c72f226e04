#include "api/auth/authenticator.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/base64.hpp"

namespace etcdmon::api::auth {

namespace {

constexpr std::string_view kApiTokenPrefix = "etcdmon_";
constexpr std::size_t kMostBasic = 2048;

struct Authorization {
  std::string_view scheme;
  std::string_view value;
};

bool equal_in_any_case(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

Authorization split_authorization(std::string_view text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto start = std::min(text.find_first_not_of(' ', end), text.size());
  return {.scheme = text.substr(0, end), .value = text.substr(start)};
}

struct Login {
  std::string user;
  Secret password;
};

/// RFC 7617. Padding may be there, as it should, or not.
std::optional<Login> parse_basic(std::string_view encoded) {
  if (encoded.size() > kMostBasic) return std::nullopt;
  if (encoded.size() % 4 == 0) {
    for (int i = 0; i < 2 && encoded.ends_with('='); ++i) encoded.remove_suffix(1);
  }
  const auto text = decode_base64(encoded, Base64::kPlain);
  if (!text) return std::nullopt;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  Login login{.user = text->substr(0, colon), .password = Secret(text->substr(colon + 1))};
  const auto size = login.password.reveal().size();
  if (!is_user_name(login.user) || size == 0 || size > kMostPassword) return std::nullopt;
  return login;
}

/// The password stands after a NUL, which no name has.
std::string cache_text(const std::string& user, const Secret& password) {
  return fmt::format("basic {}{}{}", user, '\0', password.reveal());
}

std::string quoted_string(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out + '"';
}

net::Response answer(int status, std::string_view detail) {
  auto response = net::problem(status, detail);
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

Refusal refuse_later(Reason reason, int status, std::string_view detail, Duration wait) {
  Refusal refusal{.reason = reason, .response = answer(status, detail)};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  refusal.response.headers.push_back({"Retry-After", fmt::format("{}", seconds)});
  return refusal;
}

}  // namespace

std::string_view name_of(Reason reason) {
  constexpr std::array<std::string_view, 12> kNames{
      "no_credentials", "many_credentials", "unsupported_scheme", "malformed",    "bad_jwt",
      "unknown_issuer", "no_keys",          "unknown_api_token",  "bad_password", "throttled",
      "busy",           "forbidden"};
  return kNames.at(static_cast<std::size_t>(reason));
}

Authenticator::Authenticator(Options options, Credentials credentials)
    : options_(std::move(options)),
      credentials_(std::move(credentials)),
      cache_(options_.cache),
      throttle_(options_.throttle),
      places_(std::make_shared<const int>()) {}

Authenticator::Outcome Authenticator::authenticate(const net::Request& request, Now now) {
  const auto is_authorization = [](const net::HttpField& field) {
    return equal_in_any_case(field.name, "authorization");
  };
  const auto count = std::ranges::count_if(request.headers, is_authorization);
  if (count == 0) return unauthorised(Reason::kNoCredentials);
  if (count > 1) return unauthorised(Reason::kManyCredentials);
  const auto given =
      split_authorization(std::ranges::find_if(request.headers, is_authorization)->value);
  if (equal_in_any_case(given.scheme, "bearer")) return bearer(given.value, now);
  if (equal_in_any_case(given.scheme, "basic") && !credentials_.users.empty()) {
    return basic(given.value, request, now);
  }
  return unauthorised(Reason::kUnsupportedScheme);
}

Authenticator::Outcome Authenticator::bearer(std::string_view token, Now now) {
  if (token.size() > kMaxToken) return bad_token(Reason::kBadJwt, JwtFault::kTooLarge);
  // Looked up each time, so that one that was withdrawn is refused at once.
  if (token.starts_with(kApiTokenPrefix)) {
    const auto* known = credentials_.tokens.find(token, now.wall);
    if (known == nullptr) return bad_token(Reason::kUnknownApiToken);
    return Identity{.subject = known->name,
                    .roles = known->roles,
                    .how = Proof::kApiToken,
                    .expires = known->expires};
  }
  if (auto known = cache_.find(token, now)) return *std::move(known);
  return jwt(token, now);
}

Authenticator::Outcome Authenticator::jwt(std::string_view token, Now now) {
  const auto parsed = parse_jwt(token);
  if (!parsed) return bad_token(Reason::kBadJwt, parsed.error());
  auto* issuer = find_issuer(parsed->issuer);
  if (issuer == nullptr) return bad_token(Reason::kUnknownIssuer);
  const auto keys = issuer->keys.keys(now.steady);
  if (keys.empty()) {
    return refuse_later(Reason::kNoKeys, 503, "the issuer's keys are not known yet",
                        std::chrono::seconds(5));
  }
  const auto claims = verify_jwt(*parsed, keys, issuer->policy, now.wall);
  if (!claims) {
    if (claims.error() == JwtFault::kUnknownKey) issuer->keys.missed_key();
    return bad_token(Reason::kBadJwt, claims.error());
  }
  Identity identity{.subject = claims->subject,
                    .roles = roles_of(claims->payload, issuer->mapping),
                    .how = Proof::kJwt,
                    .expires = claims->expires};
  cache_.put(token, identity, now);
  return identity;
}

Authenticator::Outcome Authenticator::basic(std::string_view encoded, const net::Request& request,
                                            Now now) {
  auto login = parse_basic(encoded);
  if (!login) return unauthorised(Reason::kMalformed);
  if (auto known = cache_.find(cache_text(login->user, login->password), now)) {
    return *std::move(known);
  }
  if (places_.use_count() > static_cast<long>(options_.passwords_at_once)) {
    return refuse_later(Reason::kBusy, 503, "too many logins at once", std::chrono::seconds(1));
  }
  const auto wait = throttle_.attempt(login->user, request.remote, now.steady);
  if (wait > Duration::zero()) {
    auto refusal = refuse_later(Reason::kThrottled, 429, "too many logins", wait);
    refusal.who = std::move(login->user);
    return refusal;
  }
  const auto& hash = credentials_.users.password_of(login->user);
  PasswordCheck check(std::move(login->user), std::move(login->password), hash);
  check.remote_ = request.remote;
  check.place_ = places_;
  return check;
}

Authenticator::Verdict Authenticator::finish(const PasswordCheck& check, bool matched, Now now) {
  const auto* user = credentials_.users.find(check.user_);
  // The users may have been replaced since.
  const bool same = user != nullptr && user->password.text() == check.hash_.text();
  if (!matched || !same) return bad_password(check.user_);
  throttle_.succeeded(check.user_, check.remote_, now.steady);
  Identity identity{
      .subject = user->name, .roles = user->roles, .how = Proof::kPassword, .expires = {}};
  cache_.put(cache_text(check.user_, check.password_), identity, now);
  return identity;
}

std::optional<Refusal> Authenticator::authorise(const Identity& who, Action action,
                                                std::string_view cluster) const {
  if (credentials_.roles.allow(who, action, cluster)) return std::nullopt;
  Refusal refusal{.reason = Reason::kForbidden,
                  .who = who.subject,
                  .response = answer(403, fmt::format("this takes a role that grants \"{}\" here",
                                                      name_of(action)))};
  if (who.how != Proof::kPassword) {
    refusal.response.headers.push_back(
        {"WWW-Authenticate", fmt::format("Bearer realm={}, error=\"insufficient_scope\"",
                                         quoted_string(options_.realm))});
  }
  return refusal;
}

std::vector<std::string> Authenticator::begin_fetches(SteadyTime now) {
  std::vector<std::string> names;
  for (auto& issuer : credentials_.issuers) {
    if (!issuer.keys.wants_fetch(now)) continue;
    issuer.keys.fetch_started(now);
    names.push_back(issuer.policy.issuer);
  }
  return names;
}

void Authenticator::keys_fetched(std::string_view issuer, KeySet keys, SteadyTime now) {
  auto* found = find_issuer(issuer);
  if (found != nullptr) found->keys.fetched(std::move(keys), now);
}

void Authenticator::fetch_failed(std::string_view issuer) {
  auto* found = find_issuer(issuer);
  if (found != nullptr) found->keys.fetch_failed();
}

void Authenticator::replace(Credentials credentials) {
  credentials_ = std::move(credentials);
  cache_.clear();
}

Issuer* Authenticator::find_issuer(std::string_view name) {
  const auto found = std::ranges::find_if(
      credentials_.issuers, [name](const Issuer& issuer) { return issuer.policy.issuer == name; });
  return found == credentials_.issuers.end() ? nullptr : &*found;
}

/// Says how one may prove himself.
Refusal Authenticator::unauthorised(Reason reason) const {
  Refusal refusal{.reason = reason, .response = answer(401, "credentials are needed")};
  auto& headers = refusal.response.headers;
  headers.push_back(
      {"WWW-Authenticate", fmt::format("Bearer realm={}", quoted_string(options_.realm))});
  if (!credentials_.users.empty()) {
    headers.push_back({"WWW-Authenticate", fmt::format("Basic realm={}, charset=\"UTF-8\"",
                                                       quoted_string(options_.realm))});
  }
  return refusal;
}

/// The same for every fault of a token, so that nothing can be learned by trying.
Refusal Authenticator::bad_token(Reason reason, std::optional<JwtFault> fault) const {
  Refusal refusal{
      .reason = reason, .fault = fault, .response = answer(401, "the token is not valid")};
  refusal.response.headers.push_back(
      {"WWW-Authenticate",
       fmt::format("Bearer realm={}, error=\"invalid_token\"", quoted_string(options_.realm))});
  return refusal;
}

/// The same whether there is such a user or not.
Refusal Authenticator::bad_password(std::string who) const {
  auto refusal = unauthorised(Reason::kBadPassword);
  refusal.who = std::move(who);
  return refusal;
}

}  // namespace etcdmon::api::auth
