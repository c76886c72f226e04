// app/demo/reserved_port.hpp: a TCP port of this machine that nobody else is given.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace etcdmon::app::demo {

/// A port that is bound but not listened on. With SO_REUSEADDR on both sides a server may listen
/// on it, again and again, while the kernel hands it to nobody else: neither to a bind to port 0
/// nor to an outgoing connection. So there is no gap between choosing a port and using it, nor
/// between two runs of a server.
class ReservedPort {
 public:
  /// `address`: "127.0.0.1", "::1". Errors: kInvalidArgument, kResourceExhausted.
  static Result<ReservedPort> take(const std::string& address);

  ReservedPort() = default;  ///< none
  ReservedPort(ReservedPort&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), number_(std::exchange(other.number_, 0)) {}
  ReservedPort& operator=(ReservedPort&& other) noexcept {
    std::swap(socket_, other.socket_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~ReservedPort();

  std::uint16_t number() const { return number_; }

 private:
  ReservedPort(int socket, std::uint16_t number) : socket_(socket), number_(number) {}

  int socket_ = -1;
  std::uint16_t number_ = 0;
};

}  // namespace etcdmon::app::demo
