// rpc/framing.hpp: gRPC's length-prefixed messages and its timeouts, as bytes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"

namespace etcdmon::rpc {

/// What stands before each message: a flag for compression and the length, most significant byte
/// first.
inline constexpr std::size_t kPrefixSize = 5;
using Prefix = std::array<std::byte, kPrefixSize>;
/// Messages above 4 GiB cannot be framed; asserted.
Prefix prefix_of(std::size_t message_size);

/// Puts messages together from bytes that come in any split.
///
/// Memory grows with the bytes that came, not with the length that was announced.
class MessageReader {
 public:
  explicit MessageReader(std::size_t max_message = 64U << 20U) : max_message_(max_message) {}

  enum class Step : std::uint8_t { kMore, kMessage, kBad };
  /// Takes from the front of `bytes` what belongs to the present message. kMore: all was taken and
  /// the message is not complete. kMessage: message() is one; call again for the rest. kBad:
  /// error() says why; the stream cannot go on.
  Step read(std::span<const std::byte>& bytes);

  /// The message of the last kMessage, until the next read(). May be moved from.
  std::string& message() { return message_; }
  /// kResourceExhausted above the limit, kInternal for a compressed message: no encoding was
  /// offered.
  const Error& error() const { return error_; }
  /// False when the bytes ended inside a message.
  bool between_messages() const { return prefix_have_ == 0; }
  /// For another stream; keeps the memory.
  void reset(std::size_t max_message);

 private:
  Step refuse(ErrorCode code, std::string message, Cause cause);

  std::size_t max_message_;
  std::size_t missing_ = 0;
  std::size_t prefix_have_ = 0;
  std::array<std::byte, kPrefixSize> prefix_{};
  std::string message_;
  Error error_;
};

/// The value of the grpc-timeout header: at most eight digits and a unit, "900m". Rounded up, so
/// that the server does not give up before we do; zero and less is "0n", and more than 11 000 years
/// is that.
std::string encode_timeout(std::chrono::nanoseconds timeout);

}  // namespace etcdmon::rpc
