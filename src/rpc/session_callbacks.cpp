#include "rpc/detail/session_callbacks.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "rpc/detail/block_cache.hpp"

namespace etcdmon::rpc {

namespace {

// What HPACK's own accounting adds to each field.
constexpr std::size_t kFieldOverhead = 32;
constexpr std::size_t kShownDebugData = 128;
constexpr std::size_t kMostFields = 9 + 16;

Session& session_of(void* user) {
  return *static_cast<Session*>(user);
}

std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

enum class Owned : std::uint8_t { kBySession, kByCaller };

// The header block is written some time after it was submitted: only what the session owns need not
// be copied.
nghttp2_nv field(std::string_view name, std::string_view value, Owned owned = Owned::kBySession) {
  nghttp2_nv nv;
  nv.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));  // NOLINT: C interface
  nv.value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));  // NOLINT
  nv.namelen = name.size();
  nv.valuelen = value.size();
  nv.flags = owned == Owned::kBySession
                 ? NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE
                 : NGHTTP2_NV_FLAG_NONE;
  return nv;
}

struct CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
using CallbacksPtr = std::unique_ptr<nghttp2_session_callbacks, CallbacksDeleter>;

CallbacksPtr make_callbacks() {
  nghttp2_session_callbacks* raw = nullptr;
  ETCDMON_ASSERT(nghttp2_session_callbacks_new(&raw) == 0);
  CallbacksPtr callbacks(raw);
  nghttp2_session_callbacks_set_on_begin_headers_callback(raw, SessionCallbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(raw, SessionCallbacks::on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, SessionCallbacks::on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw, SessionCallbacks::on_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw, SessionCallbacks::on_frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw, SessionCallbacks::on_stream_close);
  nghttp2_session_callbacks_set_error_callback2(raw, SessionCallbacks::on_complaint);
  return callbacks;
}

}  // namespace

nghttp2_session* SessionCallbacks::make_client(Session* session) {
  static const CallbacksPtr callbacks = make_callbacks();
  nghttp2_option* option = nullptr;
  ETCDMON_ASSERT(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_session* h2 = nullptr;
  const int error =
      nghttp2_session_client_new3(&h2, callbacks.get(), session, option, thread_block_cache());
  nghttp2_option_del(option);
  ETCDMON_ASSERT(error == 0);
  return h2;
}

void SessionCallbacks::submit_settings(nghttp2_session* h2, const SessionOptions& options) {
  const std::array<nghttp2_settings_entry, 3> settings{
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(options.stream_window)},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.max_header_list}}};
  nghttp2_submit_settings(h2, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(h2, NGHTTP2_FLAG_NONE, 0, options.connection_window);
}

std::int32_t SessionCallbacks::submit_request(Session& session, Exchange& exchange) {
  std::array<nghttp2_nv, kMostFields> fields;
  std::size_t count = 0;
  const auto add = [&](const nghttp2_nv& nv) { fields[count++] = nv; };
  std::string timeout;
  add(field(":method", "POST"));
  add(field(":scheme", session.options_.tls ? "https" : "http"));
  add(field(":path", exchange.path, Owned::kByCaller));
  add(field(":authority", session.options_.authority));
  add(field("te", "trailers"));
  if (exchange.deadline != Deadline::max()) {
    // In whole milliseconds, so that calls with the same timeout share an entry of the HPACK table.
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(exchange.deadline - session.now_);
    timeout = encode_timeout(std::max(left, std::chrono::milliseconds(1)));
    add(field("grpc-timeout", timeout, Owned::kByCaller));
  }
  add(field("content-type", "application/grpc"));
  add(field("user-agent", session.options_.user_agent));
  if (exchange.metadata != nullptr) {
    for (const auto& [name, value] : *exchange.metadata) add(field(name, value, Owned::kByCaller));
  }
  nghttp2_data_provider body{};
  body.read_callback = read_request;
  return nghttp2_submit_request(session.h2_.get(), nullptr, fields.data(), count, &body, &exchange);
}

Exchange* SessionCallbacks::exchange_of(nghttp2_session* h2, std::int32_t stream_id) {
  return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(h2, stream_id));
}

ssize_t SessionCallbacks::read_request(nghttp2_session* h2, std::int32_t stream_id,
                                       std::uint8_t* into, std::size_t size, std::uint32_t* flags,
                                       nghttp2_data_source* /*source*/, void* user) {
  auto* exchange = exchange_of(h2, stream_id);
  if (exchange == nullptr) return NGHTTP2_ERR_DEFERRED;
  std::size_t written = 0;
  if (exchange->sending_) {
    auto& offset = exchange->out_offset_;
    for (; offset < kPrefixSize && written < size; ++offset) {
      into[written++] = std::to_integer<std::uint8_t>(exchange->out_prefix_[offset]);
    }
    if (offset >= kPrefixSize) {
      const auto rest = exchange->out_.substr(offset - kPrefixSize);
      const auto take = std::min(rest.size(), size - written);
      std::copy_n(rest.data(), take, into + written);
      written += take;
      offset += take;
    }
    exchange->sending_ = offset < kPrefixSize + exchange->out_.size();
    if (!exchange->sending_ && exchange->kind_ == Exchange::Kind::kStream)
      session_of(user).mark_ready(*exchange);
  }
  if (!exchange->sending_ && exchange->out_final_) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  } else if (written == 0) {
    return NGHTTP2_ERR_DEFERRED;
  }
  return static_cast<ssize_t>(written);
}

int SessionCallbacks::on_begin_headers(nghttp2_session* h2, const nghttp2_frame* frame,
                                       void* user) {
  auto& session = session_of(user);
  session.block_bytes_ = 0;
  session.block_of_ = exchange_of(h2, frame->hd.stream_id);
  if (session.block_of_ != nullptr) session.block_of_->head_.begin_block();
  return 0;
}

int SessionCallbacks::on_header(nghttp2_session* /*h2*/, const nghttp2_frame* /*frame*/,
                                const std::uint8_t* name, std::size_t name_size,
                                const std::uint8_t* value, std::size_t value_size,
                                std::uint8_t /*flags*/, void* user) {
  auto& session = session_of(user);
  auto* exchange = session.block_of_;
  if (exchange == nullptr) return 0;
  session.block_bytes_ += name_size + value_size + kFieldOverhead;
  if (session.block_bytes_ > session.options_.max_header_list) {
    session.finish(*exchange,
                   Error{ErrorCode::kResourceExhausted,
                         fmt::format("the answer's header is larger than {} bytes",
                                     session.options_.max_header_list),
                         Cause::kProtocol},
                   NGHTTP2_CANCEL);
    return 0;
  }
  exchange->head_.take(text_of(name, name_size), text_of(value, value_size));
  return 0;
}

int SessionCallbacks::on_data(nghttp2_session* h2, std::uint8_t /*flags*/, std::int32_t stream_id,
                              const std::uint8_t* data, std::size_t size, void* user) {
  auto& session = session_of(user);
  auto* exchange = exchange_of(h2, stream_id);
  // The connection's window is never what a slow reader of one stream holds back: that is the
  // stream's.
  if (exchange == nullptr || exchange->kind_ == Exchange::Kind::kUnary) {
    nghttp2_session_consume(h2, stream_id, size);
  } else {
    nghttp2_session_consume_connection(h2, size);
    exchange->owed_ += size;
  }
  if (exchange != nullptr) session.read_messages(*exchange, std::as_bytes(std::span(data, size)));
  return 0;
}

void Session::read_messages(Exchange& exchange, std::span<const std::byte> bytes) {
  for (;;) {
    const auto step = exchange.reader_.read(bytes);
    if (step == MessageReader::Step::kMore) break;
    if (step == MessageReader::Step::kBad) {
      finish(exchange, exchange.reader_.error(), NGHTTP2_CANCEL);
      return;
    }
    if (exchange.kind_ == Exchange::Kind::kStream) {
      static_cast<StreamExchange&>(exchange).inbox_.push_back(
          std::move(exchange.reader_.message()));
      mark_ready(exchange);
      continue;
    }
    auto& unary = static_cast<UnaryExchange&>(exchange);
    if (std::exchange(unary.answered_, true)) {
      finish(exchange,
             Error{ErrorCode::kInternal, "the peer sent more than one message for a unary call",
                   Cause::kProtocol},
             NGHTTP2_CANCEL);
      return;
    }
    unary.answer.swap(exchange.reader_.message());
  }
  if (exchange.kind_ == Exchange::Kind::kStream) settle(exchange);
}

// Credits what belongs to an incomplete message while nothing complete waits to be read: else a
// message larger than the window would never arrive.
void Session::settle(Exchange& exchange) {
  if (static_cast<StreamExchange&>(exchange).has_message()) return;
  nghttp2_session_consume_stream(h2_.get(), exchange.stream_id_, std::exchange(exchange.owed_, 0));
}

int SessionCallbacks::on_frame(nghttp2_session* h2, const nghttp2_frame* frame, void* user) {
  auto& session = session_of(user);
  const bool end_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      if (session.block_of_ != nullptr) end_of_block(session, *session.block_of_, end_stream);
      session.block_of_ = nullptr;
      break;
    case NGHTTP2_DATA:
      if (!end_stream) break;
      if (auto* exchange = exchange_of(h2, frame->hd.stream_id)) {
        exchange->head_.begin_block();  // a status before the messages does not count
        end_of_stream(session, *exchange);
      }
      break;
    case NGHTTP2_SETTINGS:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 || session.state_ != Session::State::kHandshake)
        break;
      session.state_ = Session::State::kUp;
      session.settings_by_ = SteadyTime::max();
      break;
    case NGHTTP2_GOAWAY:
      on_goaway(session, frame->goaway);
      break;
    case NGHTTP2_RST_STREAM:
      if (auto* exchange = exchange_of(h2, frame->hd.stream_id))
        report_close(session, *exchange, frame->rst_stream.error_code);
      break;
    default:
      break;
  }
  return 0;
}

void SessionCallbacks::end_of_block(Session& session, Exchange& exchange, bool end_of_stream_too) {
  if (end_of_stream_too) {
    end_of_stream(session, exchange);
  } else if (auto refusal = refusal_in(exchange.head_)) {
    session.finish(exchange, std::move(refusal), NGHTTP2_CANCEL);
  }
}

void SessionCallbacks::end_of_stream(Session& session, Exchange& exchange) {
  auto error = outcome_of(exchange.head_);
  if (!error && !exchange.reader_.between_messages()) {
    error =
        Error{ErrorCode::kInternal, "the peer ended the call inside a message", Cause::kProtocol};
  } else if (!error && exchange.kind_ == Exchange::Kind::kUnary &&
             !static_cast<UnaryExchange&>(exchange).answered_) {
    error = Error{ErrorCode::kInternal, "the peer ended the call with OK and without an answer",
                  Cause::kProtocol};
  }
  const bool we_ended =
      nghttp2_session_get_stream_local_close(session.h2_.get(), exchange.stream_id_) == 1;
  session.finish(exchange, std::move(error),
                 we_ended ? std::nullopt : std::optional<std::uint32_t>(NGHTTP2_NO_ERROR));
}

void SessionCallbacks::on_goaway(Session& session, const nghttp2_goaway& frame) {
  const auto debug = decode_grpc_message(
      text_of(frame.opaque_data, std::min(frame.opaque_data_len, kShownDebugData)));
  session.goaway_ = fmt::format("GOAWAY {}{}{}", name_of_http2_error(frame.error_code),
                                debug.empty() ? "" : ", ", debug);
  session.error_ = session.goaway_error();
  session.state_ = Session::State::kDraining;
  while (!session.pending_.empty()) session.finish(session.pending_.front(), session.error_);
  // nghttp2 closes the streams above last_stream_id next, with REFUSED_STREAM.
}

void SessionCallbacks::report_close(Session& session, Exchange& exchange,
                                    std::uint32_t error_code) {
  const auto name = name_of_http2_error(error_code);
  Error error{code_of_http2_error(error_code), fmt::format("the peer reset the call: {}", name),
              Cause::kReset};
  if (error_code == NGHTTP2_CANCEL && exchange.deadline <= session.now_) {
    error = session.deadline_error(exchange);
  }
  session.finish(exchange, std::move(error));
}

int SessionCallbacks::on_stream_close(nghttp2_session* h2, std::int32_t stream_id,
                                      std::uint32_t error_code, void* user) {
  auto& session = session_of(user);
  if (session.open_streams_ > 0) --session.open_streams_;
  auto* exchange = exchange_of(h2, stream_id);
  if (exchange == nullptr) return 0;
  // Neither the peer's end, nor its reset, nor our own decision: GOAWAY, or an answer that nghttp2
  // refused.
  Error error = session.goaway_error();
  if (session.goaway_.empty() || error_code != NGHTTP2_REFUSED_STREAM) {
    error = Error{ErrorCode::kInternal,
                  fmt::format("the answer broke HTTP/2: {}", session.complaint_.empty()
                                                                 ? name_of_http2_error(error_code)
                                                                 : session.complaint_),
                  Cause::kProtocol};
  }
  exchange->stream_id_ = 0;  // nothing left to reset
  session.finish(*exchange, std::move(error));
  return 0;
}

int SessionCallbacks::on_frame_sent(nghttp2_session* /*h2*/, const nghttp2_frame* frame,
                                    void* user) {
  // We never say GOAWAY by ourselves: this is nghttp2 giving up on the peer.
  if (frame->hd.type != NGHTTP2_GOAWAY) return 0;
  auto& session = session_of(user);
  const auto reason = session.complaint_.empty() ? name_of_http2_error(frame->goaway.error_code)
                                                 : session.complaint_;
  session.fail(Error{ErrorCode::kUnavailable, fmt::format("the peer broke HTTP/2: {}", reason),
                     Cause::kProtocol});
  return 0;
}

int SessionCallbacks::on_complaint(nghttp2_session* /*h2*/, int /*code*/, const char* message,
                                   std::size_t size, void* user) {
  session_of(user).complaint_ = decode_grpc_message({message, std::min(size, kShownDebugData)});
  return 0;
}

}  // namespace etcdmon::rpc
