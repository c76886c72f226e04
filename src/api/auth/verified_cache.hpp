// api/auth/verified_cache.hpp: credentials that were found good a moment ago.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/auth/roles.hpp"
#include "base/clock.hpp"

namespace etcdmon::api::auth {

/// Spares a signature or a password hash for each request. Knows credentials by a keyed digest
/// only, whose key is of this process. The oldest goes first when it is full.
///
/// Threads: one at a time.
class VerifiedCache {
 public:
  struct Options {
    std::chrono::seconds keep{60};  ///< what was withdrawn is taken so long at most
    std::size_t most = 1024;
  };

  explicit VerifiedCache(Options options);

  /// Until `keep` is over or the proof itself ends, whichever is first.
  void put(std::string_view credentials, Identity identity, Now now);
  std::optional<Identity> find(std::string_view credentials, Now now) const;
  void clear();
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Identity identity;
    SteadyTime until;
  };

  std::string digest_of(std::string_view credentials) const;

  Options options_;
  std::string key_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::string> order_;  ///< of the entries, oldest first
};

}  // namespace etcdmon::api::auth
