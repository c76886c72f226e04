// bench/http2/raw_transport.hpp: HTTP/2 by hand, for nothing but many small gRPC calls.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/http2/call_table.hpp"
#include "bench/http2/frames.hpp"
#include "bench/http2/header_decoder.hpp"
#include "bench/http2/header_encoder.hpp"
#include "bench/http2/transport.hpp"
#include "rpc/framing.hpp"

namespace etcdmon::bench {

/// In the usual case a request is two copies into the output (a header block that HPACK made once,
/// and the message), and an answer is three frames read where they lie: nothing is allocated.
/// Everything else HTTP/2 allows takes a slower way to the same outcome as rpc::Session's.
class RawTransport final : public Transport {
 public:
  RawTransport(TransportOptions options, CallEvents& events);
  ~RawTransport() override;

  void receive(std::span<const std::byte> bytes, SteadyTime now) override;
  void start(Call& call, std::string_view path, std::span<const std::byte> message,
             HalfClose half_close) override;
  void send(Call& call, std::span<const std::byte> message) override;
  void cancel(Call& call) override;
  void end(const Error& why) override;
  ByteQueue& output() override { return output_; }
  State state() const override { return state_; }
  const Error& error() const override { return error_; }
  std::size_t live() const override { return calls_.size() + waiting_.size(); }
  const TransportCounts& counts() const override { return counts_; }

 private:
  // A call that waits for SETTINGS or for MAX_CONCURRENT_STREAMS.
  struct Waiting {
    Call* call;
    std::string_view path;
    std::vector<std::byte> message;
    HalfClose half_close;
    std::vector<std::vector<std::byte>> more;  // messages sent meanwhile
  };
  // Bytes of a stream that wait for the peer's flow control.
  struct Blocked {
    Call* call;
    std::vector<std::byte> bytes;
    std::size_t offset;
    bool last;
  };
  using Payload = std::span<const std::byte>;

  // Requests.
  void submit(Call& call, std::string_view path, Payload message, HalfClose half_close);
  void put_message(Call& call, Payload message, bool last);
  void block(Call& call, Payload message, bool last);
  void pump();
  std::size_t sendable(const Call& call) const;
  void admit();
  bool has_slot() const { return state_ == State::kUp && calls_.size() < max_streams_; }

  // Answers. False: the connection is over.
  std::size_t read_frames(Payload bytes);
  bool passes_first_frame(Payload bytes);
  bool read_frame(const h2::FrameView& frame);
  bool on_data(const h2::FrameView& frame);
  bool on_headers(const h2::FrameView& frame);
  bool on_continuation(const h2::FrameView& frame);
  bool on_block(std::int32_t stream, Payload block, bool end_stream);
  bool on_rst_stream(const h2::FrameView& frame);
  bool on_settings(const h2::FrameView& frame);
  bool on_setting(h2::Setting setting, std::uint32_t value);
  bool on_ping(const h2::FrameView& frame);
  bool on_goaway(const h2::FrameView& frame);
  bool on_window_update(const h2::FrameView& frame);
  bool is_idle(std::int32_t stream) const { return stream % 2 == 0 || stream >= next_id_; }

  void take_message_bytes(Call& call, Payload bytes);
  void take_partial(Call& call, Payload bytes);
  bool deliver(Call& call, Payload message);
  void end_of_stream(Call& call, const rpc::ResponseHead& head);
  void broke_stream(Call& call, std::string_view why);

  void finish(Call& call, const Error* error, std::optional<h2::Code> reset = std::nullopt);
  void forget(Call& call);
  bool broken(h2::Code code, std::string_view why);
  void fail(Error why);
  Error goaway_error() const;

  TransportOptions options_;
  CallEvents& events_;
  State state_ = State::kHandshake;
  Error error_;
  ByteQueue output_;
  HeaderEncoder encoder_;
  HeaderDecoder decoder_;
  CallTable calls_;
  std::deque<Waiting> waiting_;
  std::deque<Blocked> blocked_;
  std::int32_t next_id_ = 1;

  // The peer's limits.
  std::uint32_t max_streams_ = UINT32_MAX;
  std::uint32_t max_frame_ = h2::kMaxFrame;
  std::int32_t stream_window_ = h2::kDefaultWindow;  // of a new stream
  std::int64_t send_window_ = h2::kDefaultWindow;    // of the connection

  std::uint32_t uncredited_ = 0;
  std::vector<std::byte> rest_;  // a frame of which only a part came
  bool first_frame_seen_ = false;
  bool settings_acked_ = false;
  std::int32_t last_allowed_ = INT32_MAX;  // by the latest GOAWAY
  std::vector<std::byte> block_;           // of HEADERS without END_HEADERS
  std::int32_t block_stream_ = 0;
  bool block_ends_stream_ = false;
  int continuations_ = 0;
  rpc::ResponseHead head_;
  std::vector<std::unique_ptr<rpc::MessageReader>> readers_;  // free ones
  std::string goaway_;
  TransportCounts counts_;
};

}  // namespace etcdmon::bench
