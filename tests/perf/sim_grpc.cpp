#include "perf/sim_grpc.hpp"

#include <algorithm>
#include <array>

namespace etcdmon::perf {

namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies both: no NO_COPY flag is set.
  auto* n = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
  auto* v = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
  return {n, v, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string framed(std::string_view message) {
  std::string out(5, '\0');
  const auto size = message.size();
  for (std::size_t i = 0; i < 4; ++i)
    out[4 - i] = static_cast<char>(static_cast<unsigned char>(size >> (8 * i)));
  return out.append(message);
}

}  // namespace

SimGrpc::SimGrpc(const SimCluster& cluster, std::size_t member, std::uint64_t& calls)
    : cluster_(cluster), member_(member), calls_(calls) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  // etcdctl 3.4 sends an :authority that is none.
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_session_server_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
}

SimGrpc::~SimGrpc() {
  nghttp2_session_del(session_);
}

bool SimGrpc::feed(std::string_view bytes, std::string& out) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (nghttp2_session_mem_recv(session_, data, bytes.size()) < 0) return false;
  while (true) {
    const std::uint8_t* piece = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &piece);
    if (size < 0) return false;
    if (size == 0) break;
    out.append(reinterpret_cast<const char*>(piece), static_cast<std::size_t>(size));
  }
  return nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0;
}

int SimGrpc::on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_length, const std::uint8_t* value,
                       std::size_t value_length, std::uint8_t /*flags*/, void* self) {
  constexpr std::string_view kPath = ":path";
  if (std::string_view(reinterpret_cast<const char*>(name), name_length) != kPath) return 0;
  auto& stream = static_cast<SimGrpc*>(self)->streams_[frame->hd.stream_id];
  stream.method.assign(reinterpret_cast<const char*>(value), value_length);
  return 0;
}

int SimGrpc::on_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* self) {
  const bool may_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (may_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
    static_cast<SimGrpc*>(self)->respond(frame->hd.stream_id);
  return 0;
}

int SimGrpc::on_close(nghttp2_session* /*session*/, std::int32_t id, std::uint32_t /*code*/,
                      void* self) {
  static_cast<SimGrpc*>(self)->streams_.erase(id);
  return 0;
}

ssize_t SimGrpc::read_answer(nghttp2_session* session, std::int32_t id, std::uint8_t* out,
                             std::size_t room, std::uint32_t* flags,
                             nghttp2_data_source* /*source*/, void* self) {
  auto& stream = static_cast<SimGrpc*>(self)->streams_[id];
  const auto size = std::min(room, stream.answer.size() - stream.sent);
  std::copy_n(stream.answer.data() + stream.sent, size, out);
  stream.sent += size;
  if (stream.sent == stream.answer.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const std::array<nghttp2_nv, 2> trailers = {field("grpc-status", "0"),
                                                field("grpc-message", "")};
    nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
  }
  return static_cast<ssize_t>(size);
}

void SimGrpc::respond(std::int32_t id) {
  ++calls_;
  auto& stream = streams_[id];
  std::string message;
  if (!cluster_.answer(member_, stream.method, message)) {
    const std::array<nghttp2_nv, 4> only = {
        field(":status", "200"), field("content-type", "application/grpc"),
        field("grpc-status", "12"), field("grpc-message", "not simulated")};
    nghttp2_submit_response(session_, id, only.data(), only.size(), nullptr);
    return;
  }
  stream.answer = framed(message);
  const std::array<nghttp2_nv, 2> head = {field(":status", "200"),
                                          field("content-type", "application/grpc")};
  nghttp2_data_provider body{};
  body.read_callback = read_answer;
  nghttp2_submit_response(session_, id, head.data(), head.size(), &body);
}

}  // namespace etcdmon::perf
