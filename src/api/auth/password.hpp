// api/auth/password.hpp: passwords at rest, as scrypt hashes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace etcdmon::api::auth {

constexpr std::size_t kLeastPassword = 12;
constexpr std::size_t kMostPassword = 1024;

/// What one guess costs: 2^log2_n * block_size * 128 bytes, filled `passes` times.
struct ScryptCost {
  unsigned log2_n = 15;  ///< 14 to 17
  unsigned block_size = 8;
  unsigned passes = 3;  ///< 1 to 8

  bool operator==(const ScryptCost&) const = default;
};

/// "$scrypt$ln=15,r=8,p=3$salt$hash", in base64 without padding.
///
/// Threads: immutable, may be shared. matches() and hash_password() compute for tenths of a second
/// and use 16 to 128 MiB: off the loop.
class PasswordHash {
 public:
  /// Errors: kInvalidArgument: another form, or costs out of bounds: a line of a file must neither
  /// make a weak hash pass nor take the memory of the machine.
  static Result<PasswordHash> parse(std::string_view text);
  /// Stands in for a user that does not exist: costs the same, and nothing matches it.
  static PasswordHash of_nobody(ScryptCost cost = {});

  bool matches(const Secret& password) const;

  const ScryptCost& cost() const { return cost_; }
  std::string text() const;

 private:
  friend Result<PasswordHash> hash_password(const Secret& password, ScryptCost cost);
  PasswordHash() = default;

  ScryptCost cost_;
  std::string salt_;
  std::string hash_;
  bool nobody_ = false;
};

/// With a new salt. The bytes are taken as they are: no Unicode normalisation.
/// Errors: kInvalidArgument: fewer than 12 bytes or more than 1024, or costs out of bounds;
/// kResourceExhausted: no memory.
Result<PasswordHash> hash_password(const Secret& password, ScryptCost cost = {});

}  // namespace etcdmon::api::auth
