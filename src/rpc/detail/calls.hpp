// rpc/detail/calls.hpp: a session's exchanges as coroutines await them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "async/one_shot.hpp"
#include "rpc/connection.hpp"
#include "rpc/detail/link.hpp"

namespace etcdmon::rpc {

/// Lives in the frame of the coroutine that asks. Going away before the answer cancels the call.
class UnaryCall final : public UnaryExchange {
 public:
  /// `call` must outlive it.
  UnaryCall(std::shared_ptr<Link> link, const Call& call);
  ~UnaryCall() override;

  auto wait() { return answered_shot_.wait(); }
  /// After wait().
  Result<std::string> take();
  void ready() override { answered_shot_.set({}); }

 private:
  std::shared_ptr<Link> link_;
  async::OneShot<std::monostate> answered_shot_;
};

class StreamCall final : public MessageStream, public StreamExchange {
 public:
  StreamCall(std::shared_ptr<Link> link, Call call, Connection::HalfClose half_close);
  ~StreamCall() override;

  /// Ends when the request has left, or will not.
  Task<Result<void>> opened();

  Task<Result<std::optional<std::string>>> next() override;
  Task<Result<void>> send(std::string message) override;
  void finish_sending() override;
  void ready() override;

 private:
  using Shot = async::OneShot<std::monostate>;
  class Wait;

  std::shared_ptr<Link> link_;
  Shot* reader_ = nullptr;
  Shot* writer_ = nullptr;
};

}  // namespace etcdmon::rpc
