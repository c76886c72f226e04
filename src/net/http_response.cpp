#include "net/http_response.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/assert.hpp"

namespace etcdmon::net {

namespace {

constexpr std::string_view kVersion = "HTTP/1.";
constexpr int kSwitchingProtocols = 101;
constexpr int kNoContent = 204;
constexpr int kNotModified = 304;

Error malformed(std::string_view what) {
  return Error{ErrorCode::kInternal, fmt::format("the answer is no valid HTTP: {}", what),
               Cause::kProtocol};
}

// The first byte tells whom we talk to.
Error no_http(std::string_view bytes) {
  constexpr char kTlsAlert = 0x15;
  constexpr char kTlsHandshake = 0x16;
  std::string_view hint;
  if (bytes[0] == kTlsAlert || bytes[0] == kTlsHandshake) hint = ": it speaks TLS (use https)";
  if (bytes[0] == 0) hint = ": it seems to speak HTTP/2 only";
  return Error{ErrorCode::kInternal, fmt::format("the peer does not speak HTTP/1{}", hint),
               Cause::kProtocol};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view text, std::string_view wanted) {
  return std::ranges::equal(text, wanted, {}, lower);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The next member of a comma-separated list; false at its end.
bool next_token(std::string_view& list, std::string_view& token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    token = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!token.empty()) return true;
  }
  return false;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void HttpResponse::reset(std::string& body) {
  body.clear();
  body_ = &body;
  line_.clear();
  state_ = State::kStatusLine;
  status_ = 0;
  head_size_ = 0;
  left_ = 0;
  begun_ = false;
  keep_alive_ = false;
  chunked_ = false;
  has_length_ = false;
}

Result<std::size_t> HttpResponse::feed(std::string_view bytes) {
  std::string_view rest = bytes;
  begun_ = begun_ || !bytes.empty();
  while (!rest.empty() && state_ != State::kDone) {
    if (state_ == State::kLength || state_ == State::kUntilEnd || state_ == State::kChunk) {
      if (auto taken = take_body(rest); !taken) return std::move(taken).error();
      continue;
    }
    ETCDMON_TRY(const Line line, take_line(rest));
    if (!line.complete) break;
    auto taken = on_line(line.text);
    line_.clear();
    if (!taken) return std::move(taken).error();
  }
  return bytes.size() - rest.size();
}

Result<void> HttpResponse::end() {
  if (state_ == State::kUntilEnd) state_ = State::kDone;
  if (state_ == State::kDone) return {};
  return Error{ErrorCode::kUnavailable,
               begun_ ? "the peer ended the connection in the middle of its answer"
                      : "the peer ended the connection without an answer",
               Cause::kReset};
}

Result<HttpResponse::Line> HttpResponse::take_line(std::string_view& rest) {
  const auto newline = rest.find('\n');
  auto piece = rest.substr(0, newline);
  const bool complete = newline != std::string_view::npos;
  rest.remove_prefix(complete ? newline + 1 : rest.size());
  // The sizes of chunks are not limited in their number, only each in its length.
  head_size_ =
      state_ == State::kChunkSize || state_ == State::kChunkEnd ? line_.size() : head_size_;
  head_size_ += piece.size() + (complete ? 1 : 0);
  if (head_size_ > kMaxHead) {
    return Error{ErrorCode::kResourceExhausted,
                 fmt::format("the head of the answer is larger than {} bytes", kMaxHead)};
  }
  if (!complete || !line_.empty()) {
    line_ += piece;
    piece = line_;
  }
  if (state_ == State::kStatusLine) {
    // What is no HTTP may never send a newline.
    const auto length = std::min(piece.size(), kVersion.size());
    if (length > 0 && piece.substr(0, length) != kVersion.substr(0, length)) return no_http(piece);
  }
  if (complete && piece.ends_with('\r')) piece.remove_suffix(1);
  return Line{complete, piece};
}

Result<void> HttpResponse::on_line(std::string_view line) {
  switch (state_) {
    case State::kStatusLine:
      return on_status_line(line);
    case State::kHeader:
      return line.empty() ? on_head_end() : on_header(line);
    case State::kChunkSize:
      return on_chunk_size(line);
    case State::kChunkEnd:
      if (!line.empty()) return malformed("a chunk is longer than its size");
      state_ = State::kChunkSize;
      return {};
    case State::kTrailer:
      if (line.empty()) state_ = State::kDone;
      return {};
    default:
      break;
  }
  assertion_failed("a line where a body is", __FILE__, __LINE__);
}

// "HTTP/1.1 200 OK"; the words may be missing.
Result<void> HttpResponse::on_status_line(std::string_view line) {
  constexpr std::size_t kCode = 9;
  if (line.size() < kCode + 3 || !line.starts_with(kVersion) || !is_digit(line[7]) ||
      line[8] != ' ' || (line.size() > kCode + 3 && line[kCode + 3] != ' ') || line[kCode] < '1' ||
      line[kCode] > '9' || !is_digit(line[kCode + 1]) || !is_digit(line[kCode + 2])) {
    return malformed("its status line");
  }
  status_ = (line[kCode] - '0') * 100 + (line[kCode + 1] - '0') * 10 + (line[kCode + 2] - '0');
  if (status_ == kSwitchingProtocols) return malformed("it changes to another protocol");
  keep_alive_ = line[7] != '0';
  state_ = State::kHeader;
  return {};
}

Result<void> HttpResponse::on_header(std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() ||
      name.find_first_of(" \t") != std::string_view::npos) {
    return malformed("a header line");
  }
  const auto value = trim(line.substr(colon + 1));
  if (equal_ignoring_case(name, "content-length")) return on_content_length(value);
  if (equal_ignoring_case(name, "transfer-encoding")) return on_transfer_encoding(value);
  if (equal_ignoring_case(name, "connection")) on_connection(value);
  if (equal_ignoring_case(name, "content-encoding") && !value.empty() &&
      !equal_ignoring_case(value, "identity")) {
    return malformed("its body has a content coding, which was not asked for");
  }
  return {};
}

// Several lengths are as good as one when they agree.
Result<void> HttpResponse::on_content_length(std::string_view value) {
  std::string_view token;
  if (value.empty()) return malformed("its Content-Length");
  while (next_token(value, token)) {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), length);
    if (error != std::errc{} || end != token.data() + token.size() ||
        (has_length_ && length != left_)) {
      return malformed("its Content-Length");
    }
    left_ = length;
    has_length_ = true;
  }
  return {};
}

Result<void> HttpResponse::on_transfer_encoding(std::string_view value) {
  std::string_view token;
  while (next_token(value, token)) {
    if (equal_ignoring_case(token, "identity")) continue;
    if (chunked_ || !equal_ignoring_case(token, "chunked")) {
      return malformed("its Transfer-Encoding is not just chunked");
    }
    chunked_ = true;
  }
  return {};
}

void HttpResponse::on_connection(std::string_view value) {
  std::string_view token;
  while (next_token(value, token)) {
    if (equal_ignoring_case(token, "close")) keep_alive_ = false;
    if (equal_ignoring_case(token, "keep-alive")) keep_alive_ = true;
  }
}

Result<void> HttpResponse::on_head_end() {
  if (status_ < 200) {
    chunked_ = false;
    has_length_ = false;
    left_ = 0;
    state_ = State::kStatusLine;
    return {};
  }
  if (status_ == kNoContent || status_ == kNotModified) {
    state_ = State::kDone;
  } else if (chunked_) {
    // A length beside it may be an attempt to smuggle: the next bytes are not to be trusted.
    keep_alive_ = keep_alive_ && !has_length_;
    state_ = State::kChunkSize;
  } else if (has_length_) {
    if (left_ > max_body_) return too_large();
    state_ = left_ == 0 ? State::kDone : State::kLength;
  } else {
    keep_alive_ = false;
    state_ = State::kUntilEnd;
  }
  return {};
}

// "1a2b", "1a2b;name=value"
Result<void> HttpResponse::on_chunk_size(std::string_view line) {
  left_ = 0;
  const auto* last = line.data() + line.size();
  const auto [end, error] = std::from_chars(line.data(), last, left_, 16);
  const auto after = trim({end, static_cast<std::size_t>(last - end)});
  if (error == std::errc::result_out_of_range) return too_large();
  if (error != std::errc{} || (!after.empty() && after.front() != ';')) {
    return malformed("the size of a chunk");
  }
  if (left_ > max_body_ - body_->size()) return too_large();
  state_ = left_ == 0 ? State::kTrailer : State::kChunk;
  if (left_ == 0) head_size_ = 0;
  return {};
}

Result<void> HttpResponse::take_body(std::string_view& rest) {
  auto piece = rest;
  if (state_ == State::kUntilEnd) {
    if (piece.size() > max_body_ - body_->size()) return too_large();
  } else {
    piece = piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size())));
    left_ -= piece.size();
  }
  body_->append(piece);
  rest.remove_prefix(piece.size());
  if (state_ == State::kLength && left_ == 0) state_ = State::kDone;
  if (state_ == State::kChunk && left_ == 0) state_ = State::kChunkEnd;
  return {};
}

Error HttpResponse::too_large() const {
  return Error{ErrorCode::kResourceExhausted,
               fmt::format("the body of the answer is larger than {} bytes", max_body_)};
}

}  // namespace etcdmon::net
