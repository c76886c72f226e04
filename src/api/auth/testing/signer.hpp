// api/auth/testing/signer.hpp: keys made for a test, and tokens signed with them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/auth/key.hpp"

namespace etcdmon::api::auth::testing {

/// A private key with what a verifier is given of it. Copies share it.
class Signer {
 public:
  static Signer rsa(unsigned bits = 2048);
  static Signer ec(const char* curve = "P-256");
  static Signer ed25519();

  /// The public key, as an issuer's JWK Set writes it; `more` is further members: `,"kid":"a"`.
  std::string jwk(std::string_view more = {}) const;
  std::string public_pem() const;
  std::string private_pem() const;
  /// The public half. Fails the test where it is refused.
  Key key(std::string id = {}) const;

  std::string sign(Algorithm algorithm, std::string_view text) const;
  /// Both as JSON, signed as `algorithm` whatever the header says.
  std::string token(Algorithm algorithm, std::string_view header, std::string_view payload) const;

 private:
  explicit Signer(std::shared_ptr<const KeyMaterial> key) : key_(std::move(key)) {}
  std::shared_ptr<const KeyMaterial> key_;
};

/// A token of HS256.
std::string hmac_token(std::string_view secret, std::string_view header, std::string_view payload);
/// Three parts with any signature.
std::string token_of(std::string_view header, std::string_view payload, std::string_view signature);

}  // namespace etcdmon::api::auth::testing
