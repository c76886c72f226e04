#include "api/auth/detail/openssl.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/assert.hpp"

namespace etcdmon::api::auth::detail {

namespace {

constexpr std::size_t kSha256Size = 32;

}  // namespace

std::string sha256(std::string_view text) {
  std::string digest(kSha256Size, '\0');
  ETCDMON_ASSERT(
      EVP_Digest(text.data(), text.size(), bytes_of(digest), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string digest(kSha256Size, '\0');
  ETCDMON_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text),
                      text.size(), bytes_of(digest), nullptr) != nullptr);
  return digest;
}

bool equal_in_constant_time(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  ETCDMON_ASSERT(RAND_bytes(bytes_of(bytes), static_cast<int>(count)) == 1);
  return bytes;
}

}  // namespace etcdmon::api::auth::detail
