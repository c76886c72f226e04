// app/demo/local_etcd.hpp: starts a real etcd cluster on this machine, for `demo` and for tests.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "app/demo/etcd_binary.hpp"
#include "app/demo/etcdctl.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace etcdmon::app::demo {

/// A cluster of etcd processes in a temporary folder. Members are counted from 0 in the order in
/// which they were made; one that was removed keeps its number.
///
/// Threads:  the loop only; the members die with the thread that started them.
/// Lifetime: destruction kills all members and removes the folder, unless it is kept. Must outlive
///           its coroutines.
/// Errors:   kDeadlineExceeded when something was not so in time; kUnavailable when a member ended
///           while it was waited for (the message has its last line of log); else what etcdctl
///           said.
/// Cancel:   what was begun (a started member, a removal) stays begun.
class LocalEtcd {
 public:
  enum class Role { kVoter, kLearner };

  /// Files, PEM.
  struct Tls {
    std::string ca{};
    std::string cert{};  ///< of the members, for clients; the last two for their peers as well
    std::string key{};
    bool client_auth = false;   ///< members ask clients for a certificate
    bool peers = false;         ///< members speak TLS to each other too
    std::string client_cert{};  ///< for etcdctl, where client_auth is on
    std::string client_key{};
  };

  struct Member {
    std::string name{};
    std::string client_url{};             ///< where it listens
    std::string advertised_client_url{};  ///< what it tells others
    std::string peer_url{};
    std::string advertised_peer_url{};
    std::string metrics_url{};  ///< of the extra plain listener; empty without
    std::string data_dir{};
    std::string log_file{};
    bool removed = false;  ///< from the cluster
  };

  /// Where and how a member runs.
  struct Place {
    std::string host = "127.0.0.1";
    std::uint16_t client_port = 0;  ///< 0: a free port of this machine
    std::uint16_t peer_port = 0;
    std::uint16_t metrics_port = 0;
    std::vector<std::string> command{};          ///< put before etcd: nsenter, strace
    std::map<std::string, std::string> flags{};  ///< added to those of all
    std::optional<Tls> tls{};                    ///< instead of the one of all
  };

  struct Options {
    EtcdBinary binary{};
    std::size_t members = 3;
    std::string parent_directory{};  ///< empty: the system's folder for temporary files
    bool keep = false;               ///< leave data and logs behind
    /// Further flags of etcd, without dashes: {"auto-compaction-retention", "1h"}.
    std::map<std::string, std::string> flags{};
    std::optional<Tls> tls{};
    std::chrono::milliseconds heartbeat{100};
    std::chrono::milliseconds election{1000};
    std::uint64_t quota_bytes = 0;              ///< 0: etcd's default
    bool metrics_listener = false;              ///< --listen-metrics-urls, in plain HTTP
    bool fsync = true;                          ///< false: fast and unsafe, where the version can
    std::function<Place(std::size_t)> place{};  ///< none: all on 127.0.0.1
    /// What a member tells others instead of where it listens: a proxy, a wrong address.
    std::function<std::string(const Member&)> advertise_client{};
    std::function<std::string(const Member&)> advertise_peer{};
    std::vector<std::string> ctl_command{};  ///< put before etcdctl
    std::function<void(std::string_view)> progress{};
  };

  LocalEtcd(Executor executor, Options options);
  ~LocalEtcd();
  LocalEtcd(const LocalEtcd&) = delete;
  LocalEtcd& operator=(const LocalEtcd&) = delete;

  /// Starts all members and returns when each has joined and serves clients.
  Task<Result<void>> start(Deadline deadline);
  /// SIGTERM to all at once, SIGKILL to those that still run after `grace`.
  Task<> stop_all(std::chrono::nanoseconds grace);

  std::size_t size() const;
  const Member& member(std::size_t i) const;
  std::string directory() const;  ///< empty before start()
  /// Client URLs of the members that were not removed, where they listen.
  std::vector<std::string> endpoints() const;
  bool running(std::size_t i);
  /// Of the process, or 0. A stopped one (SIGSTOP) runs.
  pid_t pid(std::size_t i);

  /// SIGKILL; returns when the process is gone and its connections with it.
  Task<> kill(std::size_t i);
  /// SIGTERM, SIGKILL after `grace`; returns when the process is gone.
  Task<> terminate(std::size_t i, std::chrono::nanoseconds grace);
  Result<void> stop(std::size_t i);  ///< SIGSTOP
  Result<void> cont(std::size_t i);  ///< SIGCONT
  /// Starts a member that does not run, without waiting for it.
  Result<void> launch(std::size_t i);
  /// Until a launched member has joined. Without a quorum that does not happen.
  Task<Result<void>> ready(std::size_t i, Deadline deadline);
  /// terminate() where it runs, launch(), ready().
  Task<Result<void>> restart(std::size_t i, Deadline deadline);
  /// From its next start on: a rolling upgrade, or one flag changed.
  void use_binary(std::size_t i, EtcdBinary binary);
  void set_flag(std::size_t i, std::string name, std::string value);

  /// Tells the cluster of a new member and starts it. Waits for the cluster to allow it (etcd wants
  /// 5 s of stable connections first). `name` empty: the next one.
  Task<Result<std::size_t>> add_member(Role role, std::string name, Deadline deadline);
  Task<Result<void>> promote(std::size_t i, Deadline deadline);
  Task<Result<void>> remove_member(std::size_t i, Deadline deadline);
  Task<Result<std::vector<ListedMember>>> member_list(Deadline deadline);
  Task<Result<MemberId>> member_id(std::size_t i, Deadline deadline);
  /// The member that says it leads, of those that answer. kUnavailable: none does.
  Task<Result<std::size_t>> leader(Deadline deadline);

  /// Gives root this password and turns authentication on; etcdctl logs in as root from then on.
  Task<Result<void>> enable_auth(Secret root_password, Deadline deadline);

  /// What `etcdctl ARGS` printed, asking the members that run (not those stopped), or one. Its exit
  /// code other than 0 is an error with what it said (kUnknown).
  Task<Result<std::string>> etcdctl(std::vector<std::string> args, std::string input,
                                    Deadline deadline);
  Task<Result<std::string>> etcdctl_at(std::size_t i, std::vector<std::string> args,
                                       std::string input, Deadline deadline);

 private:
  struct Slot;
  struct State;

  Result<void> add_slot(std::string name);
  std::string initial_cluster() const;
  std::vector<std::string> arguments(const Slot& slot) const;
  Task<Result<void>> start_once(Deadline deadline);
  Task<int> terminated(std::size_t i, std::chrono::nanoseconds grace);
  Result<void> send(std::size_t i, int number);
  std::vector<std::string> answering();

  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::app::demo
