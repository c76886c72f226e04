// api/auth/jwt.hpp: signed tokens (RFC 7519), read as strictly as RFC 8725 advises.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "api/auth/key.hpp"
#include "base/clock.hpp"

namespace etcdmon::api::auth {

/// Longer tokens are refused unread.
constexpr std::size_t kMaxToken = 8U << 10U;

/// Why a token was refused: for the log and the audit. Its bearer is told that it is invalid, and
/// nothing more.
enum class JwtFault : std::uint8_t {
  kTooLarge,
  kMalformed,             ///< not three parts of base64url, not JSON, a member twice, a wrong type
  kUnsupportedAlgorithm,  ///< "none", an unknown one, or one that this issuer does not use
  kUnsupportedType,       ///< `typ` of something else, as of a logout token
  kCritical,              ///< an extension that must be understood (`crit`)
  kUnknownKey,            ///< no key of that `kid`: the issuer may have new ones
  kUnfitKey,              ///< there is the key, but it is for another algorithm
  kBadSignature,
  kWrongIssuer,
  kWrongAudience,
  kNoExpiry,
  kExpired,
  kNotYetValid,
  kIssuedInFuture,
  kNoSubject,
};
/// "bad_signature".
std::string_view name_of(JwtFault fault);

/// A token taken apart. Nothing in it is proven yet.
struct Jwt {
  Algorithm algorithm = Algorithm::kRs256;
  std::string key_id;   ///< empty: the header names none
  std::string issuer;   ///< what the token says itself: good for choosing whose keys to try
  std::string payload;  ///< an object as JSON text, each member once
  std::string signed_text;
  std::string signature;
};

/// Errors: kTooLarge to kCritical of JwtFault, kWrongIssuer where there is none.
tl::expected<Jwt, JwtFault> parse_jwt(std::string_view token);

/// What a token must say to be taken.
struct JwtPolicy {
  std::string issuer{};
  std::vector<std::string> audiences{};  ///< one of them; none lets nobody in
  std::vector<Algorithm> algorithms{Algorithm::kRs256, Algorithm::kPs256, Algorithm::kEs256,
                                    Algorithm::kEdDsa};
  std::chrono::seconds leeway{30};  ///< how far the clocks may be apart
};

struct Claims {
  std::string subject;
  WallTime expires;     ///< as the token says, without leeway
  std::string payload;  ///< all of them, as JSON text

  bool operator==(const Claims&) const = default;
};

/// Signature, then claims. A `kid` selects the keys of that name, and where none has it those
/// without a name; without one all keys are tried.
tl::expected<Claims, JwtFault> verify_jwt(const Jwt& token, std::span<const Key> keys,
                                          const JwtPolicy& policy, WallTime now);

}  // namespace etcdmon::api::auth
