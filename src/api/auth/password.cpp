#include "api/auth/password.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <openssl/err.h>

#include "api/auth/detail/openssl.hpp"
#include "base/base64.hpp"

namespace etcdmon::api::auth {

namespace {

using namespace detail;

constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kMostSalt = 64;
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kMostText = 256;
constexpr ScryptCost kLeast{.log2_n = 14, .block_size = 8, .passes = 1};
constexpr ScryptCost kMost{.log2_n = 17, .block_size = 8, .passes = 8};

Error refuse_hash(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

bool is_bounded(const ScryptCost& cost) {
  const auto within = [](unsigned value, unsigned least, unsigned most) {
    return value >= least && value <= most;
  };
  return within(cost.log2_n, kLeast.log2_n, kMost.log2_n) &&
         within(cost.block_size, kLeast.block_size, kMost.block_size) &&
         within(cost.passes, kLeast.passes, kMost.passes);
}

std::optional<std::string> scrypt(std::string_view password, std::string_view salt,
                                  const ScryptCost& cost) {
  std::string hash(kHashSize, '\0');
  const std::uint64_t n = std::uint64_t{1} << cost.log2_n;
  // What the algorithm needs, and not a byte more than a little.
  const std::uint64_t memory = std::uint64_t{128} * cost.block_size * (n + cost.passes + 2) + 1024;
  const bool done =
      EVP_PBE_scrypt(password.data(), password.size(), bytes_of(salt), salt.size(), n,
                     cost.block_size, cost.passes, memory, bytes_of(hash), hash.size()) == 1;
  ERR_clear_error();
  return done ? std::optional(std::move(hash)) : std::nullopt;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// "ln=15": digits only, without leading zeros.
std::optional<unsigned> parameter(std::string_view text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return text.starts_with('0') ? std::nullopt : std::optional(value);
}

std::optional<ScryptCost> parse_cost(std::string_view text) {
  const auto parts = split_at(text, ',');
  if (parts.size() != 3) return std::nullopt;
  const auto log2_n = parameter(parts[0], "ln=");
  const auto block_size = parameter(parts[1], "r=");
  const auto passes = parameter(parts[2], "p=");
  if (!log2_n || !block_size || !passes) return std::nullopt;
  return ScryptCost{.log2_n = *log2_n, .block_size = *block_size, .passes = *passes};
}

}  // namespace

Result<PasswordHash> PasswordHash::parse(std::string_view text) {
  if (text.size() > kMostText) return refuse_hash("a password hash of more than 256 letters");
  const auto parts = split_at(text, '$');
  if (parts.size() != 5 || !parts[0].empty() || parts[1] != "scrypt") {
    return refuse_hash("not of the form $scrypt$ln=15,r=8,p=3$salt$hash");
  }
  const auto cost = parse_cost(parts[2]);
  if (!cost || !is_bounded(*cost)) {
    return refuse_hash("its costs must be ln=14 to 17, r=8, p=1 to 8");
  }
  auto salt = decode_base64(parts[3], Base64::kPlain);
  auto hash = decode_base64(parts[4], Base64::kPlain);
  if (!salt || salt->size() < kSaltSize || salt->size() > kMostSalt) {
    return refuse_hash("its salt must be 16 to 64 bytes of base64 without padding");
  }
  if (!hash || hash->size() != kHashSize) {
    return refuse_hash("its hash must be 32 bytes of base64 without padding");
  }
  PasswordHash parsed;
  parsed.cost_ = *cost;
  parsed.salt_ = *std::move(salt);
  parsed.hash_ = *std::move(hash);
  return parsed;
}

PasswordHash PasswordHash::of_nobody(ScryptCost cost) {
  PasswordHash hash;
  hash.cost_ = cost;
  hash.salt_ = random_bytes(kSaltSize);
  hash.hash_ = random_bytes(kHashSize);
  hash.nobody_ = true;
  return hash;
}

bool PasswordHash::matches(const Secret& password) const {
  if (password.reveal().size() > kMostPassword) return false;
  const auto hash = scrypt(password.reveal(), salt_, cost_);
  const bool equal = hash && equal_in_constant_time(*hash, hash_);
  return equal && !nobody_;
}

std::string PasswordHash::text() const {
  return fmt::format("$scrypt$ln={},r={},p={}${}${}", cost_.log2_n, cost_.block_size, cost_.passes,
                     encode_base64(salt_, Base64::kPlain), encode_base64(hash_, Base64::kPlain));
}

Result<PasswordHash> hash_password(const Secret& password, ScryptCost cost) {
  const auto size = password.reveal().size();
  if (size < kLeastPassword || size > kMostPassword) {
    return refuse_hash(fmt::format("a password has {} to {} bytes", kLeastPassword, kMostPassword));
  }
  if (!is_bounded(cost)) return refuse_hash("costs out of bounds");
  PasswordHash made;
  made.cost_ = cost;
  made.salt_ = random_bytes(kSaltSize);
  auto hash = scrypt(password.reveal(), made.salt_, cost);
  if (!hash) {
    return Error{ErrorCode::kResourceExhausted, "no memory for hashing a password", Cause::kLocal};
  }
  made.hash_ = *std::move(hash);
  return made;
}

}  // namespace etcdmon::api::auth
