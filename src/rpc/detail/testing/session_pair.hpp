// rpc/detail/testing/session_pair.hpp: a Session and the server it talks to, joined by strings,
// under a manual clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "rpc/detail/testing/h2_server.hpp"
#include "rpc/session.hpp"

namespace etcdmon::rpc::testing {

/// An exchange that leaves its session when it goes out of scope, and counts how often it was told.
template <class Base>
struct Counting final : Base {
  ~Counting() override {
    if (session != nullptr) session->cancel(*this);
  }
  void ready() override { ++wakes; }

  int wakes = 0;
  Session* session = nullptr;
};
using TestUnary = Counting<UnaryExchange>;
using TestStream = Counting<StreamExchange>;

inline SessionOptions test_options() {
  SessionOptions options;
  options.authority = "etcd-1:2379";
  options.user_agent = "test";
  return options;
}

class SessionPair {
 public:
  explicit SessionPair(SessionOptions options = test_options(), H2ServerOptions server_options = {})
      : session(std::move(options)), server(server_options) {}
  ~SessionPair() {
    session.end(Error{ErrorCode::kCancelled, "test is over", Cause::kLocal});
    wake();
  }

  /// Opens the session and brings it up.
  void connect() {
    session.open(now, now + std::chrono::seconds(5));
    run();
  }
  void to_server() {
    std::string bytes;
    session.produce(bytes, 1U << 20U, now);
    server.receive(bytes);
  }
  void to_client(std::string_view bytes) {
    session.receive(std::as_bytes(std::span(bytes)), now);
    wake();
  }
  /// Until neither side has anything to say.
  void run() {
    for (;;) {
      std::string bytes;
      session.produce(bytes, 1U << 20U, now);
      server.receive(bytes);
      const auto answer = server.output();
      if (!answer.empty()) session.receive(std::as_bytes(std::span(answer)), now);
      wake();
      if (bytes.empty() && answer.empty()) return;
    }
  }
  void wake() {
    while (auto* exchange = session.next_ready()) exchange->ready();
  }
  void advance(std::chrono::nanoseconds time) {
    now += time;
    if (session.next_deadline() <= now) session.expire(now);
    wake();
  }

  void submit(TestUnary& call, std::string_view path = "/test.Service/Method",
              std::string_view request = "ask") {
    call.path = path;
    call.request = request;
    call.session = &session;
    session.submit(call, now);
  }
  void submit(TestStream& stream, std::optional<std::string> first = std::nullopt,
              Session::HalfClose half_close = Session::HalfClose::kNo) {
    stream.path = "/test.Service/Stream";
    stream.session = &session;
    session.submit(stream, std::move(first), half_close, now);
  }

  SteadyTime now{std::chrono::seconds(1'000)};
  Session session;
  H2Server server;
};

}  // namespace etcdmon::rpc::testing
