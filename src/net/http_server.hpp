// net/http_server.hpp: a small HTTP/1.1 server: bounded in connections, bytes and time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::net {

struct HttpServerOptions {
  /// An address or a name of this machine. Empty: every address, IPv6 and IPv4.
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;  ///< 0: any free one, see HttpServer::port()

  std::size_t max_header = 16U << 10U;  ///< bytes of request line and fields; beyond: 414, 431
  std::size_t max_body = 1U << 20U;     ///< bytes; beyond: 413
  std::size_t max_bodies = 64U << 20U;  ///< bytes of all bodies held at once; beyond: 503
  std::size_t max_connections = 1024;   ///< beyond: 503 and closed

  std::chrono::milliseconds header_timeout{5'000};    ///< from the first byte to the empty line
  std::chrono::milliseconds request_timeout{30'000};  ///< from the first byte to the answer
  std::chrono::milliseconds idle_timeout{60'000};     ///< of a kept connection between requests
  std::chrono::milliseconds write_timeout{10'000};    ///< for every 64 KiB that the client takes
  std::chrono::milliseconds sweep_interval{250};      ///< how late a timeout may be noticed
};

struct HttpServerCounts {
  std::uint64_t connections = 0;       ///< accepted
  std::uint64_t connections_open = 0;  ///< now
  std::uint64_t connections_refused = 0;
  std::uint64_t accept_failures = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t bytes_sent = 0;
  std::array<std::uint64_t, 6> responses{};  ///< by the status' first digit, 1 to 5
};

/// Answers requests by one handler. Keeps connections, takes pipelined requests in order, answers
/// HEAD by what GET would say. Errors of its own (400, 408, 413, 431, 500, 503, 504 …) are problem
/// documents.
///
/// Threads:  the loop only.
/// Lifetime: stop() must have completed before destruction, unless start() was never called. The
///           handler outlives it.
class HttpServer {
 public:
  /// Gives the answer. The request lives until the returned task ends. A thrown exception becomes a
  /// 500 and a line in the log.
  using Handler = std::function<Task<Response>(const Request&)>;

  /// Binds and listens. A host name is looked up by the system's resolver, which may block: for
  /// start-up. Errors: kInvalidArgument for a host that is none; kAlreadyExists when the address is
  /// in use;
  ///         kPermissionDenied for a privileged port; kUnavailable otherwise. All with
  ///         Cause::kLocal.
  static Result<std::unique_ptr<HttpServer>> listen(Executor executor, HttpServerOptions options,
                                                    Handler handler, Logger logger);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Begins to accept.
  void start();
  /// Stops accepting, closes idle connections, lets requests under way finish until `deadline`,
  /// then cancels the rest. Idempotent.
  Task<> stop(Deadline deadline);

  std::uint16_t port() const;          ///< the actual one
  const std::string& address() const;  ///< "127.0.0.1:8080"
  const HttpServerCounts& counts() const;

 private:
  class Listener;
  class Session;
  explicit HttpServer(std::unique_ptr<Listener> listener);

  std::unique_ptr<Listener> listener_;
};

}  // namespace etcdmon::net
