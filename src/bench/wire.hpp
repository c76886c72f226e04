// bench/wire.hpp: protobuf's bytes, written and read without objects in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace etcdmon::bench {

/// A message being written. Keeps its memory.
class Body {
 public:
  void clear() { size_ = 0; }
  std::span<const std::byte> view() const { return {bytes_.data(), size_}; }
  std::size_t size() const { return size_; }

  /// Absent when 0, as proto3 has it.
  void number(unsigned field, std::uint64_t value) {
    if (value == 0) return;
    varint(field << 3U);
    varint(value);
  }
  void text(unsigned field, std::string_view value) {
    bytes(field, std::as_bytes(std::span(value)));
  }
  void bytes(unsigned field, std::span<const std::byte> value) {
    std::byte* at = begin_bytes(field, value.size());
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
  }
  /// A field of `size` bytes that the caller fills in. Valid until the next call.
  std::byte* begin_bytes(unsigned field, std::size_t size) {
    varint(field << 3U | 2U);
    varint(size);
    return grow(size);
  }
  /// A message within: what is written until end() is its content.
  std::size_t begin(unsigned field) {
    varint(field << 3U | 2U);
    grow(kLength);
    return size_;
  }
  void end(std::size_t begun) {
    // The length in as many bytes as were kept free for it.
    auto length = size_ - begun;
    auto* at = bytes_.data() + begun - kLength;
    for (std::size_t i = 0; i + 1 < kLength; ++i, length >>= 7U)
      at[i] = static_cast<std::byte>(0x80U | (length & 0x7fU));
    at[kLength - 1] = static_cast<std::byte>(length);
  }

 private:
  static constexpr std::size_t kLength = 4;

  std::byte* grow(std::size_t size) {
    if (bytes_.size() - size_ < size) bytes_.resize(2 * bytes_.size() + size + 256);
    auto* at = bytes_.data() + size_;
    size_ += size;
    return at;
  }
  void varint(std::uint64_t value) {
    auto* at = grow(10);
    std::size_t used = 0;
    for (; value >= 0x80; value >>= 7U) at[used++] = static_cast<std::byte>(value | 0x80U);
    at[used++] = static_cast<std::byte>(value);
    size_ -= 10 - used;
  }

  std::vector<std::byte> bytes_;
  std::size_t size_ = 0;
};

/// The fields of a message, one after the other. Bytes that are no message end it with ok() false.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> message)
      : at_(message.data()), end_(message.data() + message.size()) {}

  struct Field {
    unsigned number = 0;
    std::uint64_t value = 0;           ///< of a number
    std::span<const std::byte> bytes;  ///< of bytes and messages
  };
  std::optional<Field> next() {
    if (!ok_ || at_ == end_) return std::nullopt;
    std::uint64_t tag = 0;
    if (!varint(tag)) return fail();
    Field field{.number = static_cast<unsigned>(tag >> 3U), .value = 0, .bytes = {}};
    if (field.number == 0) return fail();
    switch (tag & 7U) {
      case 0:
        return varint(field.value) ? std::optional(field) : fail();
      case 1:
        return skip(8) ? std::optional(field) : fail();
      case 2: {
        std::uint64_t size = 0;
        if (!varint(size)) return fail();
        field.bytes = {at_, static_cast<std::size_t>(size)};
        return skip(size) ? std::optional(field) : fail();
      }
      case 5:
        return skip(4) ? std::optional(field) : fail();
      default:
        return fail();
    }
  }
  bool ok() const { return ok_; }

 private:
  std::optional<Field> fail() {
    ok_ = false;
    return std::nullopt;
  }
  bool skip(std::uint64_t size) {
    if (static_cast<std::uint64_t>(end_ - at_) < size) return false;
    at_ += size;
    return true;
  }
  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(*at_++);
      value |= (byte & 0x7fU) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  const std::byte* at_;
  const std::byte* end_;
  bool ok_ = true;
};

/// What every etcd answer carries.
struct ReplyHeader {
  std::uint64_t member_id = 0;
  std::int64_t revision = 0;
  std::uint64_t raft_term = 0;
};
/// nullopt: it is no etcd answer.
std::optional<ReplyHeader> read_header(std::span<const std::byte> message);

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What etcd's calls are named.
namespace path {
inline constexpr std::string_view kRange = "/etcdserverpb.KV/Range";
inline constexpr std::string_view kPut = "/etcdserverpb.KV/Put";
inline constexpr std::string_view kDeleteRange = "/etcdserverpb.KV/DeleteRange";
inline constexpr std::string_view kTxn = "/etcdserverpb.KV/Txn";
inline constexpr std::string_view kWatch = "/etcdserverpb.Watch/Watch";
inline constexpr std::string_view kLeaseGrant = "/etcdserverpb.Lease/LeaseGrant";
inline constexpr std::string_view kLeaseRevoke = "/etcdserverpb.Lease/LeaseRevoke";
inline constexpr std::string_view kLeaseKeepAlive = "/etcdserverpb.Lease/LeaseKeepAlive";
inline constexpr std::string_view kAuthenticate = "/etcdserverpb.Auth/Authenticate";
}  // namespace path

}  // namespace etcdmon::bench
