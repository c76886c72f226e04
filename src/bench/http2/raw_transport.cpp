#include "bench/http2/raw_transport.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::bench {

namespace {

constexpr std::uint32_t kStreamWindow = 1U << 20U;
constexpr std::uint32_t kConnectionWindow = 4U << 20U;
constexpr std::uint32_t kMaxHeaderList = 64U << 10U;
constexpr std::int32_t kLastId = 0x7fff'fff0;

void put_prefix(std::byte* at, std::size_t message_size) {
  at[0] = std::byte{0};
  h2::write_u32(at + 1, static_cast<std::uint32_t>(message_size));
}

}  // namespace

RawTransport::RawTransport(TransportOptions options, CallEvents& events)
    : options_(std::move(options)), events_(events), encoder_(options_), decoder_(kMaxHeaderList) {
  h2::append_opening(output_, kStreamWindow, kConnectionWindow, kMaxHeaderList);
}

RawTransport::~RawTransport() {
  while (auto* call = calls_.any()) forget(*call);
  for (auto& waiting : waiting_) waiting.call->state = Call::State::kIdle;
}

void RawTransport::start(Call& call, std::string_view path, std::span<const std::byte> message,
                         HalfClose half_close) {
  call.answered = false;
  call.grpc_content = false;
  call.http_status = 0;
  call.uncredited = 0;
  call.sent_all = false;
  call.id = 0;
  if (state_ == State::kDraining || state_ == State::kEnded) {
    events_.on_end(call, &error_);
    return;
  }
  if (has_slot() && waiting_.empty()) {
    submit(call, path, message, half_close);
    return;
  }
  call.state = Call::State::kWaiting;
  if (state_ == State::kUp) ++counts_.stream_limited;
  waiting_.push_back(Waiting{.call = &call,
                             .path = path,
                             .message = {message.begin(), message.end()},
                             .half_close = half_close,
                             .more = {}});
}

void RawTransport::submit(Call& call, std::string_view path, Payload message,
                          HalfClose half_close) {
  const auto block = encoder_.block(path);
  call.id = std::exchange(next_id_, next_id_ + 2);
  call.state = Call::State::kHead;
  call.send_window = stream_window_;
  calls_.insert(call.id, call);
  if (next_id_ >= kLastId) {
    error_ =
        Error{ErrorCode::kUnavailable, "all streams of the connection are used up", Cause::kGoAway};
    state_ = State::kDraining;
  }
  h2::append_frame(output_, h2::Type::kHeaders, h2::flag::kEndHeaders, call.id,
                   std::as_bytes(std::span(block)));
  put_message(call, message, half_close == HalfClose::kYes);
}

void RawTransport::send(Call& call, std::span<const std::byte> message) {
  if (call.idle() || call.sent_all) return;
  if (call.state != Call::State::kWaiting) {
    put_message(call, message, false);
    return;
  }
  const auto waiting = std::ranges::find(waiting_, &call, &Waiting::call);
  if (waiting != waiting_.end()) waiting->more.emplace_back(message.begin(), message.end());
}

void RawTransport::put_message(Call& call, Payload message, bool last) {
  call.sent_all = last;
  const auto size = message.size() + rpc::kPrefixSize;
  if (!blocked_.empty() || size > sendable(call)) {
    block(call, message, last);
    return;
  }
  auto* at = output_.grow(h2::kFrameHeader + size);
  h2::write_frame_header(at, {.size = static_cast<std::uint32_t>(size),
                              .type = h2::Type::kData,
                              .flags = last ? h2::flag::kEndStream : std::uint8_t{0},
                              .stream = call.id});
  put_prefix(at + h2::kFrameHeader, message.size());
  if (!message.empty()) {
    std::memcpy(at + h2::kFrameHeader + rpc::kPrefixSize, message.data(), message.size());
  }
  call.send_window -= static_cast<std::int32_t>(size);
  send_window_ -= static_cast<std::int64_t>(size);
}

std::size_t RawTransport::sendable(const Call& call) const {
  const auto window = std::min<std::int64_t>(call.send_window, send_window_);
  return window <= 0 ? 0 : std::min<std::size_t>(static_cast<std::size_t>(window), max_frame_);
}

void RawTransport::block(Call& call, Payload message, bool last) {
  Blocked blocked{.call = &call, .bytes = {}, .offset = 0, .last = last};
  blocked.bytes.resize(rpc::kPrefixSize + message.size());
  put_prefix(blocked.bytes.data(), message.size());
  std::ranges::copy(message, blocked.bytes.begin() + rpc::kPrefixSize);
  blocked_.push_back(std::move(blocked));
  pump();
  if (!blocked_.empty() && blocked_.back().call == &call) ++counts_.window_limited;
}

void RawTransport::pump() {
  for (auto it = blocked_.begin(); it != blocked_.end() && send_window_ > 0;) {
    auto& call = *it->call;
    // A stream's messages stay in order: the first of them is the one that is found first.
    while (it->offset < it->bytes.size()) {
      const auto size = std::min(sendable(call), it->bytes.size() - it->offset);
      if (size == 0) break;
      const bool ends = it->last && it->offset + size == it->bytes.size();
      h2::append_frame(output_, h2::Type::kData, ends ? h2::flag::kEndStream : std::uint8_t{0},
                       call.id, std::span(it->bytes).subspan(it->offset, size));
      it->offset += size;
      call.send_window -= static_cast<std::int32_t>(size);
      send_window_ -= static_cast<std::int64_t>(size);
    }
    it = it->offset == it->bytes.size() ? blocked_.erase(it) : std::next(it);
  }
}

void RawTransport::admit() {
  while (!waiting_.empty() && has_slot()) {
    auto waiting = std::move(waiting_.front());
    waiting_.pop_front();
    submit(*waiting.call, waiting.path, waiting.message, waiting.half_close);
    for (const auto& message : waiting.more) put_message(*waiting.call, message, false);
  }
}

void RawTransport::cancel(Call& call) {
  if (call.idle()) return;
  if (call.state != Call::State::kWaiting) {
    h2::append_rst_stream(output_, call.id, h2::Code::kCancel);
  }
  forget(call);
  admit();
}

void RawTransport::finish(Call& call, const Error* error, std::optional<h2::Code> reset) {
  if (reset) h2::append_rst_stream(output_, call.id, *reset);
  forget(call);
  events_.on_end(call, error);
}

// The one way out of the tables for a call.
void RawTransport::forget(Call& call) {
  if (call.state == Call::State::kWaiting) {
    std::erase_if(waiting_, [&call](const Waiting& w) { return w.call == &call; });
  } else {
    calls_.erase(call.id);
    if (!blocked_.empty())
      std::erase_if(blocked_, [&call](const Blocked& b) { return b.call == &call; });
  }
  if (call.partial != nullptr) {
    auto* reader = static_cast<rpc::MessageReader*>(std::exchange(call.partial, nullptr));
    readers_.emplace_back(reader);
  }
  call.state = Call::State::kIdle;
}

void RawTransport::end(const Error& why) {
  fail(goaway_.empty() || why.cause == Cause::kLocal ? why : goaway_error());
}

bool RawTransport::broken(h2::Code code, std::string_view why) {
  if (state_ == State::kEnded) return false;
  h2::append_goaway(output_, code);
  fail(Error{ErrorCode::kUnavailable, fmt::format("the peer broke HTTP/2: {}", why),
             Cause::kProtocol});
  return false;
}

void RawTransport::fail(Error why) {
  if (state_ == State::kEnded) return;
  error_ = std::move(why);
  state_ = State::kEnded;
  while (auto* call = calls_.any()) finish(*call, &error_);
  while (!waiting_.empty()) finish(*waiting_.front().call, &error_);
}

Error RawTransport::goaway_error() const {
  return Error{ErrorCode::kUnavailable, fmt::format("the peer ends the connection: {}", goaway_),
               Cause::kGoAway};
}

std::unique_ptr<Transport> make_raw_transport(TransportOptions options, CallEvents& events) {
  return std::make_unique<RawTransport>(std::move(options), events);
}

}  // namespace etcdmon::bench
