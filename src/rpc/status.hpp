// rpc/status.hpp: from what HTTP/2 delivered to how a gRPC call ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace etcdmon::rpc {

/// The fields of one answer's header blocks that decide how the call ended.
struct ResponseHead {
  int http_status = 0;
  bool grpc_content = false;             ///< content-type is application/grpc…
  std::string content_type;              ///< kept only if it is something else
  std::optional<ErrorCode> grpc_status;  ///< of the latest block; an unknown number is kUnknown
  std::string grpc_message;              ///< as sent, percent-encoded

  /// Takes one header field of the present block.
  void take(std::string_view name, std::string_view value);
  /// A block begins: only the last one's status counts.
  void begin_block();
  /// For another answer; keeps the memory.
  void reset();
};

/// How the call ended, after the block that ended the stream; nullopt is OK. An answer without
/// grpc-status is told by its HTTP status (kUnknown for 200) with Cause::kProtocol: the peer is no
/// gRPC server.
std::optional<Error> outcome_of(const ResponseHead& head);
/// What an answer that is no gRPC means, before its body: nullopt while it may still be one.
std::optional<Error> refusal_in(const ResponseHead& head);

/// "grpc-status" as a number 0 to 16; anything else is kUnknown.
ErrorCode parse_grpc_status(std::string_view text);
/// "%41" becomes "A"; broken escapes stay as they are. What is not UTF-8 afterwards becomes U+FFFD,
/// and control characters become spaces, so that a message cannot break a log line or a JSON
/// document.
std::string decode_grpc_message(std::string_view text);

/// gRPC's table for answers that have no grpc-status.
ErrorCode code_of_http_status(int status);
/// gRPC's table for RST_STREAM.
ErrorCode code_of_http2_error(std::uint32_t error_code);
/// "ENHANCE_YOUR_CALM", "0x1f" for an unknown one.
std::string name_of_http2_error(std::uint32_t error_code);

}  // namespace etcdmon::rpc
