#include "net/http_server_parser.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace etcdmon::net {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::size_t kSmallRead = 2048;
constexpr std::size_t kSlack = 512;  // less free room than this is not worth a read

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

// The shortest end of a chunked body.
constexpr std::string_view kLastChunk = "0\r\n\r\n";

int status_of(const beast::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::bad_version) return 505;
  return 400;
}

// Beast's parser calls back with pieces of one message; it cannot be used for a second one.
class Callbacks : public http::basic_parser<true> {
 public:
  Callbacks(Request& request, const HttpRequestParser::Limits& limits,
            HttpRequestParser::Refusal& refusal)
      : request_(request), max_fields_(limits.fields), refusal_(refusal) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(limits.header));
    body_limit(limits.body);
  }

  bool request_line_seen() const { return version_ != 0; }
  bool http10() const { return version_ == 10; }
  bool expects_continue() const { return expects_continue_ && version_ == 11; }

 private:
  void on_request_impl(http::verb /*verb*/, beast::string_view method, beast::string_view target,
                       int version, beast::error_code& error) override {
    version_ = version;
    request_.method = view(method);
    request_.target = view(target);
    if (!net::parse_target(request_.target, request_.path, request_.query)) {
      refuse(400, "the request target is no path, or has a broken % escape", error);
    }
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    if (header_done_) return;  // trailers: nothing here uses them
    if (request_.headers.size() >= max_fields_) {
      return refuse(431, "too many header fields", error);
    }
    if (field == http::field::host) ++hosts_;
    if (field == http::field::transfer_encoding) coded_ = true;
    if (field == http::field::expect) {
      if (!beast::iequals(value, "100-continue")) {
        return refuse(417, "only 100-continue can be expected", error);
      }
      expects_continue_ = true;
    }
    request_.headers.push_back(HttpField{std::string(view(name)), std::string(view(value))});
  }

  void on_header_impl(beast::error_code& error) override {
    header_done_ = true;
    // A body whose end we would not find is the start of a forged second request.
    if (coded_ && !only_chunked()) {
      return refuse(501, "the only transfer coding understood is chunked", error);
    }
    if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) {
      refuse(400, "a request has one Host header", error);
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         beast::error_code& /*error*/) override {
    constexpr std::uint64_t kReserve = 64U << 10U;
    if (length) request_.body.reserve(static_cast<std::size_t>(std::min(*length, kReserve)));
  }
  std::size_t on_body_impl(beast::string_view body, beast::error_code& /*error*/) override {
    request_.body += view(body);
    return body.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, beast::string_view body,
                                 beast::error_code& /*error*/) override {
    request_.body += view(body);
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/,
                            beast::error_code& /*error*/) override {}
  void on_response_impl(int /*code*/, beast::string_view /*reason*/, int /*version*/,
                        beast::error_code& /*error*/) override {}
  void on_finish_impl(beast::error_code& /*error*/) override {}

  bool only_chunked() const {
    return chunked() && beast::iequals(*request_.header("transfer-encoding"), "chunked");
  }

  void refuse(int status, std::string_view detail, beast::error_code& error) {
    refusal_.status = status;
    refusal_.detail = detail;
    error = http::error::bad_value;
  }

  Request& request_;
  std::size_t max_fields_;
  HttpRequestParser::Refusal& refusal_;
  int version_ = 0;
  int hosts_ = 0;
  bool coded_ = false;
  bool expects_continue_ = false;
  bool header_done_ = false;
};

// Keeps small buffers for the next request; a large body's memory is given back.
void clear(Request& request) {
  constexpr std::size_t kKeep = 16U << 10U;
  if (request.body.capacity() > kKeep) std::string().swap(request.body);
  request.method.clear();
  request.target.clear();
  request.path.clear();
  request.query.clear();
  request.headers.clear();
  request.body.clear();
}

}  // namespace

class HttpRequestParser::Message {
 public:
  Request request;
  std::optional<Callbacks> parser;
};

HttpRequestParser::HttpRequestParser(Limits limits)
    : limits_(limits), message_(std::make_unique<Message>()) {
  message_->parser.emplace(message_->request, limits_, refusal_);
}

HttpRequestParser::~HttpRequestParser() = default;

std::span<std::byte> HttpRequestParser::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.size() - end_ < kSlack && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() - end_ < kSlack) buffer_.resize(std::max(kSmallRead, buffer_.size() * 2));
  return std::as_writable_bytes(std::span(buffer_)).subspan(end_);
}

void HttpRequestParser::filled(std::size_t bytes) {
  end_ += bytes;
}

HttpRequestParser::Step HttpRequestParser::refuse(int status, std::string detail) {
  refusal_ = Refusal{status, std::move(detail)};
  return Step::kRefused;
}

// RFC 9112 §2.2: some clients send an empty line after a body.
void HttpRequestParser::skip_empty_lines() {
  while (end_ - begin_ >= 2 && buffer_[begin_] == '\r' && buffer_[begin_ + 1] == '\n') begin_ += 2;
}

HttpRequestParser::Step HttpRequestParser::step() {
  if (!refusal_.detail.empty()) return Step::kRefused;
  auto& parser = *message_->parser;
  if (parser.is_done()) return Step::kComplete;
  if (!parser.got_some()) skip_empty_lines();
  if (begin_ == end_ || (!parser.got_some() && end_ - begin_ == 1 && buffer_[begin_] == '\r')) {
    return Step::kNeedMore;
  }

  // Beast asserts, wrongly, that it never sees less of a last chunk whose end it has asked for.
  const bool in_header = !parser.is_header_done();
  if (!in_header && parser.chunked() && end_ - begin_ < kLastChunk.size()) return Step::kNeedMore;

  beast::error_code error;
  const auto used = parser.put(boost::asio::buffer(buffer_.data() + begin_, end_ - begin_), error);
  begin_ += used;
  if (in_header) header_bytes_ += used - message_->request.body.size();
  if (!refusal_.detail.empty()) return Step::kRefused;
  if (error && error != http::error::need_more) {
    const std::string_view rest(buffer_.data() + begin_, std::min(end_ - begin_, limits_.header));
    const bool in_first_line = !parser.request_line_seen() && rest.find('\n') == rest.npos;
    const int status = status_of(error);
    return refuse(status == 431 && in_first_line ? 414 : status, error.message());
  }
  if (in_header && parser.is_header_done() && !parser.chunked() && header_bytes_ > limits_.header) {
    return refuse(431, "header limit exceeded");
  }
  if (parser.is_done()) return Step::kComplete;
  // What is left over is part of a line: beast bounds it within the header, not between chunks.
  if (end_ - begin_ > limits_.header) return refuse(431, "line too long");
  return Step::kNeedMore;
}

void HttpRequestParser::next() {
  clear(message_->request);
  message_->parser.emplace(message_->request, limits_, refusal_);
  header_bytes_ = 0;
}

bool HttpRequestParser::started() const {
  return begin_ != end_ || message_->parser->got_some();
}
bool HttpRequestParser::unparsed() const {
  return begin_ != end_;
}
bool HttpRequestParser::header_done() const {
  return message_->parser->is_header_done();
}
bool HttpRequestParser::expects_continue() const {
  return message_->parser->expects_continue();
}
Request& HttpRequestParser::request() {
  return message_->request;
}
bool HttpRequestParser::keep_alive() const {
  return message_->parser->keep_alive();
}
bool HttpRequestParser::http10() const {
  return message_->parser->http10();
}
const HttpRequestParser::Refusal& HttpRequestParser::refusal() const {
  return refusal_;
}

}  // namespace etcdmon::net
