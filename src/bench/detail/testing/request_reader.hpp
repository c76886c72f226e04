// bench/detail/testing/request_reader.hpp: a strict reader of what a client sends, by nghttp2.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "base/assert.hpp"

namespace etcdmon::bench::testing {

/// A server's session that says nothing by itself but what `output()` gives.
class RequestReader {
 public:
  struct Request {
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    bool ended = false;
    std::optional<std::uint32_t> reset;
    std::string field(std::string_view name) const {
      for (const auto& [key, value] : fields) {
        if (key == name) return value;
      }
      return {};
    }
  };

  /// `holds_windows`: gives no credit by itself.
  explicit RequestReader(const std::vector<nghttp2_settings_entry>& settings = {},
                         bool holds_windows = false) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, holds_windows ? 1 : 0);
    nghttp2_session_server_new2(&h2_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  ~RequestReader() { nghttp2_session_del(h2_); }
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// False when the client broke HTTP/2.
  bool read(std::string_view bytes) {
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
  void settings(const std::vector<nghttp2_settings_entry>& settings) {
    nghttp2_submit_settings(h2_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }
  void credit(std::int32_t stream, std::int32_t bytes) {
    nghttp2_submit_window_update(h2_, NGHTTP2_FLAG_NONE, stream, bytes);
  }
  void reset(std::int32_t stream) {
    nghttp2_submit_rst_stream(h2_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }

  std::map<std::int32_t, Request> requests;
  std::vector<std::uint8_t> frames;  ///< the types, in order
  std::vector<std::size_t> header_sizes;
  std::uint64_t credited = 0;  ///< of the connection, by WINDOW_UPDATE
  int pongs = 0;

 private:
  static RequestReader& self(void* user) { return *static_cast<RequestReader*>(user); }

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
    auto& reader = self(user);
    const auto& head = frame->hd;
    reader.frames.push_back(head.type);
    if (head.type == NGHTTP2_HEADERS) reader.header_sizes.push_back(head.length);
    if (head.type == NGHTTP2_RST_STREAM)
      reader.requests[head.stream_id].reset = frame->rst_stream.error_code;
    if (head.type == NGHTTP2_PING && (head.flags & NGHTTP2_FLAG_ACK) != 0) ++reader.pongs;
    if (head.type == NGHTTP2_WINDOW_UPDATE && head.stream_id == 0)
      reader.credited += static_cast<std::uint64_t>(frame->window_update.window_size_increment);
    const bool can_end = head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_DATA;
    if (can_end && (head.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      reader.requests[head.stream_id].ended = true;
    return 0;
  }

  nghttp2_session* h2_ = nullptr;
};

}  // namespace etcdmon::bench::testing
