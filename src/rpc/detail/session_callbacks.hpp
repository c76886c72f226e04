// rpc/detail/session_callbacks.hpp: the seam between Session and nghttp2.
#pragma once

#include <nghttp2/nghttp2.h>

#include "rpc/session.hpp"

namespace etcdmon::rpc {

/// What nghttp2 calls, and the calls to nghttp2 that need more than a line.
struct SessionCallbacks {
  static nghttp2_session* make_client(Session* session);
  static void submit_settings(nghttp2_session* h2, const SessionOptions& options);
  /// The stream's id, or nghttp2's error code.
  static std::int32_t submit_request(Session& session, Exchange& exchange);

  static Exchange* exchange_of(nghttp2_session* h2, std::int32_t stream_id);
  static void end_of_block(Session& session, Exchange& exchange, bool end_of_stream);
  static void end_of_stream(Session& session, Exchange& exchange);
  static void on_goaway(Session& session, const nghttp2_goaway& frame);
  static void report_close(Session& session, Exchange& exchange, std::uint32_t error_code);

  static int on_begin_headers(nghttp2_session* h2, const nghttp2_frame* frame, void* user);
  static int on_header(nghttp2_session* h2, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t flags, void* user);
  static int on_data(nghttp2_session* h2, std::uint8_t flags, std::int32_t stream_id,
                     const std::uint8_t* data, std::size_t size, void* user);
  static int on_frame(nghttp2_session* h2, const nghttp2_frame* frame, void* user);
  static int on_frame_sent(nghttp2_session* h2, const nghttp2_frame* frame, void* user);
  static int on_stream_close(nghttp2_session* h2, std::int32_t stream_id, std::uint32_t error_code,
                             void* user);
  static int on_complaint(nghttp2_session* h2, int code, const char* message, std::size_t size,
                          void* user);
  static ssize_t read_request(nghttp2_session* h2, std::int32_t stream_id, std::uint8_t* into,
                              std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                              void* user);
};

}  // namespace etcdmon::rpc
