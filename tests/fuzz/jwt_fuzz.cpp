// Tokens come from anybody: whatever is taken apart is written one way only, what a key proved is
// what was signed, and nothing that a policy forbids gets through.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "api/auth/jwks.hpp"
#include "api/auth/jwt.hpp"
#include "api/auth/password.hpp"
#include "api/auth/roles.hpp"
#include "base/assert.hpp"
#include "base/base64.hpp"

namespace {

using namespace etcdmon;
using namespace etcdmon::api::auth;

const std::string kSecret(32, 's');
const WallTime kNow{std::chrono::seconds(1'000'000)};

std::string sign(std::string_view text) {
  std::string signature(32, '\0');
  HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(signature.data()), nullptr);
  return signature;
}

const std::vector<Key>& keys() {
  static const std::vector<Key> kKeys{*Key::hmac(Secret(kSecret))};
  return kKeys;
}

void check_text(std::string_view token) {
  const auto parsed = parse_jwt(token);
  if (!parsed) {
    ETCDMON_ASSERT(!name_of(parsed.error()).empty());
    return;
  }
  ETCDMON_ASSERT(token.size() <= kMaxToken && !parsed->issuer.empty());
  ETCDMON_ASSERT(parsed->signed_text + "." + encode_base64(parsed->signature) == token);
  // Nobody here signed it, and by default no secret is taken.
  ETCDMON_ASSERT(!verify_jwt(*parsed, keys(), {}, kNow));
}

/// The bytes as a header and claims that somebody signed who may.
void check_signed(std::string_view bytes) {
  const auto split = std::min(bytes.find('\n'), bytes.size());
  const auto header = bytes.substr(0, split);
  const auto payload = bytes.substr(std::min(split + 1, bytes.size()));
  const auto text = encode_base64(header) + "." + encode_base64(payload);
  const auto parsed = parse_jwt(text + "." + encode_base64(sign(text)));
  if (!parsed) return;
  ETCDMON_ASSERT(parsed->payload == payload);
  const JwtPolicy policy{
      .issuer = "i", .audiences = {"a"}, .algorithms = {Algorithm::kHs256}, .leeway = {}};
  const auto claims = verify_jwt(*parsed, keys(), policy, kNow);
  if (!claims) return;
  ETCDMON_ASSERT(parsed->issuer == "i" && parsed->algorithm == Algorithm::kHs256);
  ETCDMON_ASSERT(claims->expires > kNow && !claims->subject.empty());
  const auto roles = roles_of(claims->payload, {.claim = "g", .roles = {{"x", {"viewer"}}}});
  ETCDMON_ASSERT(roles.size() <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_text(text);
  check_signed(text);
  if (const auto set = parse_jwks(text)) ETCDMON_ASSERT(set->keys.size() <= 64);
  if (const auto hash = PasswordHash::parse(text)) ETCDMON_ASSERT(hash->text() == text);
  return 0;
}
