#include <deque>
#include <unordered_map>
#include <utility>

#include "base/assert.hpp"
#include "bench/http2/transport.hpp"
#include "rpc/session.hpp"

namespace etcdmon::bench {

namespace {

struct Unary final : rpc::UnaryExchange {
  void ready() override {}
  Call* call = nullptr;
  std::string question;
};
struct Stream final : rpc::StreamExchange {
  void ready() override {}
  Call* call = nullptr;
  std::deque<std::string> outgoing;
};

rpc::SessionOptions session_options(const TransportOptions& options) {
  rpc::SessionOptions made;
  made.authority = options.authority;
  made.tls = options.tls;
  made.user_agent = options.user_agent;
  made.max_message = options.max_message;
  made.keepalive = std::chrono::milliseconds(0);
  return made;
}

/// rpc::Session behind the Transport's interface. Allocates for every call: it is there to compare
/// with, not to measure with.
class ReferenceTransport final : public Transport {
 public:
  ReferenceTransport(TransportOptions options, CallEvents& events)
      : events_(events), session_(session_options(options)) {
    if (!options.token.empty()) metadata_.emplace_back("token", std::move(options.token));
    session_.open(now_, SteadyTime::max());
  }
  ~ReferenceTransport() override {
    for (auto& [call, exchange] : exchanges_) {
      session_.cancel(*exchange);
      call->state = Call::State::kIdle;
    }
  }

  void receive(std::span<const std::byte> bytes, SteadyTime now) override {
    now_ = now;
    session_.receive(bytes, now);
    tell();
  }

  void start(Call& call, std::string_view path, std::span<const std::byte> message,
             HalfClose half_close) override {
    const std::string text(reinterpret_cast<const char*>(message.data()), message.size());
    call.state = Call::State::kHead;
    if (call.kind == Call::Kind::kUnary) {
      auto unary = std::make_unique<Unary>();
      unary->call = &call;
      unary->question = text;
      unary->request = unary->question;
      auto& exchange = add(call, path, std::move(unary));
      session_.submit(static_cast<Unary&>(exchange), now_);
    } else {
      auto stream = std::make_unique<Stream>();
      stream->call = &call;
      auto& exchange = add(call, path, std::move(stream));
      session_.submit(static_cast<Stream&>(exchange), text,
                      half_close == HalfClose::kYes ? rpc::Session::HalfClose::kYes
                                                    : rpc::Session::HalfClose::kNo,
                      now_);
    }
    tell();
  }

  void send(Call& call, std::span<const std::byte> message) override {
    const auto found = exchanges_.find(&call);
    if (found == exchanges_.end()) return;
    auto& stream = static_cast<Stream&>(*found->second);
    stream.outgoing.emplace_back(reinterpret_cast<const char*>(message.data()), message.size());
    send_next(stream);
  }

  void cancel(Call& call) override {
    const auto found = exchanges_.find(&call);
    if (found == exchanges_.end()) return;
    session_.cancel(*found->second);
    remove(call);
  }

  void end(const Error& why) override {
    session_.end(why);
    tell();
  }

  ByteQueue& output() override {
    constexpr std::size_t kAll = 1U << 30U;
    std::string bytes;
    session_.produce(bytes, kAll, now_);
    output_.append(std::as_bytes(std::span(bytes)));
    tell();
    return output_;
  }

  State state() const override {
    switch (session_.state()) {
      case rpc::Session::State::kNew:
      case rpc::Session::State::kHandshake:
        return State::kHandshake;
      case rpc::Session::State::kUp:
        return State::kUp;
      case rpc::Session::State::kDraining:
        return State::kDraining;
      case rpc::Session::State::kEnded:
        return State::kEnded;
    }
    return State::kEnded;
  }
  const Error& error() const override { return session_.error(); }
  std::size_t live() const override { return exchanges_.size(); }
  const TransportCounts& counts() const override { return counts_; }

 private:
  rpc::Exchange& add(Call& call, std::string_view path, std::unique_ptr<rpc::Exchange> exchange) {
    exchange->path = path;
    if (!metadata_.empty()) exchange->metadata = &metadata_;
    auto& place = exchanges_[&call];
    ETCDMON_ASSERT(!place);
    place = std::move(exchange);
    return *place;
  }
  void remove(Call& call) {
    call.state = Call::State::kIdle;
    exchanges_.erase(&call);
  }

  void send_next(Stream& stream) {
    if (stream.outgoing.empty() || stream.sending() || stream.done()) return;
    session_.send(stream, std::move(stream.outgoing.front()));
    stream.outgoing.pop_front();
  }

  // Whoever is told may begin calls; what comes of that is told by the loop that runs already.
  void tell() {
    if (std::exchange(telling_, true)) return;
    while (auto* exchange = session_.next_ready()) {
      if (auto* unary = dynamic_cast<Unary*>(exchange)) {
        tell_unary(*unary);
      } else {
        tell_stream(static_cast<Stream&>(*exchange));
      }
    }
    telling_ = false;
  }

  void tell_unary(Unary& unary) {
    auto& call = *unary.call;
    const auto error = unary.error();
    const auto answer = std::move(unary.answer);
    remove(call);
    if (!error) {
      call.state = Call::State::kBody;
      events_.on_message(call, std::as_bytes(std::span(answer)));
      call.state = Call::State::kIdle;
    }
    events_.on_end(call, error ? &*error : nullptr);
  }

  void tell_stream(Stream& stream) {
    auto& call = *stream.call;
    while (auto message = session_.take_message(stream)) {
      events_.on_message(call, std::as_bytes(std::span(*message)));
      const auto found = exchanges_.find(&call);
      if (found == exchanges_.end() || found->second.get() != &stream) return;  // cancelled
    }
    if (!stream.done()) {
      send_next(stream);
      return;
    }
    const auto error = stream.error();
    remove(call);
    events_.on_end(call, error ? &*error : nullptr);
  }

  CallEvents& events_;
  SteadyTime now_;
  rpc::Session session_;
  rpc::Metadata metadata_;
  std::unordered_map<Call*, std::unique_ptr<rpc::Exchange>> exchanges_;
  ByteQueue output_;
  TransportCounts counts_;
  bool telling_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_reference_transport(TransportOptions options, CallEvents& events) {
  return std::make_unique<ReferenceTransport>(std::move(options), events);
}

}  // namespace etcdmon::bench
