#include "async/event.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace etcdmon::async {

namespace {

// Keeps a waiting timer on the list for exactly as long as its frame lives.
class Registration {
 public:
  Registration(std::vector<Timer*>& list, Timer& timer) : list_(list), timer_(&timer) {
    list_.push_back(timer_);
  }
  ~Registration() { std::erase(list_, timer_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  std::vector<Timer*>& list_;
  Timer* timer_;
};

}  // namespace

void Event::set() {
  set_ = true;
  for (auto* timer : waiters_) timer->cancel();
}

Task<> Event::wait() {
  co_await wait_until(std::chrono::steady_clock::time_point::max());
}

Task<bool> Event::wait_until(std::chrono::steady_clock::time_point when) {
  if (set_) co_return true;
  Timer timer(co_await asio::this_coro::executor, when);
  const Registration registration(waiters_, timer);
  co_await timer.async_wait(as_result);
  // set() ends the wait by cancelling the timer; only the coroutine's own state tells that from
  // being cancelled.
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  // What set us may have been reset since: waking is what counts.
  co_return set_ || std::chrono::steady_clock::now() < when;
}

}  // namespace etcdmon::async
