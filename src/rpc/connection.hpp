// rpc/connection.hpp: gRPC calls to one server over one HTTP/2 connection that comes back by
// itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/retry.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/stream.hpp"
#include "rpc/metadata.hpp"

namespace etcdmon::rpc {

struct ConnectionOptions {
  net::Endpoint endpoint;
  std::shared_ptr<net::TlsContext> tls;
  std::chrono::milliseconds dial_timeout{5'000};
  /// Between two attempts to reconnect while somebody wants the connection.
  async::RetryPolicy backoff{.base = std::chrono::milliseconds(100),
                             .cap = std::chrono::milliseconds(5'000)};
  /// PING only while a stream is open, and never more often than every 10 s (etcd answers faster
  /// ones with GOAWAY too_many_pings). 0 turns it off.
  std::chrono::milliseconds keepalive{10'000};
  std::size_t max_message = 64U << 20U;  ///< larger answers end with kResourceExhausted
  std::string user_agent = "etcd-monitor";
};

/// One unary call. `path` is "/etcdserverpb.Maintenance/Status"; `request` and the answer are
/// serialized messages without gRPC's five-byte prefix.
struct Call {
  // No aggregate: g++ 12 destroys an aggregate's temporary in a co_await expression twice.
  Call(std::string_view p, std::string r, Deadline d, const Metadata* m = nullptr)
      : path(p), request(std::move(r)), deadline(d), metadata(m) {}

  std::string_view path;  ///< must outlive the call
  std::string request;
  Deadline deadline;
  const Metadata* metadata = nullptr;  ///< must outlive the call
  /// Where given, must outlive the call: set once the request may have reached the server.
  bool* sent = nullptr;
};

/// A stream of messages, server-side or both ways. Destroying it resets the stream.
///
/// Threads: the loop only. Cancel: next() and send() end with operation_aborted; the stream is then
/// reset.
class MessageStream {
 public:
  virtual ~MessageStream() = default;

  /// The next message; nullopt when the server ended the stream with OK. A bounded number of bytes
  /// waits unread; beyond it the server is held back by flow control.
  virtual Task<Result<std::optional<std::string>>> next() = 0;
  /// Ends when the message is handed to flow control.
  virtual Task<Result<void>> send(std::string message) = 0;
  /// No more messages from our side.
  virtual void finish_sending() = 0;
};

/// What becomes of the connection, for those who watch a member by it.
struct LinkEvent {
  enum class What : std::uint8_t { kConnecting, kUp, kFailed, kEnded };
  What what = What::kConnecting;
  Error error;  ///< with kFailed and kEnded
  SteadyTime at;
};

/// Connects on first use or by start(); calls made while it is down wait for the next attempt until
/// their deadline (`wait_for_ready` is not an option: a monitor wants to hear "refused" at once, so
/// a call made while down starts or joins an attempt and fails with that attempt's error). An ended
/// connection is redialled at once, then with jittered backoff, while `start()`ed. Calls above the
/// peer's MAX_CONCURRENT_STREAMS queue and never fail for that.
///
/// Threads:  the loop only.
/// Lifetime: close() must have completed before destruction.
class Connection {
 public:
  Connection(Executor executor, net::Resolver& resolver, ConnectionOptions options, Logger logger);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Keeps the connection up from now on, told to `on_event` (on the loop, from a clean stack).
  void start(std::function<void(const LinkEvent&)> on_event = {});
  /// Fails everything under way with kCancelled and closes. Afterwards every call fails with
  /// kCancelled.
  Task<> close();
  /// Drops the present connection, if any, and dials anew at once.
  void reconnect();

  /// The answer's message. Errors keep the server's grpc-status (Cause::kNone) or tell what the
  /// transport saw (Cause other than kNone, code kUnavailable or kDeadlineExceeded). Cancel:
  /// RST_STREAM(CANCEL) to the peer.
  Task<Result<std::string>> unary(Call call);
  /// Opens a stream; `call.request`, if not empty, is sent as its first message. `call.deadline`
  /// covers the whole stream; SteadyTime::max() is none. `half_close` after the request: server
  /// streaming.
  enum class HalfClose : std::uint8_t { kNo, kYes };
  Task<Result<std::unique_ptr<MessageStream>>> open(Call call, HalfClose half_close);

  bool up() const;
  /// Server certificates of the present or last connection; empty without TLS.
  const std::vector<net::Certificate>& peer_certificates() const;
  const ConnectionOptions& options() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace etcdmon::rpc
