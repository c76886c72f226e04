// app/cli/interrupt.hpp: Ctrl-C for a command that must put away what it took out.
#pragma once

#include <atomic>

namespace etcdmon::app::cli {

/// While it lives, the first SIGINT or SIGTERM sets stop(), the second hurry(), and the third ends
/// the process. One at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  std::atomic<bool>& stop();
  std::atomic<bool>& hurry();
};

}  // namespace etcdmon::app::cli
