// api/auth/key.hpp: keys that prove who signed a token.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace etcdmon::api::auth {

/// The signatures that are understood. There is no "none".
enum class Algorithm : std::uint8_t { kRs256, kPs256, kEs256, kEdDsa, kHs256 };

/// "RS256", as the header of a token spells it, letter by letter.
std::string_view name_of(Algorithm algorithm);
std::optional<Algorithm> algorithm_of(std::string_view name);

/// How a key is made decides what it can verify: a public key never becomes the secret of an HMAC,
/// whatever the token's header says.
enum class KeyType : std::uint8_t { kRsa, kEcP256, kEd25519, kHmac };

struct KeyMaterial;

/// One key for verifying. Weak ones do not come into being.
///
/// Threads: immutable, may be shared.
class Key {
 public:
  /// Big-endian numbers. Errors: kInvalidArgument: fewer than 2048 bits or more than 8192, or an
  /// exponent that is even, 1, or longer than 32 bits.
  static Result<Key> rsa(std::string_view modulus, std::string_view exponent);
  /// Coordinates of 32 bytes each. Errors: kInvalidArgument: other sizes, not on the curve.
  static Result<Key> ec_p256(std::string_view x, std::string_view y);
  /// Errors: kInvalidArgument: not 32 bytes.
  static Result<Key> ed25519(std::string_view x);
  /// Errors: kInvalidArgument: fewer than 32 bytes, or a key or certificate in PEM, which others
  /// may know.
  static Result<Key> hmac(const Secret& secret);
  /// Every public key and certificate of a PEM text; of a certificate only the key counts, not who
  /// issued it nor until when. Errors: kInvalidArgument: none, a private key, an unknown kind, a
  /// weak one, more than 256 KiB.
  static Result<std::vector<Key>> from_pem(std::string_view text);

  KeyType type() const { return type_; }
  /// The name that tokens call it by (`kid`). Empty: it has none.
  const std::string& id() const { return id_; }
  Key with_id(std::string id) &&;
  /// Lets it verify this algorithm only.
  Key only_for(Algorithm algorithm) &&;

  /// It can verify this algorithm, and may.
  bool fits(Algorithm algorithm) const;
  /// False also where the algorithm does not fit.
  bool verify(Algorithm algorithm, std::string_view text, std::string_view signature) const;

 private:
  Key(KeyType type, std::shared_ptr<const KeyMaterial> material)
      : type_(type), material_(std::move(material)) {}
  static Result<Key> of(KeyMaterial material);

  KeyType type_;
  std::string id_;
  std::optional<Algorithm> only_;
  std::shared_ptr<const KeyMaterial> material_;
};

}  // namespace etcdmon::api::auth
