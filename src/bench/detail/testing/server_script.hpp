// bench/detail/testing/server_script.hpp: what a server says, as bytes that a test puts together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "base/assert.hpp"
#include "bench/http2/frames.hpp"

namespace etcdmon::bench::testing {

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

inline const HeaderFields kGrpcHead{{":status", "200"}, {"content-type", "application/grpc"}};
inline const HeaderFields kOkTrailers{{"grpc-status", "0"}, {"grpc-message", ""}};

inline std::string framed(std::string_view message) {
  std::string bytes(5, '\0');
  h2::write_u32(reinterpret_cast<std::byte*>(bytes.data()) + 1,
                static_cast<std::uint32_t>(message.size()));
  return bytes.append(message);
}

/// Frames one after the other, right or wrong: nothing is checked. HPACK is nghttp2's.
class ServerScript {
 public:
  ServerScript() { ETCDMON_ASSERT(nghttp2_hd_deflate_new(&deflater_, 4096) == 0); }
  ~ServerScript() { nghttp2_hd_deflate_del(deflater_); }
  ServerScript(const ServerScript&) = delete;
  ServerScript& operator=(const ServerScript&) = delete;

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::exchange(bytes_, {}); }

  ServerScript& frame(h2::Type type, std::uint8_t flags, std::int32_t stream,
                      std::string_view payload = {}) {
    std::string header(h2::kFrameHeader, '\0');
    h2::write_frame_header(reinterpret_cast<std::byte*>(header.data()),
                           {static_cast<std::uint32_t>(payload.size()), type, flags, stream});
    bytes_ += header;
    bytes_ += payload;
    return *this;
  }
  ServerScript& settings(const std::vector<std::pair<h2::Setting, std::uint32_t>>& values = {}) {
    std::string payload;
    for (const auto& [setting, value] : values) {
      payload += number(static_cast<std::uint16_t>(setting), 2);
      payload += number(value, 4);
    }
    return frame(h2::Type::kSettings, 0, 0, payload);
  }
  ServerScript& headers(std::int32_t stream, const HeaderFields& fields, bool end_stream = false) {
    return frame(h2::Type::kHeaders, flags(end_stream), stream, block(fields));
  }
  /// In pieces of `size` bytes: HEADERS and CONTINUATIONs.
  ServerScript& headers_in_pieces(std::int32_t stream, const HeaderFields& fields, bool end_stream,
                                  std::size_t size) {
    const auto all = block(fields);
    for (std::size_t at = 0; at == 0 || at < all.size(); at += size) {
      const bool last = at + size >= all.size();
      const auto type = at == 0 ? h2::Type::kHeaders : h2::Type::kContinuation;
      std::uint8_t bits = last ? h2::flag::kEndHeaders : 0;
      if (at == 0 && end_stream) bits |= h2::flag::kEndStream;
      frame(type, bits, stream, std::string_view(all).substr(at, size));
    }
    return *this;
  }
  ServerScript& data(std::int32_t stream, std::string_view payload, bool end_stream = false) {
    return frame(h2::Type::kData, end_stream ? h2::flag::kEndStream : 0, stream, payload);
  }
  ServerScript& padded_data(std::int32_t stream, std::string_view payload, std::uint8_t padding) {
    std::string all(1, static_cast<char>(padding));
    all += payload;
    all.append(padding, '\0');
    return frame(h2::Type::kData, h2::flag::kPadded, stream, all);
  }
  /// A whole good answer.
  ServerScript& answer(std::int32_t stream, std::string_view message,
                       const HeaderFields& trailers = kOkTrailers) {
    return headers(stream, kGrpcHead).data(stream, framed(message)).headers(stream, trailers, true);
  }
  ServerScript& reset(std::int32_t stream, std::uint32_t code) {
    return frame(h2::Type::kRstStream, 0, stream, number(code, 4));
  }
  ServerScript& credit(std::int32_t stream, std::uint32_t bytes) {
    return frame(h2::Type::kWindowUpdate, 0, stream, number(bytes, 4));
  }
  ServerScript& goaway(std::int32_t last, std::uint32_t code, std::string_view debug = {}) {
    return frame(
        h2::Type::kGoaway, 0, 0,
        number(static_cast<std::uint32_t>(last), 4) + number(code, 4) + std::string(debug));
  }

  static std::string number(std::uint32_t value, unsigned size) {
    std::string bytes;
    for (unsigned i = size; i-- > 0;) bytes.push_back(static_cast<char>(value >> (8 * i)));
    return bytes;
  }

  std::string block(const HeaderFields& fields) {
    std::vector<nghttp2_nv> nv;
    for (const auto& [name, value] : fields) {
      nv.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    std::string bytes(nghttp2_hd_deflate_bound(deflater_, nv.data(), nv.size()), '\0');
    const auto size =
        nghttp2_hd_deflate_hd(deflater_, reinterpret_cast<std::uint8_t*>(bytes.data()),
                              bytes.size(), nv.data(), nv.size());
    ETCDMON_ASSERT(size >= 0);
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }

 private:
  static std::uint8_t flags(bool end_stream) {
    return static_cast<std::uint8_t>(h2::flag::kEndHeaders |
                                     (end_stream ? h2::flag::kEndStream : 0));
  }

  nghttp2_hd_deflater* deflater_ = nullptr;
  std::string bytes_;
};

}  // namespace etcdmon::bench::testing
