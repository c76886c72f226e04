#include "api/auth/rate_limit.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include <fmt/format.h>

namespace etcdmon::api::auth {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::size_t kMappedPrefix = 12;
constexpr std::size_t kNetworkBytes = 8;

std::string network_of(const std::array<unsigned char, 16>& address) {
  constexpr std::array<unsigned char, kMappedPrefix> kMapped{0, 0, 0, 0, 0,   0,
                                                             0, 0, 0, 0, 255, 255};
  if (std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
    return fmt::format("{}.{}.{}.{}", address[12], address[13], address[14], address[15]);
  }
  std::string text;
  for (std::size_t i = 0; i < kNetworkBytes; ++i) text += fmt::format("{:02x}", address[i]);
  return text + "/64";
}

}  // namespace

TokenBucket::TokenBucket(RateLimit limit, SteadyTime now)
    : limit_(limit), tokens_(limit.burst), at_(now) {}

double TokenBucket::tokens(SteadyTime now) const {
  const Seconds since = std::max(now, at_) - at_;
  const double come = since / Seconds(limit_.every);
  return std::min(tokens_ + come, static_cast<double>(limit_.burst));
}

bool TokenBucket::full(SteadyTime now) const {
  return tokens(now) >= limit_.burst;
}

Duration TokenBucket::wait(SteadyTime now) const {
  const double missing = 1 - tokens(now);
  if (missing <= 0) return Duration::zero();
  // Never zero while one is missing.
  return std::chrono::ceil<Duration>(missing * Seconds(limit_.every)) + Duration(1);
}

void TokenBucket::take(SteadyTime now) {
  tokens_ = std::max(tokens(now) - 1, 0.0);
  at_ = now;
}

void TokenBucket::give_back(SteadyTime now) {
  tokens_ = std::min(tokens(now) + 1, static_cast<double>(limit_.burst));
  at_ = now;
}

Duration TokenBuckets::wait(std::string_view name, SteadyTime now) const {
  const auto found = buckets_.find(name);
  return found == buckets_.end() ? Duration::zero() : found->second.wait(now);
}

void TokenBuckets::take(std::string_view name, SteadyTime now) {
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= most_) make_room(now);
    found = buckets_.emplace(std::string(name), TokenBucket(limit_, now)).first;
  }
  found->second.take(now);
}

void TokenBuckets::give_back(std::string_view name, SteadyTime now) {
  const auto found = buckets_.find(name);
  if (found != buckets_.end()) found->second.give_back(now);
}

void TokenBuckets::make_room(SteadyTime now) {
  std::erase_if(buckets_, [now](const auto& entry) { return entry.second.full(now); });
  if (buckets_.size() < most_) return;
  buckets_.erase(std::ranges::max_element(
      buckets_, {}, [now](const auto& entry) { return entry.second.tokens(now); }));
}

Duration LoginThrottle::attempt(std::string_view user, std::string_view remote, SteadyTime now) {
  const auto address = address_of(remote);
  const auto wait = std::max(users_.wait(user, now), addresses_.wait(address, now));
  if (wait > Duration::zero()) return wait;
  users_.take(user, now);
  addresses_.take(address, now);
  return Duration::zero();
}

void LoginThrottle::succeeded(std::string_view user, std::string_view remote, SteadyTime now) {
  users_.give_back(user, now);
  addresses_.give_back(address_of(remote), now);
}

std::string address_of(std::string_view remote) {
  auto host = remote.substr(0, remote.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  // A zone is of this machine's interfaces, not of the address.
  std::string text(host.substr(0, host.find('%')));
  std::array<unsigned char, 16> address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return network_of(address);
  return text;
}

}  // namespace etcdmon::api::auth
