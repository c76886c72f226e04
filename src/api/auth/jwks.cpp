#include "api/auth/jwks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/auth/detail/strict_json.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth {

namespace {

using detail::parse_strict_object;
using detail::text_at;
using nlohmann::json;

constexpr std::size_t kMaxDocument = 256U << 10U;
constexpr std::size_t kMaxKeys = 64;
constexpr std::size_t kMaxName = 255;

Error refused(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

std::optional<std::string> bytes_at(const json& jwk, const char* name) {
  const auto* text = text_at(jwk, name);
  return text == nullptr ? std::nullopt : decode_base64(*text);
}

bool is_for_verifying(const json& jwk) {
  if (const auto use = jwk.find("use"); use != jwk.end() && *use != "sig") return false;
  const auto operations = jwk.find("key_ops");
  return operations == jwk.end() ||
         (operations->is_array() && std::ranges::find(*operations, "verify") != operations->end());
}

Result<Key> read_kind(const json& jwk) {
  const auto* type = text_at(jwk, "kty");
  const auto kind = type == nullptr ? std::string_view() : std::string_view(*type);
  const auto* curve = text_at(jwk, "crv");
  if (kind == "RSA") {
    const auto n = bytes_at(jwk, "n");
    const auto e = bytes_at(jwk, "e");
    return n && e ? Key::rsa(*n, *e) : refused("without n or e");
  }
  if (kind == "EC" && curve != nullptr && *curve == "P-256") {
    const auto x = bytes_at(jwk, "x");
    const auto y = bytes_at(jwk, "y");
    return x && y ? Key::ec_p256(*x, *y) : refused("without x or y");
  }
  if (kind == "OKP" && curve != nullptr && *curve == "Ed25519") {
    const auto x = bytes_at(jwk, "x");
    return x ? Key::ed25519(*x) : refused("without x");
  }
  if (kind == "oct") return refused("a secret, which nobody should publish");
  return refused("of an unknown kind");
}

Result<Key> read_key(const json& jwk) {
  if (!jwk.is_object()) return refused("no object");
  if (!is_for_verifying(jwk)) return refused("not for verifying signatures");
  ETCDMON_TRY(auto key, read_kind(jwk));
  if (jwk.contains("kid")) {
    const auto* id = text_at(jwk, "kid");
    if (id == nullptr || id->empty() || id->size() > kMaxName) return refused("with a bad kid");
    key = std::move(key).with_id(*id);
  }
  if (jwk.contains("alg")) {
    const auto* name = text_at(jwk, "alg");
    const auto algorithm = name == nullptr ? std::nullopt : algorithm_of(*name);
    if (!algorithm || !key.fits(*algorithm))
      return refused("for an algorithm that it does not fit");
    key = std::move(key).only_for(*algorithm);
  }
  return key;
}

}  // namespace

Result<KeySet> parse_jwks(std::string_view text) {
  if (text.size() > kMaxDocument) return refused("a JWK Set of more than 256 KiB");
  const auto document = parse_strict_object(text);
  if (!document) return refused("no JSON object");
  const auto keys = document->find("keys");
  if (keys == document->end() || !keys->is_array()) return refused("no JWK Set: without \"keys\"");
  if (keys->size() > kMaxKeys) return refused(fmt::format("more than {} keys", kMaxKeys));
  KeySet set;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    auto key = read_key((*keys)[i]);
    if (key) {
      set.keys.push_back(*std::move(key));
    } else {
      set.skipped.push_back(fmt::format("key {} of the set: {}", i + 1, key.error().message));
    }
  }
  return set;
}

Result<std::string> jwks_uri_of(std::string_view document, std::string_view issuer) {
  if (document.size() > kMaxDocument) return refused("a discovery document of more than 256 KiB");
  const auto parsed = parse_strict_object(document);
  if (!parsed) return refused("the discovery document is no JSON object");
  const auto* named = text_at(*parsed, "issuer");
  if (named == nullptr || *named != issuer) {
    return refused("the discovery document is of another issuer");
  }
  const auto* uri = text_at(*parsed, "jwks_uri");
  if (uri == nullptr || !uri->starts_with("https://")) {
    return refused("the discovery document has no jwks_uri with https");
  }
  return *uri;
}

std::span<const Key> IssuerKeys::keys(SteadyTime now) const {
  if (!fixed_ && (!fetched_ || now - *fetched_ > options_.keep)) return {};
  return keys_;
}

bool IssuerKeys::wants_fetch(SteadyTime now) const {
  if (fixed_ || fetching_) return false;
  if (!started_) return true;
  const bool hurry = missed_ || failed_ || !fetched_;
  return now - *started_ >= (hurry ? options_.retry : options_.refresh);
}

void IssuerKeys::fetch_started(SteadyTime now) {
  started_ = now;
  fetching_ = true;
  missed_ = false;
}

void IssuerKeys::fetched(KeySet keys, SteadyTime now) {
  fetching_ = false;
  failed_ = keys.keys.empty();
  if (failed_) return;
  keys_ = std::move(keys.keys);
  fetched_ = now;
}

void IssuerKeys::fetch_failed() {
  fetching_ = false;
  failed_ = true;
}

void IssuerKeys::missed_key() {
  missed_ = true;
}

}  // namespace etcdmon::api::auth
