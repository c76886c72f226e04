// api/auth/jwks.hpp: an issuer's keys: what it publishes, and how long that is believed.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/auth/key.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace etcdmon::api::auth {

struct KeySet {
  std::vector<Key> keys;
  /// Why others were left out: one line each, for the log.
  std::vector<std::string> skipped;
};

/// A JWK Set (RFC 7517) of RSA, EC P-256 and Ed25519 keys. What is for encryption, of an unknown
/// kind, weak or broken is skipped, since a set may hold keys for others; so are secrets (`oct`),
/// which nobody publishes.
/// Errors: kInvalidArgument: no JWK Set, more than 256 KiB, more than 64 keys.
Result<KeySet> parse_jwks(std::string_view text);

/// Where the issuer's discovery document says that its keys are.
/// Errors: kInvalidArgument: no such document, one of another issuer, or keys that would not come
/// over https.
Result<std::string> jwks_uri_of(std::string_view document, std::string_view issuer);

/// The keys of one issuer over time. It only decides when they are to be fetched; its owner fetches
/// and tells what came of it.
///
/// An issuer announces new keys by using them. So a token with an unknown key is a reason to look
/// again, but not at each token: anybody can make up names.
class IssuerKeys {
 public:
  struct Options {
    std::chrono::seconds refresh{600};  ///< between two fetches
    std::chrono::seconds retry{30};     ///< after a failure, and the least between any two
    std::chrono::seconds keep{86'400};  ///< how long old keys stand while fetches fail
  };

  /// Keys to be fetched.
  explicit IssuerKeys(Options options) : options_(options) {}
  /// Keys of a file: there is nothing to fetch.
  explicit IssuerKeys(KeySet keys) : keys_(std::move(keys.keys)), fixed_(true) {}

  /// None once they are too old to be believed.
  std::span<const Key> keys(SteadyTime now) const;
  /// It is time to fetch. Says so until fetch_started().
  bool wants_fetch(SteadyTime now) const;

  void fetch_started(SteadyTime now);
  /// These replace the ones before, so that a key that was withdrawn is no longer taken. An empty
  /// set counts as a failure.
  void fetched(KeySet keys, SteadyTime now);
  void fetch_failed();
  /// A token named a key that is not there.
  void missed_key();

 private:
  Options options_;
  std::vector<Key> keys_;
  bool fixed_ = false;
  bool fetching_ = false;
  bool missed_ = false;
  bool failed_ = false;
  std::optional<SteadyTime> started_;
  std::optional<SteadyTime> fetched_;
};

}  // namespace etcdmon::api::auth
