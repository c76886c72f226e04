#include "net/detail/handshake_gate.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace etcdmon::net::detail {

struct HandshakeGate::Waiter {
  Waiter(HandshakeGate& owner, Executor executor, Deadline deadline)
      : gate(owner), timer(executor, deadline) {
    gate.waiters_.push_back(this);
  }
  ~Waiter() { gate.waiters_.remove(this); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  HandshakeGate& gate;
  Timer timer;
  Permit permit;  // from the moment it is granted, so that it cannot be lost by cancellation
};

HandshakeGate& HandshakeGate::of_this_loop() {
  thread_local HandshakeGate gate;
  return gate;
}

Task<HandshakeGate::Permit> HandshakeGate::enter(Deadline deadline) {
  if (free_ > 0) {
    --free_;
    co_return Permit(this);
  }
  Waiter waiter(*this, co_await asio::this_coro::executor, deadline);
  co_await waiter.timer.async_wait(as_result);
  // A grant ends the wait by cancelling the timer; our own state tells that from being cancelled.
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return std::move(waiter.permit);
}

void HandshakeGate::give_back() {
  if (waiters_.empty()) {
    ++free_;
    return;
  }
  Waiter* next = waiters_.front();
  waiters_.pop_front();
  next->permit = Permit(this);
  next->timer.cancel();
}

}  // namespace etcdmon::net::detail
