#include "bench/http2/frames.hpp"

#include <array>

namespace etcdmon::bench::h2 {

void append_frame(ByteQueue& out, Type type, std::uint8_t flags, std::int32_t stream,
                  std::span<const std::byte> payload) {
  auto* at = out.grow(kFrameHeader + payload.size());
  write_frame_header(at, {static_cast<std::uint32_t>(payload.size()), type, flags, stream});
  if (!payload.empty()) std::memcpy(at + kFrameHeader, payload.data(), payload.size());
}

void append_window_update(ByteQueue& out, std::int32_t stream, std::uint32_t bytes) {
  std::array<std::byte, 4> payload{};
  write_u32(payload.data(), bytes);
  append_frame(out, Type::kWindowUpdate, 0, stream, payload);
}

void append_rst_stream(ByteQueue& out, std::int32_t stream, Code code) {
  std::array<std::byte, 4> payload{};
  write_u32(payload.data(), static_cast<std::uint32_t>(code));
  append_frame(out, Type::kRstStream, 0, stream, payload);
}

void append_goaway(ByteQueue& out, Code code) {
  std::array<std::byte, 8> payload{};
  write_u32(payload.data() + 4, static_cast<std::uint32_t>(code));
  append_frame(out, Type::kGoaway, 0, 0, payload);
}

void append_opening(ByteQueue& out, std::uint32_t stream_window, std::uint32_t connection_window,
                    std::uint32_t max_header_list) {
  out.append(std::as_bytes(std::span(kPreface)));
  std::array<std::byte, 18> settings{};
  const auto put = [&settings](std::size_t place, Setting setting, std::uint32_t value) {
    write_u16(settings.data() + place * 6, static_cast<std::uint16_t>(setting));
    write_u32(settings.data() + place * 6 + 2, value);
  };
  put(0, Setting::kEnablePush, 0);
  put(1, Setting::kInitialWindowSize, stream_window);
  put(2, Setting::kMaxHeaderListSize, max_header_list);
  append_frame(out, Type::kSettings, 0, 0, settings);
  append_window_update(out, 0, connection_window - static_cast<std::uint32_t>(kDefaultWindow));
}

}  // namespace etcdmon::bench::h2
