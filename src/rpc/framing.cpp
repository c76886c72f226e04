#include "rpc/framing.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"

namespace etcdmon::rpc {

namespace {

// A length that a peer announced is believed up to here; beyond it the memory follows the bytes.
constexpr std::size_t kTrustedLength = 64U << 10U;

std::size_t length_in(const std::array<std::byte, kPrefixSize>& prefix) {
  std::size_t length = 0;
  for (std::size_t i = 1; i < kPrefixSize; ++i)
    length = (length << 8U) | std::to_integer<std::size_t>(prefix[i]);
  return length;
}

}  // namespace

Prefix prefix_of(std::size_t message_size) {
  ETCDMON_ASSERT(message_size <= 0xffffffffU);
  Prefix prefix{};
  for (std::size_t i = 1; i < kPrefixSize; ++i) {
    prefix[i] = static_cast<std::byte>((message_size >> (8 * (kPrefixSize - 1 - i))) & 0xffU);
  }
  return prefix;
}

MessageReader::Step MessageReader::refuse(ErrorCode code, std::string message, Cause cause) {
  error_ = Error{code, std::move(message), cause};
  return Step::kBad;
}

MessageReader::Step MessageReader::read(std::span<const std::byte>& bytes) {
  if (prefix_have_ < kPrefixSize) {
    if (prefix_have_ == 0) message_.clear();
    const auto take = std::min(bytes.size(), kPrefixSize - prefix_have_);
    std::copy_n(bytes.begin(), take, prefix_.begin() + static_cast<std::ptrdiff_t>(prefix_have_));
    prefix_have_ += take;
    bytes = bytes.subspan(take);
    if (prefix_have_ < kPrefixSize) return Step::kMore;
    if (prefix_[0] != std::byte{0}) {
      return refuse(ErrorCode::kInternal,
                    "the answer is compressed, and no compression was offered", Cause::kProtocol);
    }
    missing_ = length_in(prefix_);
    if (missing_ > max_message_) {
      return refuse(ErrorCode::kResourceExhausted,
                    fmt::format("the answer has {} bytes, the limit is {}", missing_, max_message_),
                    Cause::kLocal);
    }
    message_.reserve(std::min(missing_, kTrustedLength));
  }
  const auto take = std::min(bytes.size(), missing_);
  message_.append(reinterpret_cast<const char*>(bytes.data()), take);
  missing_ -= take;
  bytes = bytes.subspan(take);
  if (missing_ > 0) return Step::kMore;
  prefix_have_ = 0;
  return Step::kMessage;
}

void MessageReader::reset(std::size_t max_message) {
  max_message_ = max_message;
  missing_ = 0;
  prefix_have_ = 0;
  message_.clear();
}

std::string encode_timeout(std::chrono::nanoseconds timeout) {
  struct Unit {
    std::int64_t nanoseconds;
    char letter;
  };
  static constexpr std::array<Unit, 6> kUnits{{{1, 'n'},
                                               {1'000, 'u'},
                                               {1'000'000, 'm'},
                                               {1'000'000'000, 'S'},
                                               {60'000'000'000, 'M'},
                                               {3'600'000'000'000, 'H'}}};
  constexpr std::int64_t kMostDigits = 99'999'999;
  if (timeout.count() <= 0) return "0n";
  for (const auto& unit : kUnits) {
    const auto value =
        timeout.count() / unit.nanoseconds + (timeout.count() % unit.nanoseconds != 0 ? 1 : 0);
    if (value > kMostDigits) continue;
    std::array<char, 10> text{};
    auto* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    *end++ = unit.letter;
    return {text.data(), end};
  }
  return "99999999H";
}

}  // namespace etcdmon::rpc
