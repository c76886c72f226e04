// net/resolver.hpp: names to addresses on threads of their own, so that a dead DNS server holds up
// nobody.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace etcdmon::net {

struct SrvTarget {
  std::string host;
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
};

/// Up to four threads run getaddrinfo and res_query. Literal addresses never go there.
///
/// Threads:  the loop only; results come back by post.
/// Lifetime: the destructor does not wait for a lookup that hangs.
/// Cancel:   the waiting coroutine ends at once.
class Resolver {
 public:
  explicit Resolver(Executor executor);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Addresses in the order the system prefers them, never empty.
  /// Errors: kUnavailable with Cause::kDns; kDeadlineExceeded with Cause::kDns.
  Task<Result<std::vector<asio::ip::tcp::endpoint>>> resolve(std::string host, std::uint16_t port,
                                                             Deadline deadline);
  /// SRV records of `name` ("_etcd-client-ssl._tcp.example.com"), by priority and weight.
  /// No record is kNotFound.
  Task<Result<std::vector<SrvTarget>>> resolve_srv(std::string name, Deadline deadline);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace etcdmon::net
