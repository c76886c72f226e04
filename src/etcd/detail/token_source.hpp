// etcd/detail/token_source.hpp: one auth token for all members of a cluster.
#pragma once

#include <optional>
#include <string>

#include "async/event.hpp"
#include "async/retry.hpp"
#include "etcd/client.hpp"

namespace etcdmon::etcd {

/// Authenticate is a raft proposal, so a token is asked for only after a member refused a call, by
/// one coroutine at a time, and not again for a while after a failure.
class TokenSource {
 public:
  explicit TokenSource(Credentials credentials) : credentials_(std::move(credentials)) {}

  /// Empty: none yet, or none needed.
  const std::string& current() const { return token_; }

  /// A token other than `refused`, got through `connection` if nobody has one yet. An empty token
  /// means that the cluster has authentication turned off. Errors: those of Authenticate; during
  /// the back-off, the last failure again.
  Task<Result<std::string>> renew(rpc::Connection& connection, std::string refused,
                                  Deadline deadline);

  const std::optional<Error>& last_error() const { return last_error_; }

 private:
  Task<Result<std::string>> authenticate(rpc::Connection& connection, Deadline deadline) const;
  void failed(const Error& error, SteadyTime now);

  Credentials credentials_;
  std::string token_;
  std::optional<Error> last_error_;
  SteadyTime not_before_{};
  int failures_ = 0;
  async::Random random_{std::random_device{}()};
  bool busy_ = false;
  async::Event idle_;
};

}  // namespace etcdmon::etcd
