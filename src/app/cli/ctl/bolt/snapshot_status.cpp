#include "app/cli/ctl/bolt/snapshot_status.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "app/cli/ctl/bolt/bolt_file.hpp"

namespace etcdmon::app::cli::ctl {

namespace {

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1U) ^ ((value & 1U) * 0x82F63B78U);
    tables[0][i] = value;
  }
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      const auto before = tables[t - 1][i];
      tables[t][i] = tables[0][before & 255U] ^ (before >> 8U);
    }
  }
  return tables;
}

constexpr CrcTables kTables = make_crc_tables();

// CRC-32C, eight bytes at a time.
class Castagnoli {
 public:
  void add(std::string_view bytes) {
    const auto byte = [&bytes](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    std::uint32_t sum = ~sum_;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      sum ^= std::uint32_t{byte(0)} | std::uint32_t{byte(1)} << 8U | std::uint32_t{byte(2)} << 16U |
             std::uint32_t{byte(3)} << 24U;
      sum = kTables[7][sum & 255U] ^ kTables[6][(sum >> 8U) & 255U] ^
            kTables[5][(sum >> 16U) & 255U] ^ kTables[4][sum >> 24U] ^ kTables[3][byte(4)] ^
            kTables[2][byte(5)] ^ kTables[1][byte(6)] ^ kTables[0][byte(7)];
    }
    for (; !bytes.empty(); bytes.remove_prefix(1)) {
      sum = kTables[0][(sum ^ byte(0)) & 255U] ^ (sum >> 8U);
    }
    sum_ = ~sum;
  }
  std::uint32_t sum() const { return sum_; }

 private:
  std::uint32_t sum_ = 0;
};

constexpr std::size_t kSumSize = 32;
constexpr std::size_t kRevisionKey =
    17;  ///< main, '_', sub; one more byte 't' where it was deleted
constexpr std::string_view kVersionKey = "storageVersion";

// The key in a serialized KeyValue, where it comes first.
std::optional<std::string_view> key_of(std::string_view message) {
  if (message.empty() || message.front() != '\x0a') return std::string_view();
  std::size_t length = 0;
  std::size_t at = 1;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (at == message.size()) return std::nullopt;
    const auto byte = static_cast<std::uint8_t>(message[at++]);
    length |= std::size_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) break;
  }
  if (length > message.size() - at) return std::nullopt;
  return message.substr(at, length);
}

std::int64_t main_revision(std::string_view key) {
  std::uint64_t value = 0;
  for (const char c : key.substr(0, 8)) value = value << 8U | static_cast<std::uint8_t>(c);
  return static_cast<std::int64_t>(value);
}

class Count {
 public:
  explicit Count(SnapshotFile& file) : file_(file) {}

  void bucket(std::string_view name) {
    crc_.add(name);
    file_.hash = crc_.sum();
  }

  Result<void> entry(std::string_view bucket, std::string_view key, std::string_view value) {
    crc_.add(key);
    crc_.add(value);
    file_.hash = crc_.sum();
    ++entries_;
    if (bucket == "meta" && key == kVersionKey) file_.version = value;
    if (bucket != "key") return {};
    if (key.size() < kRevisionKey) return Error{ErrorCode::kDataLoss, "damaged: no revision"};
    file_.revision = main_revision(key);
    const auto name = key_of(value);
    if (!name) return Error{ErrorCode::kDataLoss, "damaged: no key in a revision"};
    if (key.size() == kRevisionKey) {
      living_.insert(*name);
    } else {
      living_.erase(*name);
    }
    return {};
  }

  std::int64_t total(Compat compat) const {
    return static_cast<std::int64_t>(compat >= Compat::k3_6 ? living_.size() : entries_);
  }

 private:
  SnapshotFile& file_;
  Castagnoli crc_;
  std::size_t entries_ = 0;
  std::unordered_set<std::string_view> living_;
};

}  // namespace

Checksum checksum_of(std::string_view bytes) {
  // A database is whole sectors long.
  if (bytes.size() % 512 != kSumSize) return Checksum::kNone;
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  const auto body = bytes.substr(0, bytes.size() - kSumSize);
  if (EVP_Digest(body.data(), body.size(), sum.data(), &length, EVP_sha256(), nullptr) != 1) {
    return Checksum::kWrong;
  }
  const auto expected = bytes.substr(body.size());
  const bool equal =
      std::equal(expected.begin(), expected.end(), sum.begin(),
                 [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
  return equal ? Checksum::kRight : Checksum::kWrong;
}

Result<SnapshotFile> snapshot_status(std::string_view bytes, Compat compat) {
  ETCDMON_TRY(const auto bolt, BoltFile::read(bytes));
  SnapshotFile file;
  file.total_size = static_cast<std::int64_t>(bolt.size());
  Count count(file);
  const auto done =
      bolt.visit({[&count](std::string_view name) -> Result<void> {
                    count.bucket(name);
                    return {};
                  },
                  [&count](std::string_view bucket, std::string_view key, std::string_view value) {
                    return count.entry(bucket, key, value);
                  }});
  if (!done) return done.error();
  file.total_keys = count.total(compat);
  return file;
}

}  // namespace etcdmon::app::cli::ctl
