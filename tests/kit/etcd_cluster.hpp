// kit/etcd_cluster.hpp: a real etcd cluster for a test, and everything bad that can happen to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "app/demo/local_etcd.hpp"
#include "async/task.hpp"
#include "base/ids.hpp"

namespace etcdmon::app::demo {

/// How GoogleTest shows the parameter of a suite: ctest makes it part of a test's name.
inline void PrintTo(const EtcdBinary& binary, std::ostream* out) {
  *out << "etcd " << binary.version;
}

}  // namespace etcdmon::app::demo

namespace etcdmon::kit {

using EtcdVersion = app::demo::EtcdBinary;
using app::demo::LocalEtcd;

/// The etcds installed here, oldest first: the one in PATH, and 3.5 from $ETCDMON_ETCD_35,
/// .deps/etcd-3.5 or /opt/etcd-3.5. For INSTANTIATE_TEST_SUITE_P(Versions, Suite,
/// testing::ValuesIn(etcd_versions()), version_name). Empty: say so with GTEST_SKIP.
const std::vector<EtcdVersion>& etcd_versions();
const EtcdVersion& newest_etcd();  ///< throws where there is none

/// "v3_5", as the name of a test parameter.
struct VersionName {
  template <class ParamInfo>
  std::string operator()(const ParamInfo& param) const {
    return "v" + std::to_string(param.param.major) + "_" + std::to_string(param.param.minor);
  }
};
inline constexpr VersionName version_name;

/// Members are counted from 0. What fails is thrown as std::runtime_error, with what etcd said.
///
/// Threads:  one. Functions block; they run the cluster's own loop, never the loop under test. For
///           a test whose subject must go on meanwhile, run the subject on a LoopThread.
class EtcdCluster {
 public:
  struct Options {
    EtcdVersion version = newest_etcd();
    std::size_t members = 3;
    std::map<std::string, std::string> flags{};  ///< of etcd, without dashes
    std::optional<LocalEtcd::Tls> tls{};         ///< see CertificateAuthority::etcd_tls
    std::uint64_t quota_bytes = 0;               ///< 0: etcd's default
    std::chrono::milliseconds heartbeat{100};
    std::chrono::milliseconds election{1000};
    bool metrics_listener = false;  ///< --listen-metrics-urls, in plain HTTP
    /// Adds this to every fsync of a member, by strace.
    std::map<std::size_t, std::chrono::microseconds> slow_fsync{};
    std::function<LocalEtcd::Place(std::size_t)> place{};
    std::function<std::string(const LocalEtcd::Member&)> advertise_client{};
    std::function<std::string(const LocalEtcd::Member&)> advertise_peer{};
    std::vector<std::string> ctl_command{};
    bool keep = false;                  ///< data and logs, to look at after a failure
    std::chrono::seconds patience{30};  ///< for each function
  };

  /// A user besides root, with its permission on all keys; without one it may do nothing.
  struct User {
    std::string name{};
    std::string password{};
    std::string permission{};  ///< "read", "write", "readwrite"
  };

  explicit EtcdCluster(Options options);
  EtcdCluster();  ///< three members of the newest version
  ~EtcdCluster();

  std::size_t size() const;
  /// "http://127.0.0.1:2379" of all members that were not removed, or of one.
  std::vector<std::string> endpoints() const;
  std::string endpoint(std::size_t i) const;
  std::uint16_t port(std::size_t i) const;  ///< of its client URL
  const LocalEtcd::Member& member(std::size_t i) const;
  MemberId id(std::size_t i);
  std::string log(std::size_t i) const;
  bool running(std::size_t i);
  pid_t pid(std::size_t i);
  LocalEtcd& local() { return *etcd_; }

  // Processes.
  void kill(std::size_t i);       ///< SIGKILL; gone on return
  void terminate(std::size_t i);  ///< SIGTERM; gone on return
  void stop(std::size_t i);       ///< SIGSTOP
  void cont(std::size_t i);       ///< SIGCONT
  void launch(std::size_t i);     ///< starts it without waiting: for a cluster without quorum
  void await_ready(std::size_t i);
  void restart(std::size_t i);  ///< stops it where it runs; has joined again on return
  void restart_with(std::size_t i, const EtcdVersion& version);  ///< an upgrade
  void restart_all();                                            ///< those that do not run

  // Membership.
  std::size_t add_member(LocalEtcd::Role role = LocalEtcd::Role::kVoter, std::string name = {});
  std::size_t add_learner() { return add_member(LocalEtcd::Role::kLearner); }
  void promote(std::size_t i);
  void remove(std::size_t i);
  std::size_t replace(std::size_t i);  ///< removes it, adds a new one under its name

  // Leadership.
  std::size_t leader();    ///< waits until one says that it leads
  std::size_t follower();  ///< the first member that runs and does not lead
  void move_leader(std::size_t to);

  // Keys.
  void put(const std::string& key, const std::string& value);
  std::string get(const std::string& key);  ///< empty: not there
  std::string etcdctl(std::vector<std::string> args, std::string input = {});
  std::string etcdctl_at(std::size_t i, std::vector<std::string> args, std::string input = {});

  // Ills.
  /// Writes until NOSPACE is raised; `quota_bytes` must be small. Returns the number of keys.
  int fill_quota();
  /// Alters a value in the member's database file, so that its HashKV differs from now on. The
  /// member is restarted for it.
  void corrupt(std::size_t i);
  void raise_alarm(std::size_t i, const std::string& alarm);  ///< "CORRUPT", "NOSPACE"
  void disarm_alarms();
  void compact();
  void defrag(std::size_t i);
  /// Turns authentication on; etcdctl is root from then on.
  void enable_auth(const std::string& root_password, const std::vector<User>& users = {});

 private:
  Deadline deadline() const;

  std::unique_ptr<Loop> loop_;
  std::unique_ptr<LocalEtcd> etcd_;
  Options options_;
  std::string root_password_;
};

}  // namespace etcdmon::kit
