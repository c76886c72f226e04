#include "bench/load/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <unistd.h>

#include "base/assert.hpp"

namespace etcdmon::bench {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  ETCDMON_ASSERT(epoll_ >= 0);
}

Poller::~Poller() {
  ::close(epoll_);
}

bool Poller::watch(int descriptor, std::uint32_t tag) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = tag;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

std::span<const epoll_event> Poller::wait(Duration timeout) {
  timeout = std::max(timeout, Duration(0));
  int count = -1;
  if (precise_) {
    timespec time{};
    time.tv_sec = static_cast<time_t>(timeout.count() / 1'000'000'000);
    time.tv_nsec = static_cast<long>(timeout.count() % 1'000'000'000);
    count =
        ::epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &time, nullptr);
    precise_ = count >= 0 || errno != ENOSYS;  // kernels before 5.11
  }
  if (!precise_) {
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
    count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                         static_cast<int>(whole.count()));
  }
  return std::span(events_).first(static_cast<std::size_t>(std::max(count, 0)));
}

}  // namespace etcdmon::bench
