// net/http_response.hpp: reads HTTP/1 responses to GET from bytes, however they are cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon::net {

/// A parser without I/O. Understands Content-Length, chunked (with extensions and trailers),
/// bodies that end with the connection, HTTP/1.0; skips 1xx. Bodies with a content coding are
/// refused: identity was asked for.
///
/// Errors: kInternal with Cause::kProtocol for what is no HTTP, kResourceExhausted above a limit,
///         kUnavailable with Cause::kReset when the connection ends too early. After an error only
///         reset() may be called.
class HttpResponse {
 public:
  /// Status line, headers and trailers of one answer, 1xx included.
  static constexpr std::size_t kMaxHead = 64U << 10U;

  explicit HttpResponse(std::uint64_t max_body) : max_body_(max_body) {}

  /// Begins anew. `body` is cleared, keeps its capacity, and must outlive the parsing.
  void reset(std::string& body);
  /// Takes bytes up to the end of the response, and says how many; less than all only when done().
  Result<std::size_t> feed(std::string_view bytes);
  /// The peer ended the connection: the end of a body without length, else an error.
  Result<void> end();

  bool begun() const { return begun_; }
  bool done() const { return state_ == State::kDone; }
  /// The head is complete, status() and keep_alive() are known.
  bool has_head() const { return state_ > State::kHeader; }
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }

 private:
  enum class State : std::uint8_t {
    kStatusLine,
    kHeader,
    kLength,
    kUntilEnd,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailer,
    kDone,
  };
  struct Line {
    bool complete = false;
    std::string_view text;  ///< without its end; valid until the next line
  };

  Result<Line> take_line(std::string_view& rest);
  Result<void> on_line(std::string_view line);
  Result<void> on_status_line(std::string_view line);
  Result<void> on_header(std::string_view line);
  Result<void> on_content_length(std::string_view value);
  Result<void> on_transfer_encoding(std::string_view value);
  void on_connection(std::string_view value);
  Result<void> on_head_end();
  Result<void> on_chunk_size(std::string_view line);
  Result<void> take_body(std::string_view& rest);
  Error too_large() const;

  std::uint64_t max_body_;
  std::string* body_ = nullptr;
  std::string line_;  // a line that came in pieces
  State state_ = State::kDone;
  int status_ = 0;
  std::size_t head_size_ = 0;
  std::uint64_t left_ = 0;  // of the body or the chunk
  bool begun_ = false;
  bool keep_alive_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
};

}  // namespace etcdmon::net
