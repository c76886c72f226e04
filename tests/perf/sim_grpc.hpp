// perf/sim_grpc.hpp: the HTTP/2 side of a simulated member: unary gRPC calls, answered at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nghttp2/nghttp2.h>

#include "perf/sim_cluster.hpp"

namespace etcdmon::perf {

/// Bytes in, bytes out; no socket.
class SimGrpc {
 public:
  SimGrpc(const SimCluster& cluster, std::size_t member, std::uint64_t& calls);
  ~SimGrpc();
  SimGrpc(const SimGrpc&) = delete;
  SimGrpc& operator=(const SimGrpc&) = delete;

  /// Appends what is to be sent. False: the peer broke the protocol, or all is said.
  bool feed(std::string_view bytes, std::string& out);

 private:
  struct Stream {
    std::string method;
    std::string answer;  ///< with gRPC's prefix
    std::size_t sent = 0;
  };

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_length, const std::uint8_t* value,
                       std::size_t value_length, std::uint8_t flags, void* self);
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t code, void* self);
  static ssize_t read_answer(nghttp2_session* session, std::int32_t id, std::uint8_t* out,
                             std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                             void* self);
  void respond(std::int32_t id);

  const SimCluster& cluster_;
  std::size_t member_;
  std::uint64_t& calls_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Stream> streams_;
};

}  // namespace etcdmon::perf
