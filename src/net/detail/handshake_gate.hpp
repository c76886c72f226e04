// net/detail/handshake_gate.hpp: how many TLS handshakes may be under way at once.
#pragma once

#include <cstddef>
#include <list>
#include <utility>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace etcdmon::net::detail {

/// A handshake costs milliseconds of CPU on both sides: a thousand at once, after a network came
/// back, would stop the loop and every etcd with it. First come, first served.
///
/// Threads:  one gate per thread, that is per loop.
/// Cancel:   a cancelled wait gives its place to the next.
class HandshakeGate {
 public:
  static constexpr std::size_t kPlaces = 8;

  /// A place; given back by release() or when destroyed.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(HandshakeGate* gate) : gate_(gate) {}
    ~Permit() { release(); }
    Permit(Permit&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      release();
      gate_ = std::exchange(other.gate_, nullptr);
      return *this;
    }
    explicit operator bool() const { return gate_ != nullptr; }
    void release() {
      if (gate_ != nullptr) std::exchange(gate_, nullptr)->give_back();
    }

   private:
    HandshakeGate* gate_ = nullptr;
  };

  static HandshakeGate& of_this_loop();

  HandshakeGate() = default;
  HandshakeGate(const HandshakeGate&) = delete;
  HandshakeGate& operator=(const HandshakeGate&) = delete;

  /// An empty permit when the deadline came first.
  Task<Permit> enter(Deadline deadline);
  std::size_t free_places() const { return free_; }

 private:
  struct Waiter;

  void give_back();

  std::size_t free_ = kPlaces;
  std::list<Waiter*> waiters_;
};

}  // namespace etcdmon::net::detail
