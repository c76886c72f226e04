// app/cli/ctl/session.hpp: what every command needs: channels to the cluster, deadlines, the user.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/ctl/command.hpp"
#include "app/cli/ctl/terminal.hpp"
#include "async/blocking_pool.hpp"
#include "async/task.hpp"
#include "async/task_scope.hpp"
#include "base/clock.hpp"
#include "etcd/channel.hpp"
#include "etcd/concurrency.hpp"
#include "net/resolver.hpp"

namespace etcdmon::app::cli::ctl {

/// A member's endpoint as the user or the member list wrote it, and a channel to it alone, which
/// the session owns.
struct OneEndpoint {
  std::string name{};
  etcd::Channel* channel = nullptr;
};

/// Threads:  the loop only.
/// Lifetime: close() must have completed before destruction.
class Session {
 public:
  Session(Executor executor, net::Resolver& resolver, const FlagValues& flags, Terminal& terminal);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Reads certificates, looks SRV records up, asks for a password where one is missing.
  Task<Result<void>> open();
  Task<> close();

  /// All of --endpoints.
  etcd::Channel& cluster() { return *cluster_; }
  /// --command-timeout from now.
  Deadline deadline() const;
  std::chrono::nanoseconds command_timeout() const;
  bool timeout_was_given() const { return flags_.is_set("command-timeout"); }
  Terminal& terminal() { return terminal_; }
  Executor executor() const { return executor_; }
  net::Resolver& resolver() { return resolver_; }

  /// --endpoints one by one, or with `whole_cluster` the client URLs in the member list.
  Task<Result<std::vector<OneEndpoint>>> each(bool whole_cluster);
  Result<OneEndpoint> only(std::string_view endpoint);
  /// To another cluster. The session closes it.
  etcd::Channel& another(etcd::ChannelOptions options);
  const etcd::ChannelOptions& channel_options() const { return options_; }
  /// A lease that close() revokes, however the command ends.
  etcd::LeaseSession& lease();
  /// Ends with the command.
  etcd::KeepAlive& keep_alive();
  /// What runs beside the command; ended before the channels are closed.
  async::TaskScope& side_tasks();
  /// For work on files.
  async::BlockingPool& files();

 private:
  Task<Result<void>> discover();
  Task<Result<void>> read_credentials();
  Result<net::Endpoint> parse(std::string_view text) const;

  Executor executor_;
  net::Resolver& resolver_;
  const FlagValues& flags_;
  Terminal& terminal_;
  std::vector<std::string> names_;
  etcd::ChannelOptions options_;  ///< endpoints apart
  std::unique_ptr<etcd::Channel> cluster_;
  std::vector<std::unique_ptr<etcd::Channel>> others_;
  std::optional<etcd::LeaseSession> lease_;
  std::optional<etcd::KeepAlive> keep_alive_;
  std::optional<async::TaskScope> side_tasks_;
  std::optional<async::BlockingPool> files_;
};

}  // namespace etcdmon::app::cli::ctl
