// net/detail/http_server_session.hpp: one connection of the HTTP server, and what all of them
// share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "async/event.hpp"
#include "net/http_server.hpp"
#include "net/http_server_parser.hpp"
#include "net/stream.hpp"

namespace etcdmon::net::detail {

class HttpSession;

/// Threads: the loop only.
struct HttpShared {
  HttpServerOptions options;
  HttpServer::Handler handler;
  Logger logger;
  HttpServerCounts counts;
  std::list<HttpSession*> sessions;
  async::Event no_sessions;     ///< set while `sessions` is empty
  std::size_t served = 0;       ///< sessions that answer
  std::size_t turned_away = 0;  ///< sessions that only say 503
  std::size_t body_bytes = 0;   ///< of all requests that are being read or answered
  std::uint64_t failures = 0;   ///< answers that ended by an exception
  bool stopping = false;

  /// The Date header's value, made once a second.
  std::string_view date();

 private:
  std::time_t date_second_ = 0;
  std::string date_;
};

enum class Admission : std::uint8_t { kServed, kTurnedAway };

/// Reads requests, has them answered, writes responses, until either side has had enough.
///
/// Threads:  the loop only.
/// Lifetime: lives in the coroutine that runs it.
class HttpSession {
 public:
  HttpSession(HttpShared& shared, std::unique_ptr<Stream> stream, bool loopback,
              Admission admission);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  Task<> run();

  /// Closes the connection if its time is over, with a word of why where one can still be said.
  void sweep(SteadyTime now);
  /// Closes it if no request is under way.
  void close_if_idle();

 private:
  enum class Phase : std::uint8_t { kIdle, kHeader, kBody, kAnswering, kWriting, kLingering };

  Task<> serve();
  Task<> turn_away();
  Task<bool> need_more();
  Task<bool> fill();
  Task<bool> answer();
  Task<Response> handled(const Request& request);
  Task<bool> write(std::string_view bytes);
  Task<bool> flush();
  Task<> linger();

  void enter(Phase phase, SteadyTime deadline);
  void enter_reading();
  void append(const Response& response, bool keep_alive);
  void say_and_close(const Response& response);
  void note_body();
  void close();

  HttpShared& shared_;
  std::unique_ptr<Stream> stream_;
  const Admission admission_;
  const bool loopback_;
  const std::string remote_;
  HttpRequestParser parser_;
  std::string out_;

  Phase phase_ = Phase::kIdle;
  SteadyTime deadline_;
  SteadyTime began_;  ///< when the current request's first byte was seen
  std::size_t body_bytes_ = 0;
  bool request_under_way_ = false;
  bool said_continue_ = false;
  bool closed_ = false;
  std::list<HttpSession*>::iterator self_;
};

}  // namespace etcdmon::net::detail
