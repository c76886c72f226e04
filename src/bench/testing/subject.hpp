// bench/testing/subject.hpp: a transport with some calls under way, and what became of them.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/http2/transport.hpp"

namespace etcdmon::bench::testing {

enum class Which : std::uint8_t { kRaw, kReference };

/// Calls have the streams 1, 3, 5, …: the last two are streams, the others unary.
class Subject final : public CallEvents {
 public:
  static constexpr std::size_t kCalls = 6;

  struct Seen {
    bool ended = false;
    Error error;  ///< kOk: it succeeded
    std::vector<std::string> messages;
  };

  explicit Subject(Which which, std::size_t max_message = 1U << 20U) {
    TransportOptions options;
    options.authority = "etcd-1:2379";
    options.user_agent = "test";
    options.max_message = max_message;
    transport = which == Which::kRaw ? make_raw_transport(options, *this)
                                     : make_reference_transport(options, *this);
    for (std::size_t i = 0; i < kCalls; ++i) {
      calls[i].tag = static_cast<std::uint32_t>(i);
      if (i + 2 >= kCalls) calls[i].kind = Call::Kind::kStream;
    }
  }
  ~Subject() override {
    for (auto& call : calls) transport->cancel(call);
  }

  void start_all(std::string_view message = "ask") {
    for (auto& call : calls) start(call, message);
  }
  void start(Call& call, std::string_view message) {
    transport->start(
        call, call.kind == Call::Kind::kUnary ? "/test.Service/Method" : "/test.Service/Stream",
        std::as_bytes(std::span(message)),
        call.kind == Call::Kind::kUnary ? Transport::HalfClose::kYes : Transport::HalfClose::kNo);
  }
  /// What it wants to send.
  std::string output() {
    auto& queue = transport->output();
    const auto view = queue.view();
    std::string bytes(reinterpret_cast<const char*>(view.data()), view.size());
    queue.consume(view.size());
    return bytes;
  }
  void receive(std::string_view bytes) {
    transport->receive(std::as_bytes(std::span(bytes)), SteadyTime{});
    output();
  }
  void end() { transport->end(Error{ErrorCode::kUnavailable, "connection ended", Cause::kReset}); }

  void on_message(Call& call, std::span<const std::byte> message) override {
    seen[call.tag].messages.emplace_back(reinterpret_cast<const char*>(message.data()),
                                         message.size());
  }
  void on_end(Call& call, const Error* error) override {
    auto& one = seen[call.tag];
    one.ended = true;
    one.error = error != nullptr ? *error : Error{ErrorCode::kOk, "", Cause::kNone};
  }

  std::array<Call, kCalls> calls;
  std::array<Seen, kCalls> seen;
  std::unique_ptr<Transport> transport;
};

}  // namespace etcdmon::bench::testing
