// etcd/link.hpp: the connection to one member and the client on it, as one thing to own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "etcd/client.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::etcd {

using LinkEvent = rpc::LinkEvent;

struct LinkOptions {
  net::Endpoint endpoint;
  std::shared_ptr<net::TlsContext> tls;  ///< needed when endpoint.tls
  std::chrono::milliseconds dial_timeout{5'000};
  std::shared_ptr<TokenSource> tokens;  ///< nullptr: no login
};

/// Threads:  the loop only.
/// Lifetime: close() must have completed before destruction.
class Link {
 public:
  Link(Executor executor, net::Resolver& resolver, LinkOptions options, const Logger& logger);

  /// Keeps the connection up from now on; `on_event` is told on the loop what becomes of it.
  void start(std::function<void(const LinkEvent&)> on_event) {
    connection_.start(std::move(on_event));
  }
  Task<> close() { return connection_.close(); }
  /// Drops the present connection and dials anew.
  void reconnect() { connection_.reconnect(); }

  Client& client() { return client_; }
  /// A client on the same connection with another login.
  Client client_as(std::shared_ptr<TokenSource> tokens) {
    return Client(connection_, std::move(tokens));
  }
  const std::vector<net::Certificate>& peer_certificates() const {
    return connection_.peer_certificates();
  }

 private:
  rpc::Connection connection_;
  Client client_;
};

}  // namespace etcdmon::etcd
