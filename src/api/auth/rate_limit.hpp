// api/auth/rate_limit.hpp: how often passwords may be tried.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace etcdmon::api::auth {

/// So many at once, and after that one each `every`.
struct RateLimit {
  unsigned burst = 10;
  std::chrono::seconds every{10};
};

/// A value: it holds tokens, which come back with time.
class TokenBucket {
 public:
  /// Full.
  TokenBucket(RateLimit limit, SteadyTime now);

  /// Until there is one; zero: there is.
  Duration wait(SteadyTime now) const;
  /// There is one: wait() says so.
  void take(SteadyTime now);
  void give_back(SteadyTime now);
  double tokens(SteadyTime now) const;
  bool full(SteadyTime now) const;

 private:
  RateLimit limit_;
  double tokens_;
  SteadyTime at_;
};

/// Buckets by name, of which it holds so many at most: a full one says nothing and goes first, then
/// the one that is nearest to full.
class TokenBuckets {
 public:
  /// At least one.
  TokenBuckets(RateLimit limit, std::size_t most)
      : limit_(limit), most_(std::max<std::size_t>(most, 1)) {}

  Duration wait(std::string_view name, SteadyTime now) const;
  void take(std::string_view name, SteadyTime now);
  void give_back(std::string_view name, SteadyTime now);
  std::size_t size() const { return buckets_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  void make_room(SteadyTime now);

  RateLimit limit_;
  std::size_t most_;
  std::unordered_map<std::string, TokenBucket, Hash, std::equal_to<>> buckets_;
};

/// Slows guessing down: of one user's password from anywhere, and of anybody's from one address. A
/// try counts before its outcome is known, so that many at once are not free; a good one is given
/// back. Names that no user has count like others, and so tell nothing.
///
/// Whoever knows a user's name can make him wait. He still gets in with a token.
class LoginThrottle {
 public:
  struct Options {
    RateLimit per_user{.burst = 10, .every = std::chrono::seconds(10)};
    RateLimit per_address{.burst = 20, .every = std::chrono::seconds(3)};
    std::size_t most = 4096;  ///< users, and addresses, that are remembered
  };

  explicit LoginThrottle(Options options)
      : users_(options.per_user, options.most), addresses_(options.per_address, options.most) {}

  /// Zero: it may be tried, and counts. Else how long to wait; then it does not count.
  /// `remote` is a request's: "127.0.0.1:53214".
  Duration attempt(std::string_view user, std::string_view remote, SteadyTime now);
  void succeeded(std::string_view user, std::string_view remote, SteadyTime now);

 private:
  TokenBuckets users_;
  TokenBuckets addresses_;
};

/// Who that is, as far as guessing goes: the address without the port; of IPv6 the first 64 bits,
/// since the rest is anybody's own choice.
std::string address_of(std::string_view remote);

}  // namespace etcdmon::api::auth
