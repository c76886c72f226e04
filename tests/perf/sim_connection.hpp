// perf/sim_connection.hpp: one accepted connection to a simulated member, in plain text or TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "perf/sim_cluster.hpp"
#include "perf/sim_grpc.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace etcdmon::perf {

/// What was served so far.
struct SimCounters {
  std::uint64_t pages = 0;
  std::uint64_t calls = 0;
  std::uint64_t connections = 0;
};

/// Like etcd, one port speaks gRPC over HTTP/2 and, to who does not open with HTTP/2's preface,
/// HTTP/1.1: /metrics in chunks of 4 KiB, /health, and /counters of this program.
class SimConnection {
 public:
  struct Host {
    const SimCluster& cluster;
    std::size_t member;
    SimCounters& counters;
  };

  /// Takes the non-blocking socket. `tls`: nullptr for plain text.
  SimConnection(int socket, ssl_ctx_st* tls, Host host);
  ~SimConnection();
  SimConnection(const SimConnection&) = delete;
  SimConnection& operator=(const SimConnection&) = delete;

  int socket() const { return socket_; }
  /// Reads, answers and writes what can be. False: the connection is over.
  bool serve();
  bool wants_write() const { return wants_write_; }

 private:
  enum class Io : std::uint8_t { kDone, kAgain, kClosed };

  Io receive(std::string& into);
  Io flush();
  Io tls_outcome(int result);
  bool take(std::string_view bytes);
  bool take_http();
  void answer_get(std::string_view target);

  int socket_;
  ssl_st* ssl_ = nullptr;
  Host host_;
  std::unique_ptr<SimGrpc> grpc_;
  std::string in_;
  std::string out_;
  std::size_t out_sent_ = 0;
  bool wants_write_ = false;
};

}  // namespace etcdmon::perf
