// bench/load/poller.hpp: epoll, for the one loop that has nothing else to wait for.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

#include "base/clock.hpp"

namespace etcdmon::bench {

/// Edges only: whoever is told reads and writes until nothing more goes.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// A closed descriptor leaves by itself. False: the system allows no more.
  bool watch(int descriptor, std::uint32_t tag);
  /// Waits until something happens, at most for `timeout`, to the microsecond.
  std::span<const epoll_event> wait(Duration timeout);

 private:
  int epoll_;
  bool precise_ = true;
  std::array<epoll_event, 256> events_{};
};

}  // namespace etcdmon::bench
