#include "perf/sim_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace etcdmon::perf {

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kLongestRequest = 16 << 10;
constexpr std::size_t kChunk = 4096;

void append_chunked(std::string_view body, std::string& out) {
  while (!body.empty()) {
    const auto piece = body.substr(0, kChunk);
    fmt::format_to(std::back_inserter(out), "{:x}\r\n", piece.size());
    out.append(piece).append("\r\n");
    body.remove_prefix(piece.size());
  }
  out.append("0\r\n\r\n");
}

}  // namespace

SimConnection::SimConnection(int socket, ssl_ctx_st* tls, Host host)
    : socket_(socket), host_(host) {
  ++host_.counters.connections;
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls);
  SSL_set_fd(ssl_, socket_);
  SSL_set_accept_state(ssl_);
}

SimConnection::~SimConnection() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  ::close(socket_);
}

SimConnection::Io SimConnection::tls_outcome(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Io::kAgain;
    case SSL_ERROR_WANT_READ:
      return Io::kAgain;
    default:
      return Io::kClosed;
  }
}

SimConnection::Io SimConnection::receive(std::string& into) {
  std::array<char, 16 << 10> buffer;
  if (ssl_ != nullptr) {
    const int size = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) return tls_outcome(size);
    into.append(buffer.data(), static_cast<std::size_t>(size));
    return Io::kDone;
  }
  const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (size < 0) return errno == EAGAIN ? Io::kAgain : Io::kClosed;
  if (size == 0) return Io::kClosed;
  into.append(buffer.data(), static_cast<std::size_t>(size));
  return Io::kDone;
}

SimConnection::Io SimConnection::flush() {
  while (out_sent_ < out_.size()) {
    const std::string_view rest = std::string_view(out_).substr(out_sent_);
    ssize_t size = 0;
    if (ssl_ != nullptr) {
      size = SSL_write(ssl_, rest.data(), static_cast<int>(rest.size()));
      if (size <= 0) return tls_outcome(static_cast<int>(size));
    } else {
      size = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (size < 0) {
        wants_write_ = errno == EAGAIN;
        return wants_write_ ? Io::kAgain : Io::kClosed;
      }
    }
    out_sent_ += static_cast<std::size_t>(size);
  }
  // A page's room is not kept: connections are many and mostly idle.
  if (out_.capacity() > kLongestRequest) std::string().swap(out_);
  out_.clear();
  out_sent_ = 0;
  return Io::kDone;
}

bool SimConnection::serve() {
  wants_write_ = false;
  while (true) {
    std::string bytes;
    const auto got = receive(bytes);
    if (got == Io::kClosed) return false;
    if (got == Io::kAgain) break;
    if (!take(bytes)) return false;
  }
  return flush() != Io::kClosed;
}

bool SimConnection::take(std::string_view bytes) {
  if (grpc_) return grpc_->feed(bytes, out_);
  in_.append(bytes);
  const auto seen = std::min(in_.size(), kPreface.size());
  if (std::string_view(in_).substr(0, seen) != kPreface.substr(0, seen)) return take_http();
  if (seen < kPreface.size()) return true;
  grpc_ = std::make_unique<SimGrpc>(host_.cluster, host_.member, host_.counters.calls);
  return grpc_->feed(std::exchange(in_, {}), out_);
}

bool SimConnection::take_http() {
  while (true) {
    const auto end = in_.find("\r\n\r\n");
    if (end == std::string::npos) return in_.size() < kLongestRequest;
    const std::string_view line = std::string_view(in_).substr(0, in_.find("\r\n"));
    if (!line.starts_with("GET ")) return false;
    const auto target = line.substr(4, line.find(' ', 4) - 4);
    answer_get(target);
    in_.erase(0, end + 4);
  }
}

void SimConnection::answer_get(std::string_view target) {
  if (target == "/metrics") {
    ++host_.counters.pages;
    std::string page;
    page.reserve(256 << 10);
    host_.cluster.append_page(host_.member, page);
    out_.reserve(page.size() + (8 << 10));
    out_.append(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    append_chunked(page, out_);
    return;
  }
  const auto& counters = host_.counters;
  const bool known = target == "/health" || target == "/counters";
  const std::string body = target == "/health" ? "{\"health\":\"true\"}"
                           : target == "/counters"
                               ? fmt::format("{{\"pages\":{},\"calls\":{},\"connections\":{}}}",
                                             counters.pages, counters.calls, counters.connections)
                               : "404 page not found\n";
  fmt::format_to(std::back_inserter(out_), "HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}",
                 known ? "200 OK" : "404 Not Found", body.size(), body);
}

}  // namespace etcdmon::perf
