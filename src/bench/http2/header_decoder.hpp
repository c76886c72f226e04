// bench/http2/header_decoder.hpp: what the header blocks of answers say, mostly without reading
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "rpc/status.hpp"

struct nghttp2_hd_inflater;

namespace etcdmon::bench {

/// Inflates with nghttp2. A short block that only refers to the table means the same as long as the
/// table is the same: etcd's heads and trailers are such blocks from the second answer on.
class HeaderDecoder {
 public:
  explicit HeaderDecoder(std::size_t max_header_list);

  enum class Outcome : std::uint8_t {
    kFine,
    kMalformed,  ///< fields that HTTP/2 forbids: the stream is broken
    kTooLarge,
    kBroken,  ///< no HPACK: the connection is broken
  };

  /// Takes a whole block into `head`, of which the block's own fields were reset by begin_block().
  /// `trailers`: no pseudo-header fields.
  Outcome read(std::span<const std::byte> block, bool trailers, rpc::ResponseHead& head);

 private:
  struct Deleter {
    void operator()(nghttp2_hd_inflater* inflater) const;
  };
  struct Remembered {
    std::array<std::byte, 8> block{};
    std::uint8_t size = 0;
    bool trailers = false;
    std::int16_t http_status = 0;  // 0: not in it
    bool grpc_content = false;
    std::optional<ErrorCode> grpc_status;
  };

  const Remembered* recall(std::span<const std::byte> block, bool trailers) const;
  void remember(std::span<const std::byte> block, bool trailers, const rpc::ResponseHead& head);
  Outcome inflate(std::span<const std::byte> block, bool trailers, rpc::ResponseHead& head);

  std::unique_ptr<nghttp2_hd_inflater, Deleter> inflater_;
  std::size_t max_header_list_;
  std::array<Remembered, 4> remembered_;
  std::size_t next_place_ = 0;
};

}  // namespace etcdmon::bench
