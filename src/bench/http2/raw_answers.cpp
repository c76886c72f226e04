// RawTransport's receiving half: frames to outcomes.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bench/http2/raw_transport.hpp"

namespace etcdmon::bench {

namespace {

constexpr std::uint32_t kCreditAfterStream = 1U << 19U;  // half of the window
constexpr std::uint32_t kCreditAfterConnection = 2U << 20U;
constexpr std::size_t kMaxBlock = 128U << 10U;
constexpr int kMaxContinuations = 8;  // as nghttp2 allows
constexpr std::size_t kShownDebugData = 128;
constexpr std::int64_t kMaxWindow = 0x7fff'ffff;

// Takes padding and priority off; nullopt where the frame is too short for them.
std::optional<std::span<const std::byte>> without_padding(const h2::FrameView& frame) {
  auto payload = frame.payload;
  std::size_t padding = 0;
  if (frame.header.has(h2::flag::kPadded)) {
    if (payload.empty()) return std::nullopt;
    padding = std::to_integer<std::size_t>(payload.front());
    payload = payload.subspan(1);
  }
  if (frame.header.type == h2::Type::kHeaders && frame.header.has(h2::flag::kPriority)) {
    if (payload.size() < 5) return std::nullopt;
    payload = payload.subspan(5);
  }
  if (padding > payload.size()) return std::nullopt;
  return payload.first(payload.size() - padding);
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void RawTransport::receive(std::span<const std::byte> bytes, SteadyTime /*now*/) {
  if (state_ == State::kEnded) return;
  if (rest_.empty()) {
    const auto used = read_frames(bytes);
    if (state_ != State::kEnded)
      rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
  } else {
    rest_.insert(rest_.end(), bytes.begin(), bytes.end());
    const auto used = read_frames(rest_);
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(used));
  }
  if (state_ == State::kEnded) return;
  if (uncredited_ >= kCreditAfterConnection)
    h2::append_window_update(output_, 0, std::exchange(uncredited_, 0));
  if (!waiting_.empty()) admit();
}

// Returns how many bytes were whole frames.
std::size_t RawTransport::read_frames(Payload bytes) {
  if (!first_frame_seen_ && !passes_first_frame(bytes)) return 0;
  std::size_t at = 0;
  while (bytes.size() - at >= h2::kFrameHeader) {
    const auto header = h2::read_frame_header(bytes.data() + at);
    if (header.size > h2::kMaxFrame) {
      broken(h2::Code::kFrameSizeError, "a frame is larger than allowed");
      return bytes.size();
    }
    if (bytes.size() - at - h2::kFrameHeader < header.size) break;
    const h2::FrameView frame{header, bytes.subspan(at + h2::kFrameHeader, header.size)};
    if (!read_frame(frame)) return bytes.size();
    at += h2::kFrameHeader + header.size;
  }
  return at;
}

// For a clearer word than "a frame is too large" on what is no HTTP/2 at all.
bool RawTransport::passes_first_frame(Payload bytes) {
  const auto text = text_of(bytes.first(std::min<std::size_t>(bytes.size(), h2::kFrameHeader)));
  Error error{ErrorCode::kUnavailable, "the peer sent no HTTP/2 SETTINGS", Cause::kProtocol};
  if (text.starts_with("HTTP")) {
    error.message = "the peer speaks HTTP/1, not HTTP/2: is it another server's port?";
  } else if (text.starts_with("\x15\x03")) {
    error.message = "the peer answered with a TLS alert: it is a TLS port, use https://";
  } else if (text.size() < 4 || static_cast<h2::Type>(text[3]) == h2::Type::kSettings) {
    first_frame_seen_ = text.size() >= h2::kFrameHeader;
    return first_frame_seen_;
  }
  fail(std::move(error));
  return false;
}

bool RawTransport::read_frame(const h2::FrameView& frame) {
  if (block_stream_ != 0 && frame.header.type != h2::Type::kContinuation)
    return broken(h2::Code::kProtocolError, "a header block breaks off");
  switch (frame.header.type) {
    case h2::Type::kData:
      return on_data(frame);
    case h2::Type::kHeaders:
      return on_headers(frame);
    case h2::Type::kPriority:
      if (frame.header.stream == 0) return broken(h2::Code::kProtocolError, "PRIORITY: stream 0");
      return frame.payload.size() == 5 || broken(h2::Code::kFrameSizeError, "PRIORITY: size");
    case h2::Type::kRstStream:
      return on_rst_stream(frame);
    case h2::Type::kSettings:
      return on_settings(frame);
    case h2::Type::kPushPromise:
      return broken(h2::Code::kProtocolError, "PUSH_PROMISE, which was turned off");
    case h2::Type::kPing:
      return on_ping(frame);
    case h2::Type::kGoaway:
      return on_goaway(frame);
    case h2::Type::kWindowUpdate:
      return on_window_update(frame);
    case h2::Type::kContinuation:
      return on_continuation(frame);
  }
  return true;  // of an extension: to be ignored
}

bool RawTransport::on_data(const h2::FrameView& frame) {
  const auto stream = frame.header.stream;
  if (stream == 0 || is_idle(stream))
    return broken(h2::Code::kProtocolError, "DATA on a stream that is not open");
  const auto payload = without_padding(frame);
  if (!payload) return broken(h2::Code::kProtocolError, "DATA: padding");
  uncredited_ += frame.header.size;
  auto* call = calls_.find(stream);
  if (call == nullptr) return true;  // it was given up
  if (call->state == Call::State::kHead) {
    if (call->http_status == 0) return broken(h2::Code::kProtocolError, "DATA before HEADERS");
    broke_stream(*call, "DATA after an early hint");
    return state_ != State::kEnded;
  }
  const bool last = frame.header.has(h2::flag::kEndStream);
  call->uncredited += frame.header.size;
  if (!last && call->uncredited >= kCreditAfterStream)
    h2::append_window_update(output_, stream, std::exchange(call->uncredited, 0));
  take_message_bytes(*call, *payload);
  if (!last || state_ == State::kEnded || calls_.find(stream) != call)
    return state_ != State::kEnded;
  head_.reset();  // a status before the messages does not count
  head_.http_status = call->http_status;
  head_.grpc_content = call->grpc_content;
  end_of_stream(*call, head_);
  return state_ != State::kEnded;
}

void RawTransport::take_message_bytes(Call& call, Payload bytes) {
  const auto id = call.id;
  while (!bytes.empty()) {
    std::size_t size = 0;
    const bool whole = call.partial == nullptr && bytes.size() >= rpc::kPrefixSize &&
                       bytes[0] == std::byte{0} &&
                       (size = h2::read_u32(bytes.data() + 1)) <= options_.max_message &&
                       bytes.size() - rpc::kPrefixSize >= size;
    if (!whole) {
      take_partial(call, bytes);
      return;
    }
    const auto message = bytes.subspan(rpc::kPrefixSize, size);
    bytes = bytes.subspan(rpc::kPrefixSize + size);
    // Whoever was told may have cancelled the call, and even begun another in the same record.
    if (!deliver(call, message) || call.id != id || call.idle()) return;
  }
}

void RawTransport::take_partial(Call& call, Payload bytes) {
  const auto id = call.id;
  if (call.partial == nullptr) {
    if (readers_.empty()) {
      call.partial = new rpc::MessageReader(options_.max_message);
    } else {
      readers_.back()->reset(options_.max_message);
      call.partial = readers_.back().release();
      readers_.pop_back();
    }
  }
  auto* reader = static_cast<rpc::MessageReader*>(call.partial);
  for (;;) {
    switch (reader->read(bytes)) {
      case rpc::MessageReader::Step::kMore:
        if (reader->between_messages()) {
          call.partial = nullptr;
          readers_.emplace_back(reader);
        }
        return;
      case rpc::MessageReader::Step::kBad: {
        const Error error = reader->error();
        finish(call, &error, h2::Code::kCancel);
        return;
      }
      case rpc::MessageReader::Step::kMessage:
        if (!deliver(call, std::as_bytes(std::span(reader->message())))) return;
        if (call.id != id || call.idle()) return;
        break;
    }
  }
}

// False when the call ended by it.
bool RawTransport::deliver(Call& call, Payload message) {
  if (call.kind == Call::Kind::kUnary && std::exchange(call.answered, true)) {
    const Error error{ErrorCode::kInternal, "the peer sent more than one message for a unary call",
                      Cause::kProtocol};
    finish(call, &error, h2::Code::kCancel);
    return false;
  }
  events_.on_message(call, message);
  return true;
}

bool RawTransport::on_headers(const h2::FrameView& frame) {
  const auto stream = frame.header.stream;
  if (stream == 0 || is_idle(stream))
    return broken(h2::Code::kProtocolError, "HEADERS on a stream that is not open");
  const auto payload = without_padding(frame);
  if (!payload) return broken(h2::Code::kProtocolError, "HEADERS: padding");
  const bool end_stream = frame.header.has(h2::flag::kEndStream);
  if (frame.header.has(h2::flag::kEndHeaders)) return on_block(stream, *payload, end_stream);
  block_.assign(payload->begin(), payload->end());
  block_stream_ = stream;
  block_ends_stream_ = end_stream;
  continuations_ = 0;
  return true;
}

bool RawTransport::on_continuation(const h2::FrameView& frame) {
  if (block_stream_ == 0 || frame.header.stream != block_stream_)
    return broken(h2::Code::kProtocolError, "CONTINUATION of nothing");
  if (++continuations_ > kMaxContinuations || block_.size() + frame.payload.size() > kMaxBlock)
    return broken(h2::Code::kProtocolError, "a header block without end");
  block_.insert(block_.end(), frame.payload.begin(), frame.payload.end());
  if (!frame.header.has(h2::flag::kEndHeaders)) return true;
  return on_block(std::exchange(block_stream_, 0), block_, block_ends_stream_);
}

bool RawTransport::on_block(std::int32_t stream, Payload block, bool end_stream) {
  auto* call = calls_.find(stream);
  head_.reset();
  const bool trailers = call != nullptr && call->state == Call::State::kBody;
  if (call != nullptr) {
    head_.http_status = call->http_status;
    head_.grpc_content = call->grpc_content;
  }
  // Also for a call that was given up: the table must follow the peer's.
  const auto outcome = decoder_.read(block, trailers, head_);
  if (outcome == HeaderDecoder::Outcome::kBroken)
    return broken(h2::Code::kCompressionError, "a header block is no HPACK");
  if (call == nullptr) return true;
  if (outcome == HeaderDecoder::Outcome::kTooLarge) {
    const Error error{ErrorCode::kResourceExhausted, "the answer's header is too large",
                      Cause::kProtocol};
    finish(*call, &error, h2::Code::kCancel);
  } else if (outcome == HeaderDecoder::Outcome::kMalformed) {
    broke_stream(*call, "malformed header fields");
  } else if (end_stream && head_.http_status / 100 == 1) {
    broke_stream(*call, "an early hint that ends the stream");
  } else if (end_stream) {
    end_of_stream(*call, head_);
  } else if (trailers) {
    broke_stream(*call, "trailers that do not end the stream");
  } else {
    call->http_status = static_cast<std::int16_t>(head_.http_status);
    call->grpc_content = head_.grpc_content;
    if (head_.http_status >= 200) call->state = Call::State::kBody;
    if (auto refusal = rpc::refusal_in(head_)) finish(*call, &*refusal, h2::Code::kCancel);
  }
  return state_ != State::kEnded;
}

void RawTransport::end_of_stream(Call& call, const rpc::ResponseHead& head) {
  const auto reset =
      call.sent_all && (blocked_.empty() ||
                        std::ranges::find(blocked_, &call, &Blocked::call) == blocked_.end())
          ? std::nullopt
          : std::optional(h2::Code::kNoError);
  if (head.http_status == 200 && head.grpc_status == ErrorCode::kOk && call.partial == nullptr &&
      (call.answered || call.kind == Call::Kind::kStream)) {
    finish(call, nullptr, reset);
    return;
  }
  auto error = rpc::outcome_of(head);
  if (!error && call.partial != nullptr) {
    error =
        Error{ErrorCode::kInternal, "the peer ended the call inside a message", Cause::kProtocol};
  } else if (!error && call.kind == Call::Kind::kUnary && !call.answered) {
    error = Error{ErrorCode::kInternal, "the peer ended the call with OK and without an answer",
                  Cause::kProtocol};
  }
  finish(call, error ? &*error : nullptr, reset);
}

void RawTransport::broke_stream(Call& call, std::string_view why) {
  const Error error{ErrorCode::kInternal, fmt::format("the answer broke HTTP/2: {}", why),
                    Cause::kProtocol};
  finish(call, &error, h2::Code::kProtocolError);
}

bool RawTransport::on_rst_stream(const h2::FrameView& frame) {
  if (frame.payload.size() != 4) return broken(h2::Code::kFrameSizeError, "RST_STREAM: size");
  if (frame.header.stream == 0 || is_idle(frame.header.stream))
    return broken(h2::Code::kProtocolError, "RST_STREAM on a stream that is not open");
  auto* call = calls_.find(frame.header.stream);
  if (call == nullptr) return true;
  const auto code = h2::read_u32(frame.payload.data());
  const Error error{rpc::code_of_http2_error(code),
                    fmt::format("the peer reset the call: {}", rpc::name_of_http2_error(code)),
                    Cause::kReset};
  finish(*call, &error);
  return state_ != State::kEnded;
}

bool RawTransport::on_settings(const h2::FrameView& frame) {
  if (frame.header.stream != 0) return broken(h2::Code::kProtocolError, "SETTINGS: stream");
  if (frame.header.has(h2::flag::kAck)) {
    if (!frame.payload.empty()) return broken(h2::Code::kFrameSizeError, "SETTINGS: size");
    const bool expected = state_ != State::kHandshake && !std::exchange(settings_acked_, true);
    return expected || broken(h2::Code::kProtocolError, "SETTINGS: an ACK of nothing");
  }
  if (frame.payload.size() % 6 != 0) return broken(h2::Code::kFrameSizeError, "SETTINGS: size");
  for (std::size_t at = 0; at < frame.payload.size(); at += 6) {
    const auto* entry = frame.payload.data() + at;
    if (!on_setting(static_cast<h2::Setting>(h2::read_u16(entry)), h2::read_u32(entry + 2)))
      return false;
  }
  h2::append_frame(output_, h2::Type::kSettings, h2::flag::kAck, 0, {});
  if (state_ == State::kHandshake) state_ = State::kUp;
  pump();
  return true;
}

bool RawTransport::on_setting(h2::Setting setting, std::uint32_t value) {
  switch (setting) {
    case h2::Setting::kHeaderTableSize:
      encoder_.limit_table(value);
      return true;
    case h2::Setting::kEnablePush:
      return value == 0 || broken(h2::Code::kProtocolError, "SETTINGS: ENABLE_PUSH of a server");
    case h2::Setting::kMaxConcurrentStreams:
      max_streams_ = value;
      return true;
    case h2::Setting::kInitialWindowSize: {
      if (value > kMaxWindow) return broken(h2::Code::kFlowControlError, "SETTINGS: window");
      const auto change = static_cast<std::int64_t>(value) - stream_window_;
      bool fits = true;
      calls_.for_each([&](Call& call) {
        const auto window = call.send_window + change;
        fits = fits && window <= kMaxWindow;
        call.send_window = static_cast<std::int32_t>(std::min(window, kMaxWindow));
      });
      stream_window_ = static_cast<std::int32_t>(value);
      return fits || broken(h2::Code::kFlowControlError, "SETTINGS: a window grew too large");
    }
    case h2::Setting::kMaxFrameSize:
      if (value < h2::kMaxFrame || value > 0xff'ffffU)
        return broken(h2::Code::kProtocolError, "SETTINGS: MAX_FRAME_SIZE");
      max_frame_ = value;
      return true;
    case h2::Setting::kMaxHeaderListSize:
      return true;
  }
  return true;
}

bool RawTransport::on_ping(const h2::FrameView& frame) {
  if (frame.header.stream != 0) return broken(h2::Code::kProtocolError, "PING: stream");
  if (frame.payload.size() != 8) return broken(h2::Code::kFrameSizeError, "PING: size");
  if (!frame.header.has(h2::flag::kAck))
    h2::append_frame(output_, h2::Type::kPing, h2::flag::kAck, 0, frame.payload);
  return true;
}

bool RawTransport::on_goaway(const h2::FrameView& frame) {
  if (frame.header.stream != 0) return broken(h2::Code::kProtocolError, "GOAWAY: stream");
  if (frame.payload.size() < 8) return broken(h2::Code::kFrameSizeError, "GOAWAY: size");
  const auto last = static_cast<std::int32_t>(h2::read_u32(frame.payload.data()) & 0x7fff'ffffU);
  if (last > last_allowed_ || (last > 0 && last % 2 == 0))
    return broken(h2::Code::kProtocolError, "GOAWAY: last stream");
  last_allowed_ = last;
  const auto code = h2::read_u32(frame.payload.data() + 4);
  const auto rest = text_of(frame.payload.subspan(8));
  const auto debug = rpc::decode_grpc_message(rest.substr(0, kShownDebugData));
  goaway_ = fmt::format("GOAWAY {}{}{}", rpc::name_of_http2_error(code), debug.empty() ? "" : ", ",
                        debug);
  error_ = goaway_error();
  state_ = State::kDraining;
  while (!waiting_.empty()) finish(*waiting_.front().call, &error_);
  for (;;) {
    Call* unseen = nullptr;
    calls_.for_each([&](Call& call) {
      if (call.id > last) unseen = &call;
    });
    if (unseen == nullptr) return state_ != State::kEnded;
    finish(*unseen, &error_);
  }
}

bool RawTransport::on_window_update(const h2::FrameView& frame) {
  if (frame.payload.size() != 4) return broken(h2::Code::kFrameSizeError, "WINDOW_UPDATE: size");
  const auto bytes = h2::read_u32(frame.payload.data()) & 0x7fff'ffffU;
  const auto stream = frame.header.stream;
  if (stream == 0) {
    send_window_ += bytes;
    if (bytes == 0 || send_window_ > kMaxWindow)
      return broken(h2::Code::kFlowControlError, "WINDOW_UPDATE of the connection");
    if (!blocked_.empty()) pump();
    return true;
  }
  if (is_idle(stream))
    return broken(h2::Code::kProtocolError, "WINDOW_UPDATE on a stream that is not open");
  auto* call = calls_.find(stream);
  if (call == nullptr) return true;
  if (bytes == 0) return broken(h2::Code::kProtocolError, "WINDOW_UPDATE of nothing");
  if (call->send_window + std::int64_t{bytes} > kMaxWindow) {
    broke_stream(*call, "WINDOW_UPDATE");
    return state_ != State::kEnded;
  }
  call->send_window += static_cast<std::int32_t>(bytes);
  if (!blocked_.empty()) pump();
  return true;
}

}  // namespace etcdmon::bench
