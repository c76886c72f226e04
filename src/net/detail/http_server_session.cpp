#include "net/detail/http_server_session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <exception>
#include <sys/socket.h>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::net::detail {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t kCopyLimit = 32U << 10U;  // larger bodies are sent from where they are
constexpr std::size_t kFlushAt = 64U << 10U;    // of answers to pipelined requests
constexpr std::size_t kWriteQuantum = 64U << 10U;
constexpr std::size_t kLingerBytes = 2U << 20U;
constexpr std::chrono::seconds kLingerTime{2};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

std::string_view HttpShared::date() {
  const std::time_t second = std::time(nullptr);
  if (second != date_second_) {
    date_second_ = second;
    date_ = to_http_date(WallTime(std::chrono::seconds(second)));
  }
  return date_;
}

HttpSession::HttpSession(HttpShared& shared, std::unique_ptr<Stream> stream, bool loopback,
                         Admission admission)
    : shared_(shared),
      stream_(std::move(stream)),
      admission_(admission),
      loopback_(loopback),
      remote_(stream_->peer_address()),
      parser_({.header = shared.options.max_header, .body = shared.options.max_body}),
      self_(shared.sessions.insert(shared.sessions.end(), this)) {
  shared_.no_sessions.reset();
  ++(admission_ == Admission::kServed ? shared_.served : shared_.turned_away);
}

HttpSession::~HttpSession() {
  shared_.body_bytes -= body_bytes_;
  --(admission_ == Admission::kServed ? shared_.served : shared_.turned_away);
  shared_.sessions.erase(self_);
  if (shared_.sessions.empty()) shared_.no_sessions.set();
}

Task<> HttpSession::run() {
  return admission_ == Admission::kServed ? serve() : turn_away();
}

Task<> HttpSession::serve() {
  bool go_on = true;
  while (go_on && !closed_) {
    if (!request_under_way_ && parser_.started()) {
      request_under_way_ = true;
      began_ = steady_clock::now();
    }
    switch (parser_.step()) {
      case HttpRequestParser::Step::kNeedMore:
        go_on = co_await need_more();
        break;
      case HttpRequestParser::Step::kComplete:
        go_on = co_await answer();
        break;
      case HttpRequestParser::Step::kRefused:
        append(problem(parser_.refusal().status, parser_.refusal().detail), false);
        co_await linger();
        go_on = false;
        break;
    }
  }
}

Task<> HttpSession::turn_away() {
  auto response = problem(503, "too many connections");
  response.headers.push_back({"Retry-After", "1"});
  append(response, false);
  co_await linger();
}

// Everything that was answered is sent before waiting: a client may wait for it in turn.
Task<bool> HttpSession::need_more() {
  note_body();
  if (shared_.body_bytes > shared_.options.max_bodies) {
    append(problem(503, "too many request bodies at once"), false);
    co_await linger();
    co_return false;
  }
  if (parser_.header_done() && parser_.expects_continue() && !std::exchange(said_continue_, true)) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  if (!out_.empty()) {
    const bool sent = co_await flush();
    if (!sent) co_return false;
  }
  if (!request_under_way_ && shared_.stopping) co_return false;
  enter_reading();
  co_return co_await fill();
}

void HttpSession::enter_reading() {
  const auto& options = shared_.options;
  if (request_under_way_) {
    if (parser_.header_done()) return enter(Phase::kBody, began_ + options.request_timeout);
    return enter(Phase::kHeader, began_ + options.header_timeout);
  }
  // Who has not said anything yet gets less time than who did and keeps the connection.
  const bool fresh = began_ == SteadyTime{};
  enter(Phase::kIdle,
        steady_clock::now() + (fresh ? options.header_timeout : options.idle_timeout));
}

Task<bool> HttpSession::fill() {
  for (;;) {
    co_await stream_->wait_readable();
    if (closed_) co_return false;
    const auto result = stream_->try_read(parser_.room());
    switch (result.status) {
      case IoResult::Status::kOk:
        parser_.filled(result.bytes);
        co_return true;
      case IoResult::Status::kWouldBlock:
        break;
      case IoResult::Status::kEnd:
      case IoResult::Status::kError:
        co_return false;
    }
  }
}

Task<bool> HttpSession::answer() {
  note_body();
  Request& request = parser_.request();
  request.remote = remote_;
  request.loopback = loopback_;
  request.deadline = began_ + shared_.options.request_timeout;
  enter(Phase::kAnswering, request.deadline);

  const Response response = co_await handled(request);
  if (closed_) co_return false;
  const bool keep = parser_.keep_alive() && !shared_.stopping;
  append(response, keep);
  if (shared_.logger.enabled(log::Level::kDebug)) {
    shared_.logger.debug("http request", {{"method", request.method},
                                          {"target", request.target},
                                          {"status", response.status},
                                          {"remote", remote_}});
  }
  const bool body_left = request.method != "HEAD" && response.bytes().size() > kCopyLimit &&
                         !has_no_body(response.status);
  if (body_left || !keep || out_.size() > kFlushAt) {
    const bool sent = co_await flush();
    if (!sent) co_return false;
  }
  if (body_left) {
    const bool sent = co_await write(response.bytes());
    if (!sent) co_return false;
  }
  parser_.next();
  note_body();
  request_under_way_ = false;
  said_continue_ = false;
  // Bytes that nobody reads would make the kernel reset the connection under the answer.
  if (!keep && parser_.unparsed()) co_await linger();
  co_return keep;
}

Task<Response> HttpSession::handled(const Request& request) {
  std::string what;
  try {
    co_return co_await shared_.handler(request);
  } catch (const std::exception& exception) {
    if (async::is_cancelled(std::current_exception())) throw;
    what = exception.what();
  }
  const auto id = fmt::format("{:x}", ++shared_.failures);
  shared_.logger.error("answering a request ended by an exception; this is a bug",
                       {{"request_id", id},
                        {"method", request.method},
                        {"path", request.path},
                        {"exception", what}});
  co_return problem(500,
                    "an error of etcd-monitor itself; its log has more under request id " + id);
}

void HttpSession::append(const Response& response, bool keep_alive) {
  ++shared_.counts.responses[std::min<std::size_t>(
      static_cast<std::size_t>(std::max(response.status, 0)) / 100,
      shared_.counts.responses.size() - 1)];
  append_response_head(
      out_, response,
      {.keep_alive = keep_alive, .http10 = parser_.http10(), .date = shared_.date()});
  const auto body = response.bytes();
  if (has_no_body(response.status) || parser_.request().method == "HEAD") return;
  if (body.size() <= kCopyLimit) out_ += body;
}

Task<bool> HttpSession::flush() {
  const bool sent = co_await write(out_);
  out_.clear();
  co_return sent;
}

Task<bool> HttpSession::write(std::string_view bytes) {
  std::size_t quantum = 0;
  enter(Phase::kWriting, steady_clock::now() + shared_.options.write_timeout);
  while (!bytes.empty()) {
    if (closed_) co_return false;
    const auto result = stream_->try_write(bytes_of(bytes));
    switch (result.status) {
      case IoResult::Status::kOk:
        bytes.remove_prefix(result.bytes);
        shared_.counts.bytes_sent += result.bytes;
        quantum += result.bytes;
        if (quantum >= kWriteQuantum) {
          quantum = 0;
          // A client that reads as fast as we write would hold the loop.
          co_await async::yield();
          enter(Phase::kWriting, steady_clock::now() + shared_.options.write_timeout);
        }
        continue;
      case IoResult::Status::kWouldBlock:
        break;
      case IoResult::Status::kEnd:
      case IoResult::Status::kError:
        co_return false;
    }
    co_await stream_->wait_writable();
  }
  co_return true;
}

// A client that still sends would have our last words thrown away by a reset, so they are
// followed by the end of our side, and its bytes are read until it ends its own.
Task<> HttpSession::linger() {
  if (!out_.empty()) {
    const bool sent = co_await flush();
    if (!sent) co_return;
  }
  if (stream_->is_tls() || closed_) co_return;
  ::shutdown(stream_->native_handle(), SHUT_WR);
  enter(Phase::kLingering, steady_clock::now() + kLingerTime);
  std::array<std::byte, 4096> dropped;
  std::size_t left = kLingerBytes;
  while (!closed_ && left > 0) {
    const auto result = stream_->try_read(dropped);
    if (result.status == IoResult::Status::kOk) {
      left -= std::min(left, result.bytes);
    } else if (result.status != IoResult::Status::kWouldBlock) {
      co_return;
    } else {
      co_await stream_->wait_readable();
    }
  }
}

void HttpSession::enter(Phase phase, SteadyTime deadline) {
  phase_ = phase;
  deadline_ = deadline;
}

void HttpSession::note_body() {
  const auto now = parser_.request().body.size();
  shared_.body_bytes += now - body_bytes_;
  body_bytes_ = now;
}

void HttpSession::sweep(SteadyTime now) {
  if (closed_ || now < deadline_) return;
  switch (phase_) {
    case Phase::kIdle:
    case Phase::kLingering:
      return close();
    case Phase::kHeader:
    case Phase::kBody:
      return say_and_close(problem(408, "the request did not arrive in time"));
    case Phase::kAnswering:
      return say_and_close(problem(504, "no answer in time"));
    case Phase::kWriting:
      ++shared_.counts.timeouts;
      return close();
  }
}

void HttpSession::close_if_idle() {
  if (phase_ == Phase::kIdle || phase_ == Phase::kLingering) close();
}

void HttpSession::say_and_close(const Response& response) {
  ++shared_.counts.timeouts;
  append(response, false);
  const auto result = stream_->try_write(bytes_of(out_));
  if (result.status == IoResult::Status::kOk) shared_.counts.bytes_sent += result.bytes;
  close();
}

void HttpSession::close() {
  closed_ = true;
  stream_->close();
}

}  // namespace etcdmon::net::detail
