// bench/http2/frames.hpp: HTTP/2's frames as bytes (RFC 9113).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bench/http2/byte_queue.hpp"

namespace etcdmon::bench::h2 {

inline constexpr std::size_t kFrameHeader = 9;
inline constexpr std::uint32_t kMaxFrame = 16'384;  ///< what we let the peer send
inline constexpr std::int32_t kDefaultWindow = 65'535;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class Type : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

namespace flag {
inline constexpr std::uint8_t kEndStream = 0x1;
inline constexpr std::uint8_t kAck = 0x1;
inline constexpr std::uint8_t kEndHeaders = 0x4;
inline constexpr std::uint8_t kPadded = 0x8;
inline constexpr std::uint8_t kPriority = 0x20;
}  // namespace flag

enum class Setting : std::uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kMaxConcurrentStreams = 3,
  kInitialWindowSize = 4,
  kMaxFrameSize = 5,
  kMaxHeaderListSize = 6,
};

enum class Code : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kFlowControlError = 3,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompressionError = 9,
};

struct FrameHeader {
  std::uint32_t size = 0;
  Type type = Type::kData;
  std::uint8_t flags = 0;
  std::int32_t stream = 0;

  bool has(std::uint8_t bit) const { return (flags & bit) != 0; }
};

/// A frame as it lies in the bytes received.
struct FrameView {
  FrameHeader header;
  std::span<const std::byte> payload;
};

inline std::uint32_t read_u32(const std::byte* at) {
  return std::to_integer<std::uint32_t>(at[0]) << 24U |
         std::to_integer<std::uint32_t>(at[1]) << 16U |
         std::to_integer<std::uint32_t>(at[2]) << 8U | std::to_integer<std::uint32_t>(at[3]);
}
inline std::uint16_t read_u16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8U |
                                    std::to_integer<unsigned>(at[1]));
}
inline void write_u32(std::byte* at, std::uint32_t value) {
  at[0] = static_cast<std::byte>(value >> 24U);
  at[1] = static_cast<std::byte>(value >> 16U);
  at[2] = static_cast<std::byte>(value >> 8U);
  at[3] = static_cast<std::byte>(value);
}
inline void write_u16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8U);
  at[1] = static_cast<std::byte>(value);
}

inline FrameHeader read_frame_header(const std::byte* at) {
  FrameHeader header;
  header.size = read_u32(at) >> 8U;
  header.type = static_cast<Type>(at[3]);
  header.flags = std::to_integer<std::uint8_t>(at[4]);
  header.stream = static_cast<std::int32_t>(read_u32(at + 5) & 0x7fff'ffffU);
  return header;
}
inline void write_frame_header(std::byte* at, const FrameHeader& header) {
  write_u32(at, header.size << 8U | static_cast<std::uint32_t>(header.type));
  at[4] = static_cast<std::byte>(header.flags);
  write_u32(at + 5, static_cast<std::uint32_t>(header.stream));
}

/// A whole frame with its payload.
void append_frame(ByteQueue& out, Type type, std::uint8_t flags, std::int32_t stream,
                  std::span<const std::byte> payload);
void append_window_update(ByteQueue& out, std::int32_t stream, std::uint32_t bytes);
void append_rst_stream(ByteQueue& out, std::int32_t stream, Code code);
void append_goaway(ByteQueue& out, Code code);
/// Preface, SETTINGS (no push, our windows and limits), and the connection's window.
void append_opening(ByteQueue& out, std::uint32_t stream_window, std::uint32_t connection_window,
                    std::uint32_t max_header_list);

}  // namespace etcdmon::bench::h2
