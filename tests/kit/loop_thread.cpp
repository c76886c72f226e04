#include "kit/loop_thread.hpp"

#include <csignal>

#include <pthread.h>

namespace etcdmon::kit {

LoopThread::LoopThread() : work_(loop_.get_executor()) {
  // Signals are for the test's thread.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { loop_.run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LoopThread::~LoopThread() {
  stop();
}

void LoopThread::stop() {
  work_.reset();
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace etcdmon::kit
