// net/http_get.hpp: a small HTTP/1.1 GET client for scrapes, on a kept connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/units.hpp"
#include "net/stream.hpp"

namespace etcdmon::net {

struct HttpUrl {
  Endpoint endpoint;
  std::string target = "/";  ///< path and query
};
/// "http://127.0.0.1:2381/metrics"; without a port 80 or 443. Errors: kInvalidArgument. User info
/// and fragments are refused.
Result<HttpUrl> parse_http_url(std::string_view text);

struct HttpGetOptions {
  HttpUrl url;
  std::shared_ptr<TlsContext> tls{};  ///< needed for https
  Bytes max_body{16U << 20U};         ///< larger answers are refused
};

/// Fetches one URL again and again. Asks for identity encoding; understands Content-Length, chunked
/// and until-close; keeps the connection, and makes a new one at once when a kept one turns out
/// dead. Once a body size is known, SO_RCVLOWAT makes the many small chunks of etcd one wake-up.
///
/// Threads:  the loop only; one get() at a time.
/// Cancel:   get() ends with operation_aborted; the next one makes a new connection.
class HttpGet {
 public:
  HttpGet(Resolver& resolver, HttpGetOptions options);
  ~HttpGet();
  HttpGet(const HttpGet&) = delete;
  HttpGet& operator=(const HttpGet&) = delete;

  /// Gives a body's memory back to the few buffers that all clients of this thread share, so that a
  /// thousand members do not hold a page each.
  struct ReturnBody {
    void operator()(std::string* body) const;
  };

  struct Answer {
    int status = 0;
    std::string_view body;  ///< valid as long as this Answer: parse it, then let it go
    std::unique_ptr<std::string, ReturnBody> storage;
  };
  /// Any status is an answer. Errors: as Stream::connect; kResourceExhausted when larger than
  /// max_body, kInternal with Cause::kProtocol when it is no HTTP, kDeadlineExceeded with
  /// Cause::kTimeout, kUnavailable with Cause::kReset when the answer breaks off.
  Task<Result<Answer>> get(Deadline deadline);
  /// Drops the kept connection.
  void close();
  /// The server's chain as of the last handshake, also of one that failed; empty without TLS.
  const std::vector<Certificate>& peer_certificates() const;

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace etcdmon::net
