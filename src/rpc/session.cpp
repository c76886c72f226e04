#include "rpc/session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include "base/assert.hpp"
#include "rpc/detail/session_callbacks.hpp"

namespace etcdmon::rpc {

namespace {

// etcd answers PINGs that come more often with GOAWAY "too_many_pings".
constexpr std::chrono::milliseconds kShortestKeepalive{10'000};
constexpr std::size_t kFrameHeader = 9;
constexpr std::size_t kMostMetadata = 16;

bool valid_field(const Metadata::value_type& field) {
  const auto* name = reinterpret_cast<const std::uint8_t*>(field.first.data());
  const auto* value = reinterpret_cast<const std::uint8_t*>(field.second.data());
  return !field.first.starts_with(':') &&
         nghttp2_check_header_name(name, field.first.size()) != 0 &&
         nghttp2_check_header_value(value, field.second.size()) != 0;
}

bool valid_metadata(const Metadata* metadata) {
  if (metadata == nullptr) return true;
  return metadata->size() <= kMostMetadata && std::ranges::all_of(*metadata, valid_field);
}

}  // namespace

void Exchange::begin(std::size_t max_message) {
  done_ = false;
  stream_id_ = 0;
  owed_ = 0;
  out_final_ = false;
  head_.reset();
  reader_.reset(max_message);
  error_.reset();
}

Session::Session(SessionOptions options) : options_(std::move(options)) {
  h2_.reset(SessionCallbacks::make_client(this));
  if (options_.keepalive.count() > 0)
    options_.keepalive = std::max(options_.keepalive, kShortestKeepalive);
}

Session::~Session() {
  ETCDMON_ASSERT(live_ == 0);
}

void Session::Deleter::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

void Session::open(SteadyTime now, SteadyTime settings_by) {
  if (state_ != State::kNew) return;
  state_ = State::kHandshake;
  now_ = last_received_ = now;
  settings_by_ = settings_by;
  SessionCallbacks::submit_settings(h2_.get(), options_);
}

void Session::receive(std::span<const std::byte> bytes, SteadyTime now) {
  if (state_ == State::kEnded || state_ == State::kNew) return;
  now_ = last_received_ = now;
  ping_outstanding_ = false;
  if (!preface_passed_ && !passes_preface(bytes)) return;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto taken = nghttp2_session_mem_recv(h2_.get(), data, bytes.size());
  if (taken < 0) {
    const auto* reason =
        complaint_.empty() ? nghttp2_strerror(static_cast<int>(taken)) : complaint_.c_str();
    fail(Error{ErrorCode::kUnavailable, fmt::format("the peer broke HTTP/2: {}", reason),
               Cause::kProtocol});
  }
}

// Holds back the first frame's header until it is known to be one of SETTINGS, for a clearer error
// than nghttp2's.
bool Session::passes_preface(std::span<const std::byte>& bytes) {
  const auto take = std::min(bytes.size(), kFrameHeader - first_bytes_.size());
  first_bytes_.append(reinterpret_cast<const char*>(bytes.data()), take);
  bytes = bytes.subspan(take);
  const bool other = first_bytes_.starts_with("HTTP") || first_bytes_.starts_with("\x15\x03");
  if (other || (first_bytes_.size() >= 4 && first_bytes_[3] != NGHTTP2_SETTINGS)) {
    fail(not_http2("sent no HTTP/2 SETTINGS"));
    return false;
  }
  if (first_bytes_.size() < kFrameHeader) return false;
  preface_passed_ = true;
  const auto* data = reinterpret_cast<const std::uint8_t*>(first_bytes_.data());
  if (nghttp2_session_mem_recv(h2_.get(), data, first_bytes_.size()) < 0) {
    fail(not_http2("sent a broken HTTP/2 SETTINGS"));
    return false;
  }
  return true;
}

Error Session::not_http2(std::string_view happening) const {
  Error error{ErrorCode::kUnavailable, fmt::format("the peer {}", happening), Cause::kProtocol};
  if (first_bytes_.starts_with("HTTP")) {
    error.message = "the peer speaks HTTP/1, not HTTP/2: is it another server's port?";
  } else if (first_bytes_.starts_with("\x15\x03")) {
    error.message = "the peer answered with a TLS alert: it is a TLS port, use https://";
  } else if (first_bytes_.empty() && !options_.tls) {
    error.message += ": is it a TLS port?";
  }
  return error;
}

void Session::produce(std::string& out, std::size_t limit, SteadyTime now) {
  if (state_ == State::kEnded || state_ == State::kNew) return;
  now_ = now;
  admit();
  while (out.size() < limit && state_ != State::kEnded) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(h2_.get(), &data);
    if (size < 0) {
      fail(Error{ErrorCode::kInternal,
                 fmt::format("HTTP/2: {}", nghttp2_strerror(static_cast<int>(size))),
                 Cause::kLocal});
      return;
    }
    if (size == 0) {
      if (pending_.empty() || !has_slot()) return;
      admit();  // streams that were reset just now made room
      continue;
    }
    out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
}

bool Session::has_slot() const {
  if (state_ != State::kUp) return false;
  return open_streams_ <
         nghttp2_session_get_remote_settings(h2_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void Session::admit() {
  while (!pending_.empty() && has_slot()) submit_request(pending_.front());
}

void Session::submit_request(Exchange& exchange) {
  Exchanges::remove(exchange);
  if (active_.empty()) busy_since_ = now_;
  const auto id = SessionCallbacks::submit_request(*this, exchange);
  if (id < 0) {
    finish(exchange, Error{ErrorCode::kInternal, fmt::format("HTTP/2: {}", nghttp2_strerror(id)),
                           Cause::kLocal});
    return;
  }
  exchange.stream_id_ = id;
  active_.push_back(exchange);
  ++open_streams_;
  if (exchange.kind_ == Exchange::Kind::kStream) mark_ready(exchange);
}

void Session::enqueue(Exchange& exchange, SteadyTime now) {
  now_ = now;
  ++live_;
  if (state_ == State::kEnded || state_ == State::kDraining) {
    finish(exchange, error_);
  } else if (!valid_metadata(exchange.metadata)) {
    finish(exchange, Error{ErrorCode::kInvalidArgument,
                           "metadata is no valid header field, or too much of it", Cause::kLocal});
  } else if (exchange.deadline <= now) {
    finish(exchange, Error{ErrorCode::kDeadlineExceeded,
                           "the deadline had passed before the call began", Cause::kTimeout});
  } else {
    deadlines_.add(exchange, now);
    pending_.push_back(exchange);
  }
}

void Session::submit(UnaryExchange& exchange, SteadyTime now) {
  exchange.begin(options_.max_message);
  exchange.answer.clear();
  exchange.answered_ = false;
  exchange.out_final_ = true;
  start_message(exchange, exchange.request);
  enqueue(exchange, now);
}

void Session::submit(StreamExchange& exchange, std::optional<std::string> first,
                     HalfClose half_close, SteadyTime now) {
  exchange.begin(options_.max_message);
  exchange.inbox_.clear();
  exchange.sending_ = false;
  if (first) {
    exchange.outgoing_ = *std::move(first);
    start_message(exchange, exchange.outgoing_);
  }
  exchange.out_final_ = half_close == HalfClose::kYes;
  enqueue(exchange, now);
}

void Session::start_message(Exchange& exchange, std::string_view message) {
  exchange.out_ = message;
  exchange.out_prefix_ = prefix_of(message.size());
  exchange.out_offset_ = 0;
  exchange.sending_ = true;
}

void Session::send(StreamExchange& exchange, std::string message) {
  ETCDMON_ASSERT(!exchange.sending_ && !exchange.out_final_);
  if (exchange.done_) return;
  exchange.outgoing_ = std::move(message);
  start_message(exchange, exchange.outgoing_);
  if (exchange.stream_id_ > 0) nghttp2_session_resume_data(h2_.get(), exchange.stream_id_);
}

void Session::finish_sending(StreamExchange& exchange) {
  if (exchange.done_ || std::exchange(exchange.out_final_, true)) return;
  if (exchange.stream_id_ > 0) nghttp2_session_resume_data(h2_.get(), exchange.stream_id_);
}

std::optional<std::string> Session::take_message(StreamExchange& exchange) {
  if (exchange.inbox_.empty()) return std::nullopt;
  auto message = std::move(exchange.inbox_.front());
  exchange.inbox_.pop_front();
  if (exchange.done_) return message;
  // What belongs to a message that is not complete is credited only when nothing else waits: so at
  // most one window and one message are held for a reader who does not come.
  const auto credit = exchange.inbox_.empty()
                          ? exchange.owed_
                          : std::min(exchange.owed_, message.size() + kPrefixSize);
  exchange.owed_ -= credit;
  nghttp2_session_consume_stream(h2_.get(), exchange.stream_id_, credit);
  return message;
}

void Session::cancel(Exchange& exchange) {
  HookList<Exchange, ReadyTag>::remove(exchange);
  if (exchange.done_ || !Exchanges::contains(exchange)) return;
  finish(exchange, Error{ErrorCode::kCancelled, "cancelled", Cause::kLocal}, NGHTTP2_CANCEL);
  HookList<Exchange, ReadyTag>::remove(exchange);
}

// The one way out of the session for an exchange. `reset` goes to the peer, where the stream is
// still open.
void Session::finish(Exchange& exchange, std::optional<Error> error,
                     std::optional<std::uint32_t> reset) {
  exchange.done_ = true;
  exchange.sending_ = false;
  exchange.error_ = std::move(error);
  Exchanges::remove(exchange);
  deadlines_.remove(exchange);
  --live_;
  if (block_of_ == &exchange) block_of_ = nullptr;
  if (exchange.stream_id_ > 0) {
    nghttp2_session_set_stream_user_data(h2_.get(), exchange.stream_id_, nullptr);
    if (reset) nghttp2_submit_rst_stream(h2_.get(), NGHTTP2_FLAG_NONE, exchange.stream_id_, *reset);
  }
  mark_ready(exchange);
}

void Session::mark_ready(Exchange& exchange) {
  if (!HookList<Exchange, ReadyTag>::contains(exchange)) ready_.push_back(exchange);
}

Exchange* Session::next_ready() {
  return ready_.empty() ? nullptr : &ready_.pop_front();
}

void Session::fail(Error why) {
  if (state_ == State::kEnded) return;
  error_ = std::move(why);
  state_ = State::kEnded;
  while (!active_.empty()) finish(active_.front(), error_);
  while (!pending_.empty()) finish(pending_.front(), error_);
}

void Session::end(Error why) {
  if (!goaway_.empty() && why.cause != Cause::kLocal) {
    why = goaway_error();
  } else if (state_ == State::kHandshake && !preface_passed_ && why.cause == Cause::kReset) {
    why = not_http2("closed without an HTTP/2 preface");
    // Only bytes prove another protocol: a server that dies in this moment is silent too.
    if (first_bytes_.empty()) why.cause = Cause::kReset;
  }
  fail(std::move(why));
}

Error Session::goaway_error() const {
  return Error{ErrorCode::kUnavailable, fmt::format("the peer ends the connection: {}", goaway_),
               Cause::kGoAway};
}

SteadyTime Session::next_deadline() const {
  return std::min({deadlines_.next(), settings_by_, ping_at()});
}

SteadyTime Session::ping_at() const {
  if (options_.keepalive.count() == 0 || active_.empty()) return SteadyTime::max();
  if (ping_outstanding_) return last_ping_ + options_.keepalive_timeout;
  return std::max({last_received_, last_ping_, busy_since_}) + options_.keepalive;
}

void Session::expire(SteadyTime now) {
  if (state_ == State::kEnded) return;
  now_ = now;
  if (settings_by_ <= now) {
    settings_by_ = SteadyTime::max();
    auto error = not_http2("sent no HTTP/2 SETTINGS in time");
    if (first_bytes_.empty()) {
      error.code = ErrorCode::kDeadlineExceeded;
      error.cause = Cause::kTimeout;
    }
    fail(std::move(error));
    return;
  }
  while (auto* exchange = deadlines_.pop_expired(now)) {
    auto error = deadline_error(*exchange);
    finish(*exchange, std::move(error), NGHTTP2_CANCEL);
  }
  if (ping_at() <= now) check_keepalive(now);
}

void Session::check_keepalive(SteadyTime now) {
  if (ping_outstanding_) {
    fail(Error{ErrorCode::kUnavailable, "the peer does not answer PING", Cause::kTimeout});
    return;
  }
  ping_outstanding_ = true;
  last_ping_ = now;
  nghttp2_submit_ping(h2_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

Error Session::deadline_error(const Exchange& exchange) const {
  const char* message = "no answer in time";
  if (state_ == State::kNew) {
    message = "not connected in time";
  } else if (state_ == State::kHandshake) {
    message = "connected, but the peer sent no HTTP/2 SETTINGS in time";
  } else if (exchange.stream_id_ == 0) {
    message = "no free stream in time: the peer limits how many calls run at once";
  }
  return Error{ErrorCode::kDeadlineExceeded, message, Cause::kTimeout};
}

}  // namespace etcdmon::rpc
