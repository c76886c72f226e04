#include "api/auth/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "api/auth/detail/strict_json.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth {

namespace {

using detail::parse_strict_object;
using detail::text_at;
using nlohmann::json;
using Fault = tl::unexpected<JwtFault>;

constexpr std::size_t kMaxSubject = 255;
constexpr std::size_t kMaxKeyId = 255;
/// Beyond what WallTime holds; a token may well say "until the year 9999".
constexpr double kLastSecond = 9'000'000'000;

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
};

std::optional<Parts> split(std::string_view token) {
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return Parts{.header = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1)};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return out;
}

bool is_known_type(std::string_view type) {
  const auto name = lower(type);
  return name == "jwt" || name == "at+jwt" || name == "application/at+jwt";
}

std::optional<JwtFault> read_header(std::string_view text, Jwt& token) {
  const auto header = parse_strict_object(text);
  if (!header) return JwtFault::kMalformed;
  const auto* algorithm = text_at(*header, "alg");
  if (algorithm == nullptr) return JwtFault::kMalformed;
  const auto known = algorithm_of(*algorithm);
  if (!known) return JwtFault::kUnsupportedAlgorithm;
  token.algorithm = *known;
  // We understand no extension, so there is none that we could honour.
  if (header->contains("crit")) return JwtFault::kCritical;
  // RFC 7797 changes what is signed, and wants `crit` with it.
  if (header->contains("b64")) return JwtFault::kMalformed;
  if (header->contains("typ")) {
    const auto* type = text_at(*header, "typ");
    if (type == nullptr) return JwtFault::kMalformed;
    if (!is_known_type(*type)) return JwtFault::kUnsupportedType;
  }
  if (header->contains("kid")) {
    const auto* id = text_at(*header, "kid");
    if (id == nullptr || id->empty() || id->size() > kMaxKeyId) return JwtFault::kMalformed;
    token.key_id = *id;
  }
  return std::nullopt;
}

/// A NumericDate. Outer nullopt: it is no moment; inner: it is not there.
std::optional<std::optional<WallTime>> moment_at(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::optional<WallTime>();
  if (!found->is_number()) return std::nullopt;
  const auto seconds = found->get<double>();
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  const std::chrono::duration<double> since_epoch(std::min(seconds, kLastSecond));
  return WallTime(std::chrono::duration_cast<Duration>(since_epoch));
}

std::optional<JwtFault> check_audience(const json& claims, const JwtPolicy& policy) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return JwtFault::kWrongAudience;
  const auto is_ours = [&policy](const json& audience) {
    return std::ranges::find(policy.audiences, audience.get_ref<const std::string&>()) !=
           policy.audiences.end();
  };
  if (found->is_string()) {
    return is_ours(*found) ? std::nullopt : std::optional(JwtFault::kWrongAudience);
  }
  if (!found->is_array()) return JwtFault::kMalformed;
  if (!std::ranges::all_of(*found, [](const json& item) { return item.is_string(); })) {
    return JwtFault::kMalformed;
  }
  return std::ranges::any_of(*found, is_ours) ? std::nullopt
                                              : std::optional(JwtFault::kWrongAudience);
}

std::optional<JwtFault> check_times(const json& claims, const JwtPolicy& policy, WallTime now,
                                    Claims& out) {
  const auto expires = moment_at(claims, "exp");
  const auto not_before = moment_at(claims, "nbf");
  const auto issued = moment_at(claims, "iat");
  if (!expires || !not_before || !issued) return JwtFault::kMalformed;
  if (!*expires) return JwtFault::kNoExpiry;
  if (now >= **expires + policy.leeway) return JwtFault::kExpired;
  if (*not_before && now + policy.leeway < **not_before) return JwtFault::kNotYetValid;
  if (*issued && now + policy.leeway < **issued) return JwtFault::kIssuedInFuture;
  out.expires = **expires;
  return std::nullopt;
}

/// It goes into logs, and is compared.
bool is_sound_subject(std::string_view subject) {
  return !subject.empty() && subject.size() <= kMaxSubject &&
         std::ranges::none_of(subject, [](char letter) {
           return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
         });
}

std::optional<JwtFault> check_claims(const Jwt& token, const JwtPolicy& policy, WallTime now,
                                     Claims& out) {
  const auto claims = parse_strict_object(token.payload);
  if (!claims) return JwtFault::kMalformed;
  const auto* issuer = text_at(*claims, "iss");
  if (issuer == nullptr || policy.issuer.empty() || *issuer != policy.issuer) {
    return JwtFault::kWrongIssuer;
  }
  if (const auto fault = check_audience(*claims, policy)) return fault;
  if (const auto fault = check_times(*claims, policy, now, out)) return fault;
  const auto* subject = text_at(*claims, "sub");
  if (subject == nullptr || !is_sound_subject(*subject)) return JwtFault::kNoSubject;
  out.subject = *subject;
  out.payload = token.payload;
  return std::nullopt;
}

std::vector<const Key*> candidates(const Jwt& token, std::span<const Key> keys) {
  std::vector<const Key*> named;
  std::vector<const Key*> others;
  for (const auto& key : keys) {
    if (!token.key_id.empty() && key.id() == token.key_id) named.push_back(&key);
    if (token.key_id.empty() || key.id().empty()) others.push_back(&key);
  }
  return named.empty() ? others : named;
}

std::optional<JwtFault> check_signature(const Jwt& token, std::span<const Key> keys) {
  const auto tried = candidates(token, keys);
  if (tried.empty()) return JwtFault::kUnknownKey;
  const auto fits = [&token](const Key* key) { return key->fits(token.algorithm); };
  if (std::ranges::none_of(tried, fits)) return JwtFault::kUnfitKey;
  const auto verifies = [&token](const Key* key) {
    return key->verify(token.algorithm, token.signed_text, token.signature);
  };
  if (std::ranges::any_of(tried, verifies)) return std::nullopt;
  // A nameless key that does not verify may be the wrong one: the named one is not known.
  const bool is_named = token.key_id.empty() || !tried.front()->id().empty();
  return is_named ? JwtFault::kBadSignature : JwtFault::kUnknownKey;
}

}  // namespace

std::string_view name_of(JwtFault fault) {
  constexpr std::array<std::string_view, 15> kNames{
      "too_large",   "malformed", "unsupported_algorithm", "unsupported_type", "critical",
      "unknown_key", "unfit_key", "bad_signature",         "wrong_issuer",     "wrong_audience",
      "no_expiry",   "expired",   "not_yet_valid",         "issued_in_future", "no_subject"};
  return kNames.at(static_cast<std::size_t>(fault));
}

tl::expected<Jwt, JwtFault> parse_jwt(std::string_view token) {
  if (token.size() > kMaxToken) return Fault(JwtFault::kTooLarge);
  const auto parts = split(token);
  if (!parts) return Fault(JwtFault::kMalformed);
  const auto header = decode_base64(parts->header);
  auto payload = decode_base64(parts->payload);
  // A fourth part's dot is no letter of base64.
  auto signature = decode_base64(parts->signature);
  if (!header || !payload || !signature) return Fault(JwtFault::kMalformed);

  Jwt parsed;
  if (const auto fault = read_header(*header, parsed)) return Fault(*fault);
  const auto claims = parse_strict_object(*payload);
  if (!claims) return Fault(JwtFault::kMalformed);
  const auto* issuer = text_at(*claims, "iss");
  if (issuer == nullptr || issuer->empty()) return Fault(JwtFault::kWrongIssuer);
  parsed.issuer = *issuer;
  parsed.payload = *std::move(payload);
  parsed.signature = *std::move(signature);
  parsed.signed_text = token.substr(0, parts->header.size() + 1 + parts->payload.size());
  return parsed;
}

tl::expected<Claims, JwtFault> verify_jwt(const Jwt& token, std::span<const Key> keys,
                                          const JwtPolicy& policy, WallTime now) {
  if (std::ranges::find(policy.algorithms, token.algorithm) == policy.algorithms.end()) {
    return Fault(JwtFault::kUnsupportedAlgorithm);
  }
  if (const auto fault = check_signature(token, keys)) return Fault(*fault);
  Claims claims;
  if (const auto fault = check_claims(token, policy, now, claims)) return Fault(*fault);
  return claims;
}

}  // namespace etcdmon::api::auth
