// bench/http2/transport.hpp: many gRPC calls on one HTTP/2 connection, without the connection:
// bytes in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "bench/http2/byte_queue.hpp"

namespace etcdmon::bench {

/// One call under way: a record that its owner keeps in place and uses again and again. Only what
/// is under "the owner's" is anybody else's business than the transport's.
struct Call {
  enum class Kind : std::uint8_t { kUnary, kStream };

  // The owner's.
  Kind kind = Kind::kUnary;
  std::uint32_t tag = 0;

  // The transport's.
  enum class State : std::uint8_t { kIdle, kWaiting, kHead, kBody };
  State state = State::kIdle;  ///< kHead until the head of the answer came
  bool sent_all = false;       ///< our side of the stream is closed, or will be by what is queued
  bool answered = false;
  bool grpc_content = false;
  std::int16_t http_status = 0;
  std::int32_t id = 0;
  std::int32_t send_window = 0;
  std::uint32_t uncredited = 0;  ///< bytes received that the peer was not yet told of
  void* partial = nullptr;       ///< a message of which only a part came

  bool idle() const { return state == State::kIdle; }
};

/// Told what becomes of calls. May start and cancel calls from here.
class CallEvents {
 public:
  virtual ~CallEvents() = default;
  /// `message` is valid during the call only. For a unary call it comes before on_end(), which may
  /// still say that it failed.
  virtual void on_message(Call& call, std::span<const std::byte> message) = 0;
  /// nullptr: grpc-status 0, and for a unary call there was exactly one message. The call is idle.
  virtual void on_end(Call& call, const Error* error) = 0;
};

struct TransportOptions {
  std::string authority;  ///< "10.0.0.1:2379"
  bool tls = false;       ///< only for the :scheme
  std::string token;      ///< etcd's, sent with every call; empty: none
  std::string user_agent = "etcd-monitor-bench";
  std::size_t max_message = 64U << 20U;
};

struct TransportCounts {
  std::uint64_t stream_limited = 0;  ///< calls that waited for MAX_CONCURRENT_STREAMS
  std::uint64_t window_limited = 0;  ///< messages that waited for the peer's flow control
};

/// A connection's life is kHandshake (until the peer's SETTINGS; calls wait) → kUp → kDraining
/// (GOAWAY: calls under way may finish) → kEnded.
///
/// Threads:  one.
/// Lifetime: cancel or end all calls before destroying it.
class Transport {
 public:
  enum class State : std::uint8_t { kHandshake, kUp, kDraining, kEnded };
  enum class HalfClose : std::uint8_t { kNo, kYes };

  virtual ~Transport() = default;

  /// The bytes may come in any split.
  virtual void receive(std::span<const std::byte> bytes, SteadyTime now) = 0;
  /// Begins an idle call. `path` must outlive the transport. While draining or ended, on_end()
  /// comes at once, from within.
  virtual void start(Call& call, std::string_view path, std::span<const std::byte> message,
                     HalfClose half_close) = 0;
  /// One more message of a stream.
  virtual void send(Call& call, std::span<const std::byte> message) = 0;
  /// RST_STREAM(CANCEL), if it was sent; on_end() is not called. No effect on an idle call.
  virtual void cancel(Call& call) = 0;
  /// The connection is over: every call ends with `why`.
  virtual void end(const Error& why) = 0;
  /// What is to be sent; consume() what was.
  virtual ByteQueue& output() = 0;

  virtual State state() const = 0;
  virtual const Error& error() const = 0;  ///< with kDraining and kEnded
  virtual std::size_t live() const = 0;    ///< calls that are not idle
  virtual const TransportCounts& counts() const = 0;
};

/// Own framing. `events` must outlive it.
std::unique_ptr<Transport> make_raw_transport(TransportOptions options, CallEvents& events);
/// The same by rpc::Session.
std::unique_ptr<Transport> make_reference_transport(TransportOptions options, CallEvents& events);

}  // namespace etcdmon::bench
