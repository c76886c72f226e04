// bench/load/lane.hpp: one connection of a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "bench/http2/transport.hpp"
#include "net/stream.hpp"

namespace etcdmon::bench {

/// Belongs to the worker; a plain record, since its life is the worker's business.
struct Lane {
  enum class State : std::uint8_t {
    kDown,     ///< dialled again at `when`
    kDialing,  ///< by a coroutine
    kOpening,  ///< until the peer's SETTINGS, or `when`
    kUp,
  };
  State state = State::kDown;
  std::size_t endpoint = 0;
  SteadyTime when;
  SteadyTime up_since;
  int attempts = 0;  ///< since it was up for a while
  bool dirty = false;
  bool renew = false;  ///< the login was refused
  std::uint64_t login = 0;
  SteadyTime heard;  ///< the last byte
  std::unique_ptr<net::Stream> stream;
  std::unique_ptr<Transport> transport;
  std::vector<std::uint32_t> parked;     ///< clients that wait for it
  std::vector<std::uint32_t> listeners;  ///< clients that only listen

  /// Calls can begin.
  bool usable() const {
    return state == State::kUp && transport->state() == Transport::State::kUp && !renew;
  }
};

}  // namespace etcdmon::bench
