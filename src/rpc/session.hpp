// rpc/session.hpp: a gRPC client on one HTTP/2 connection, without the connection: bytes in, bytes
// out.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "rpc/deadlines.hpp"
#include "rpc/exchange.hpp"

struct nghttp2_session;

namespace etcdmon::rpc {

struct SessionOptions {
  std::string authority;  ///< "10.0.0.1:2379"
  bool tls = false;       ///< only for the :scheme and the wording of errors
  std::string user_agent = "etcd-monitor";
  std::size_t max_message = 64U << 20U;
  /// PING after so long without a byte while a call is open, at least 10 s; 0: never.
  std::chrono::milliseconds keepalive{10'000};
  std::chrono::milliseconds keepalive_timeout{5'000};
  std::int32_t stream_window = 1 << 20;
  std::int32_t connection_window = 4 << 20;
  std::uint32_t max_header_list = 64U << 10U;
};

/// The life of one connection: kNew (calls queue) → open() → kHandshake (until the peer's SETTINGS)
/// → kUp → kDraining (GOAWAY: calls under way may finish) → kEnded. What does not reach kUp ends
/// with the reason.
///
/// Nothing is called back from within: whoever drives it takes next_ready() after each step and
/// calls ready() on what comes.
///
/// Threads:  the loop only.
/// Lifetime: no exchange may be inside when it is destroyed: end() it and take what is ready.
/// Errors:   those of the transport carry a Cause; end() and the peer's behaviour fail all calls.
class Session {
 public:
  enum class State : std::uint8_t { kNew, kHandshake, kUp, kDraining, kEnded };

  explicit Session(SessionOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// The transport stands. Without the peer's SETTINGS by `settings_by` the session ends.
  void open(SteadyTime now, SteadyTime settings_by);
  /// The bytes may come in any split.
  void receive(std::span<const std::byte> bytes, SteadyTime now);
  /// Appends what is to be sent, stopping soon after `limit` bytes.
  void produce(std::string& out, std::size_t limit, SteadyTime now);
  /// The transport ended, or the owner ends it: all calls fail with `why`, made more precise by
  /// what the peer had said before.
  void end(Error why);

  /// Queues a call. Above the peer's MAX_CONCURRENT_STREAMS, and before kUp, it waits inside.
  void submit(UnaryExchange& exchange, SteadyTime now);
  /// With a first message, and perhaps no other after it.
  enum class HalfClose : std::uint8_t { kNo, kYes };
  void submit(StreamExchange& exchange, std::optional<std::string> first, HalfClose half_close,
              SteadyTime now);
  /// Gives a call up: RST_STREAM(CANCEL) if it was sent. It may be destroyed afterwards. No effect
  /// once taken as done.
  void cancel(Exchange& exchange);

  /// The oldest unread message; the peer may then send more.
  std::optional<std::string> take_message(StreamExchange& exchange);
  /// Only while !sending() and before finish_sending().
  void send(StreamExchange& exchange, std::string message);
  void finish_sending(StreamExchange& exchange);

  /// What changed, once for each change; nullptr when nothing did.
  Exchange* next_ready();
  bool has_ready() const { return !ready_.empty(); }

  /// When expire() must be called at the latest; max(): not at all.
  SteadyTime next_deadline() const;
  void expire(SteadyTime now);

  State state() const { return state_; }
  /// With kDraining and kEnded.
  const Error& error() const { return error_; }
  /// Calls inside that are not done.
  std::size_t live() const { return live_; }

 private:
  friend struct SessionCallbacks;
  struct Deleter {
    void operator()(nghttp2_session* session) const;
  };
  using Exchanges = HookList<Exchange, PlaceTag>;

  void enqueue(Exchange& exchange, SteadyTime now);
  void start_message(Exchange& exchange, std::string_view message);
  bool has_slot() const;
  void admit();
  void submit_request(Exchange& exchange);
  void finish(Exchange& exchange, std::optional<Error> error,
              std::optional<std::uint32_t> reset = std::nullopt);
  void fail(Error why);
  void mark_ready(Exchange& exchange);
  void read_messages(Exchange& exchange, std::span<const std::byte> bytes);
  void settle(Exchange& exchange);
  bool passes_preface(std::span<const std::byte>& bytes);
  Error not_http2(std::string_view happening) const;
  SteadyTime ping_at() const;
  void check_keepalive(SteadyTime now);
  Error deadline_error(const Exchange& exchange) const;
  Error goaway_error() const;

  SessionOptions options_;
  State state_ = State::kNew;
  Error error_;
  std::unique_ptr<nghttp2_session, Deleter> h2_;
  Exchanges pending_;  ///< not yet given to nghttp2
  Exchanges active_;
  HookList<Exchange, ReadyTag> ready_;
  Deadlines deadlines_;
  std::size_t live_ = 0;
  std::uint32_t open_streams_ =
      0;            ///< as nghttp2 counts them, reset ones included until the reset left
  SteadyTime now_;  ///< of the running step

  SteadyTime settings_by_ = SteadyTime::max();
  std::string first_bytes_;  ///< until they are known to be a SETTINGS frame's header
  bool preface_passed_ = false;

  SteadyTime last_received_;
  SteadyTime last_ping_;
  SteadyTime busy_since_;
  bool ping_outstanding_ = false;

  Exchange* block_of_ = nullptr;  ///< whose header block is being received
  std::size_t block_bytes_ = 0;
  std::string complaint_;  ///< nghttp2's latest words about a broken frame
  std::string goaway_;     ///< how the peer said farewell
};

}  // namespace etcdmon::rpc
