// rpc/deadlines.hpp: the deadlines of a session's calls, so that one timer is enough for all.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "rpc/exchange.hpp"

namespace etcdmon::rpc {

/// Calls with the same time to go stand in one FIFO, where adding and removing is O(1): a program
/// uses few distinct timeouts. What fits none of them goes to a heap. Nothing is allocated per
/// call.
class Deadlines {
 public:
  /// `exchange.deadline` must be in the future; max() is not kept.
  void add(Exchange& exchange, SteadyTime now);
  /// No effect on one that is not kept.
  void remove(Exchange& exchange);
  /// The earliest; max() when empty.
  SteadyTime next() const;
  /// One whose deadline is `now` or earlier, taken out; nullptr when there is none.
  Exchange* pop_expired(SteadyTime now);

 private:
  struct Fifo {
    std::chrono::milliseconds timeout{0};
    HookList<Exchange, DeadlineTag> waiting;
  };

  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void place(std::size_t index, Exchange* exchange);

  std::array<Fifo, 4> fifos_;
  std::vector<Exchange*> heap_;
};

}  // namespace etcdmon::rpc
