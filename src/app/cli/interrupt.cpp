#include "app/cli/interrupt.hpp"

#include <csignal>
#include <unistd.h>

namespace etcdmon::app::cli {

namespace {

constexpr int kInterrupted = 130;

// A signal handler reaches only what is global, and touches only what is lock-free.
std::atomic<bool> stop_asked{false};
std::atomic<bool> hurry_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_signal(int /*signal*/) {
  if (hurry_asked.load()) ::_exit(kInterrupted);
  if (stop_asked.exchange(true)) hurry_asked.store(true);
}

void handle(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  stop_asked.store(false);
  hurry_asked.store(false);
  handle(&on_signal);
}

Interrupt::~Interrupt() {
  handle(SIG_DFL);
}

std::atomic<bool>& Interrupt::stop() {
  return stop_asked;
}

std::atomic<bool>& Interrupt::hurry() {
  return hurry_asked;
}

}  // namespace etcdmon::app::cli
