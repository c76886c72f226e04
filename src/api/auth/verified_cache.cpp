#include "api/auth/verified_cache.hpp"

#include <algorithm>

#include "api/auth/detail/openssl.hpp"

namespace etcdmon::api::auth {

namespace {

constexpr std::size_t kCacheKeySize = 32;

}  // namespace

VerifiedCache::VerifiedCache(Options options)
    : options_(options), key_(detail::random_bytes(kCacheKeySize)) {}

std::string VerifiedCache::digest_of(std::string_view credentials) const {
  return detail::hmac_sha256(key_, credentials);
}

void VerifiedCache::put(std::string_view credentials, Identity identity, Now now) {
  if (options_.most == 0) return;
  auto digest = digest_of(credentials);
  if (entries_.erase(digest) > 0) order_.erase(std::ranges::find(order_, digest));
  if (entries_.size() >= options_.most) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(digest);
  entries_.emplace(std::move(digest),
                   Entry{.identity = std::move(identity), .until = now.steady + options_.keep});
}

std::optional<Identity> VerifiedCache::find(std::string_view credentials, Now now) const {
  const auto found = entries_.find(digest_of(credentials));
  if (found == entries_.end()) return std::nullopt;
  const auto& [identity, until] = found->second;
  const bool over = now.steady >= until || (identity.expires && now.wall >= *identity.expires);
  return over ? std::nullopt : std::optional(identity);
}

void VerifiedCache::clear() {
  entries_.clear();
  order_.clear();
}

}  // namespace etcdmon::api::auth
