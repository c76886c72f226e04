#include "net/detail/watchdog.hpp"

#include <utility>

namespace etcdmon::net::detail {

Watchdog::Watchdog(Executor executor, std::function<void()> action)
    : timer_(executor), state_(std::make_shared<State>()) {
  state_->action = std::move(action);
}

Watchdog::~Watchdog() {
  disarm();
}

void Watchdog::arm(SteadyTime when) {
  disarm();
  state_->fired = false;
  if (when == SteadyTime::max()) return;
  timer_.expires_at(when);
  timer_.async_wait(
      [state = state_, generation = state_->generation](boost::system::error_code error) {
        if (error || state->generation != generation) return;
        state->fired = true;
        state->action();
      });
}

void Watchdog::disarm() {
  ++state_->generation;
  timer_.cancel();
}

}  // namespace etcdmon::net::detail
