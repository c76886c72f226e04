// kit/split_port.hpp: one port for two servers: HTTP/1.1 to one, everything else to the other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace etcdmon::kit {

/// Listens on a port of 127.0.0.1 in place of a member's client URL: GET requests reach `http`, and
/// gRPC reaches `rest`. So the member's /metrics can be bad while the member is well.
///
/// Threads: any; it runs on a thread of its own.
class SplitPort {
 public:
  /// Both are ports of 127.0.0.1.
  SplitPort(std::uint16_t http, std::uint16_t rest);
  ~SplitPort();

  std::string url() const;  ///< "http://127.0.0.1:PORT"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::kit
