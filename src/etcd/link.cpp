#include "etcd/link.hpp"

#include <utility>

namespace etcdmon::etcd {

namespace {

rpc::ConnectionOptions to_connection(const LinkOptions& options) {
  rpc::ConnectionOptions connection;
  connection.endpoint = options.endpoint;
  connection.tls = options.tls;
  connection.dial_timeout = options.dial_timeout;
  // A dying process accepts for some milliseconds yet; the attempts after that are what tells
  // "refused".
  connection.backoff.base = std::chrono::milliseconds(10);
  return connection;
}

}  // namespace

Link::Link(Executor executor, net::Resolver& resolver, LinkOptions options, const Logger& logger)
    : connection_(executor, resolver, to_connection(options), logger),
      client_(connection_, std::move(options.tokens)) {}

}  // namespace etcdmon::etcd
