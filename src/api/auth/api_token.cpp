#include "api/auth/api_token.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/auth/detail/openssl.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth {

namespace {

using namespace detail;

constexpr std::string_view kPrefix = "etcdmon_";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kRandomLetters = 43;
constexpr std::size_t kChecksumLetters = 6;
constexpr std::size_t kDigestSize = 32;

std::string checksum_of(std::string_view text) {
  return encode_base64(sha256(text)).substr(0, kChecksumLetters);
}

std::string to_hex_text(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::optional<unsigned> hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return static_cast<unsigned>(letter - '0');
  if (letter >= 'a' && letter <= 'f') return static_cast<unsigned>(letter - 'a' + 10);
  return std::nullopt;
}

std::optional<std::string> digest_of(std::string_view hash) {
  if (!hash.starts_with(kHashPrefix)) return std::nullopt;
  hash.remove_prefix(kHashPrefix.size());
  if (hash.size() != 2 * kDigestSize) return std::nullopt;
  std::string digest;
  for (std::size_t i = 0; i < hash.size(); i += 2) {
    const auto high = hex_digit(hash[i]);
    const auto low = hex_digit(hash[i + 1]);
    if (!high || !low) return std::nullopt;
    digest += static_cast<char>(*high * 16 + *low);
  }
  return digest;
}

}  // namespace

Secret make_api_token() {
  const auto text = fmt::format("{}{}", kPrefix, encode_base64(random_bytes(kRandomBytes)));
  return Secret(text + checksum_of(text));
}

bool is_api_token(std::string_view text) {
  if (text.size() != kPrefix.size() + kRandomLetters + kChecksumLetters) return false;
  if (!text.starts_with(kPrefix)) return false;
  const auto body = text.substr(0, text.size() - kChecksumLetters);
  return decode_base64(body.substr(kPrefix.size())) &&
         equal_in_constant_time(checksum_of(body), text.substr(body.size()));
}

std::string hash_api_token(std::string_view token) {
  return fmt::format("{}{}", kHashPrefix, to_hex_text(sha256(token)));
}

Result<ApiTokens> ApiTokens::make(std::vector<ApiToken> tokens) {
  ApiTokens made;
  for (const auto& token : tokens) {
    auto digest = digest_of(token.hash);
    if (!digest) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("token {}: its hash must be sha256: and 64 hex digits in lower case",
                               token.name)};
    }
    if (std::ranges::find(made.digests_, *digest) != made.digests_.end()) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("token {}: another one has the same hash", token.name)};
    }
    made.digests_.push_back(*std::move(digest));
  }
  made.tokens_ = std::move(tokens);
  return made;
}

const ApiToken* ApiTokens::find(std::string_view token, WallTime now) const {
  if (!is_api_token(token)) return nullptr;
  const auto digest = sha256(token);
  const ApiToken* found = nullptr;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (equal_in_constant_time(digests_[i], digest)) found = &tokens_[i];
  }
  if (found == nullptr || (found->expires && now >= *found->expires)) return nullptr;
  return found;
}

}  // namespace etcdmon::api::auth
