// net/http_server_parser.hpp: HTTP/1.1 requests out of bytes, without a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "net/http_server_message.hpp"

namespace etcdmon::net {

/// One connection's requests, one after the other: give it bytes in any split, step() until it
/// needs more. Memory is bounded by the limits. Pipelined requests wait inside until next().
///
/// Refuses what could be read in two ways: a transfer coding other than "chunked", a length beside
/// it, a missing or second Host, bare line feeds.
///
/// Threads: one at a time.
class HttpRequestParser {
 public:
  struct Limits {
    std::size_t header = 16U << 10U;  ///< request line and fields, or chunk extensions and trailers
    std::size_t fields = 100;
    std::size_t body = 1U << 20U;
  };
  enum class Step : std::uint8_t { kNeedMore, kComplete, kRefused };

  explicit HttpRequestParser(Limits limits);
  ~HttpRequestParser();
  HttpRequestParser(const HttpRequestParser&) = delete;
  HttpRequestParser& operator=(const HttpRequestParser&) = delete;

  /// Where the next bytes go, never empty; then filled() says how many came.
  std::span<std::byte> room();
  void filled(std::size_t bytes);

  /// Parses what is there. kComplete and kRefused stay until next(), which a refused one does not
  /// have.
  Step step();
  /// Forgets the complete request; bytes behind it are the start of the next one.
  void next();

  /// Some bytes of a request have come, but not all.
  bool started() const;
  bool unparsed() const;  ///< bytes are waiting for step()
  bool header_done() const;
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const;

  Request& request();       ///< with kComplete; filled as far as parsed before
  bool keep_alive() const;  ///< with kComplete
  bool http10() const;

  struct Refusal {
    int status = 400;
    std::string detail;
  };
  const Refusal& refusal() const;  ///< with kRefused

 private:
  class Message;
  Step refuse(int status, std::string detail);
  void skip_empty_lines();

  Limits limits_;
  std::unique_ptr<Message> message_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t header_bytes_ = 0;
  Refusal refusal_;
};

}  // namespace etcdmon::net
