// kit/tcp_gate.hpp: a TCP proxy that does on purpose what networks do by accident.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace etcdmon::kit {

/// Listens on a port of 127.0.0.1 and passes everything on to one target, with its faults. A
/// client whose target refuses is reset.
///
/// Faults apply to connections that are open and to those to come, until heal(). They add up.
///
/// Threads: any; the proxy runs on a thread of its own, and a fault holds when its function
/// returns.
class TcpGate {
 public:
  enum class Way { kToTarget, kToClient, kBoth };
  enum class End { kFin, kReset };

  struct Counts {
    int accepted = 0;  ///< connections so far
    int open = 0;
    std::uint64_t to_target = 0;  ///< bytes delivered
    std::uint64_t to_client = 0;
  };

  /// `target`: "127.0.0.1:2379" or a URL of that. Throws std::runtime_error.
  explicit TcpGate(const std::string& target);
  ~TcpGate();

  std::uint16_t port() const;
  std::string address() const;  ///< "127.0.0.1:PORT"
  Counts counts() const;

  void set_target(const std::string& target);  ///< of connections to come

  void delay(Way way, std::chrono::nanoseconds time);
  /// Takes nothing more in: the sender's window fills up.
  void stop_reading(Way way);
  /// Takes in and forgets, ends of connections too: a link that was cut.
  void cut(Way way);
  /// The most bytes in one send; a following one is a packet of its own. 0: no limit.
  void slice(Way way, std::size_t bytes);
  /// Bytes a second, 0: no limit. 1 is a drip.
  void bandwidth(Way way, std::size_t bytes_per_second);
  /// Ends connections without traffic, as load balancers do. 0: never.
  void close_idle_after(std::chrono::nanoseconds idle, End end);

  void refuse();  ///< nothing listens any more; open connections stay
  void ignore();  ///< new connections are made and never heard of again
  void heal();    ///< no faults; what was lost stays lost

  /// What is open now, once.
  void reset_all();  ///< RST to both sides
  void close_all();  ///< FIN to both sides
  void half_open();  ///< the target's side is reset, the client is not told: it talks to nobody

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::kit
