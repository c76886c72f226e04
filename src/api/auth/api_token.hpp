// api/auth/api_token.hpp: tokens that programs keep, known here by their hashes only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace etcdmon::api::auth {

/// "etcdmon_" and 49 letters of base64url: 256 random bits and 36 bits of a checksum, so
/// that scanners of repositories find one that leaked, and a slip of the pen is no look-up.
Secret make_api_token();
/// It has the form and the right checksum; whether it is anybody's is another question.
bool is_api_token(std::string_view text);
/// What is kept of it: "sha256:" and hex. A token is random, so a slow hash would gain nothing.
std::string hash_api_token(std::string_view token);

struct ApiToken {
  std::string name;  ///< for people and the audit: "backup job"
  std::string hash;  ///< as hash_api_token() writes it
  std::vector<std::string> roles{};
  std::optional<WallTime> expires{};
};

/// Those that are known.
///
/// Threads: immutable, may be shared.
class ApiTokens {
 public:
  ApiTokens() = default;
  /// Errors: kInvalidArgument: a hash in another form, or one that is there twice.
  static Result<ApiTokens> make(std::vector<ApiToken> tokens);

  /// Null: unknown or expired. Compares with all of them whichever it is, each in constant time.
  const ApiToken* find(std::string_view token, WallTime now) const;
  bool empty() const { return tokens_.empty(); }

 private:
  std::vector<ApiToken> tokens_;
  std::vector<std::string> digests_;  ///< of the token in the same place, as bytes
};

}  // namespace etcdmon::api::auth
