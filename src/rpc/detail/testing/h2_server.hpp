// rpc/detail/testing/h2_server.hpp: an HTTP/2 server without a socket, by nghttp2, that does what a
// test says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "base/assert.hpp"
#include "rpc/framing.hpp"

namespace etcdmon::rpc::testing {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string framed(std::string_view message) {
  const auto prefix = prefix_of(message.size());
  std::string bytes(reinterpret_cast<const char*>(prefix.data()), prefix.size());
  return bytes.append(message);
}

inline const Fields kGrpcHead{{":status", "200"}, {"content-type", "application/grpc"}};
inline const Fields kOkTrailers{{"grpc-status", "0"}, {"grpc-message", ""}};

struct H2ServerOptions {
  std::optional<std::uint32_t> max_concurrent_streams{};
  std::optional<std::uint32_t> window{};  ///< for the client's messages, of each stream
  bool holds_windows = false;             ///< gives no credit by itself
};

class H2Server {
 public:
  struct Request {
    Fields fields;
    std::string body;
    bool ended = false;
    std::optional<std::uint32_t> reset;  ///< the client's RST_STREAM

    std::string field(std::string_view name) const {
      for (const auto& [key, value] : fields) {
        if (key == name) return value;
      }
      return {};
    }
  };

  explicit H2Server(H2ServerOptions options = {}) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, options.holds_windows ? 1 : 0);
    nghttp2_option_set_no_http_messaging(option, 1);  // it may answer against the rules
    nghttp2_option_set_max_send_header_block_length(option, 1U << 20U);
    nghttp2_session_server_new2(&h2_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    std::vector<nghttp2_settings_entry> settings;
    if (options.max_concurrent_streams) {
      settings.push_back(
          {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, *options.max_concurrent_streams});
    }
    if (options.window) settings.push_back({NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, *options.window});
    nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  ~H2Server() { nghttp2_session_del(h2_); }
  H2Server(const H2Server&) = delete;
  H2Server& operator=(const H2Server&) = delete;

  /// False when the client broke HTTP/2.
  bool receive(std::string_view bytes) {
    return nghttp2_session_mem_recv(h2_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size()) >= 0;
  }
  std::string output() {
    std::string bytes;
    const std::uint8_t* data = nullptr;
    for (auto size = nghttp2_session_mem_send(h2_, &data); size > 0;
         size = nghttp2_session_mem_send(h2_, &data)) {
      bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    return bytes;
  }

  void head(std::int32_t stream, const Fields& fields = kGrpcHead) {
    headers(stream, fields, NGHTTP2_FLAG_NONE);
  }
  void head_and_end(std::int32_t stream, const Fields& fields) {
    headers(stream, fields, NGHTTP2_FLAG_END_STREAM);
  }
  /// Appends to the body; sent as flow control allows. At its end come `trailers`, if given.
  void body(std::int32_t stream, std::string bytes) {
    auto& out = outgoing_[stream];
    out.bytes += bytes;
    pump(stream, out);
  }
  void end(std::int32_t stream, Fields trailers = kOkTrailers) {
    auto& out = outgoing_[stream];
    out.ended = true;
    out.trailers = std::move(trailers);
    pump(stream, out);
  }
  void answer(std::int32_t stream, std::string_view message, Fields trailers = kOkTrailers) {
    head(stream);
    body(stream, framed(message));
    end(stream, std::move(trailers));
  }
  void reset(std::int32_t stream, std::uint32_t code) {
    nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, stream, code);
  }
  void goaway(std::int32_t last_stream, std::uint32_t code, std::string_view debug) {
    nghttp2_submit_goaway(h2_, NGHTTP2_FLAG_NONE, last_stream, code,
                          reinterpret_cast<const std::uint8_t*>(debug.data()), debug.size());
  }
  void credit(std::int32_t stream, std::size_t bytes) {
    nghttp2_submit_window_update(h2_, NGHTTP2_FLAG_NONE, stream, static_cast<std::int32_t>(bytes));
  }

  std::map<std::int32_t, Request> requests;
  int pings = 0;
  std::size_t unsent(std::int32_t stream) { return outgoing_[stream].bytes.size(); }

 private:
  struct Outgoing {
    std::string bytes;
    bool ended = false;
    bool started = false;
    Fields trailers;
  };

  static H2Server& self(void* user) { return *static_cast<H2Server*>(user); }

  static std::vector<nghttp2_nv> to_nv(const Fields& fields) {
    std::vector<nghttp2_nv> nv;
    for (const auto& [name, value] : fields) {
      nv.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return nv;
  }

  void headers(std::int32_t stream, const Fields& fields, std::uint8_t flags) {
    const auto nv = to_nv(fields);
    ETCDMON_ASSERT(
        nghttp2_submit_headers(h2_, flags, stream, nullptr, nv.data(), nv.size(), nullptr) == 0);
  }

  void pump(std::int32_t stream, Outgoing& out) {
    if (std::exchange(out.started, true)) {
      nghttp2_session_resume_data(h2_, stream);
      return;
    }
    nghttp2_data_provider provider{};
    provider.read_callback = read;
    ETCDMON_ASSERT(nghttp2_submit_data(h2_, NGHTTP2_FLAG_END_STREAM, stream, &provider) == 0);
  }

  static ssize_t read(nghttp2_session* h2, std::int32_t stream, std::uint8_t* into,
                      std::size_t size, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                      void* user) {
    auto& out = self(user).outgoing_[stream];
    const auto take = std::min(size, out.bytes.size());
    std::copy_n(out.bytes.data(), take, into);
    out.bytes.erase(0, take);
    if (out.bytes.empty() && out.ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!out.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto nv = to_nv(out.trailers);
        nghttp2_submit_trailer(h2, stream, nv.data(), nv.size());
      }
    } else if (take == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(take);
  }

  static int on_header(nghttp2_session* /*h2*/, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t /*flags*/, void* user) {
    self(user).requests[frame->hd.stream_id].fields.emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }

  static int on_data(nghttp2_session* /*h2*/, std::uint8_t /*flags*/, std::int32_t stream,
                     const std::uint8_t* data, std::size_t size, void* user) {
    self(user).requests[stream].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int on_frame(nghttp2_session* /*h2*/, const nghttp2_frame* frame, void* user) {
    auto& server = self(user);
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) ++server.pings;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
      server.requests[frame->hd.stream_id].reset = frame->rst_stream.error_code;
    const bool can_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (can_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      server.requests[frame->hd.stream_id].ended = true;
    return 0;
  }

  nghttp2_session* h2_ = nullptr;
  std::map<std::int32_t, Outgoing> outgoing_;
};

}  // namespace etcdmon::rpc::testing
