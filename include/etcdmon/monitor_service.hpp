// etcdmon/monitor_service.hpp: the monitor as a library: start it, ask it, stop it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace etcdmon {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

/// Where the monitor's log lines go; called from its own thread, one call at a time. Empty:
/// nowhere.
using LogFunction = std::function<void(LogLevel level, std::string_view line)>;

/// What to watch and how. Defaults are those of the command.
struct MonitorConfig {
  std::string name = "default";
  std::vector<std::string> endpoints;  ///< any of them leads to all members
  std::chrono::milliseconds dial_timeout{5'000};
  std::chrono::milliseconds pulse_interval{1'000};
  std::chrono::milliseconds health_check_interval{30'000};
  std::chrono::milliseconds metrics_interval{10'000};
  std::chrono::milliseconds election_timeout{1'000};

  std::string ca_file;  ///< PEM; TLS is used where any of these is set, or an endpoint says https
  std::string cert_file;
  std::string key_file;
  std::string server_name;
  bool insecure_skip_tls_verify = false;

  std::string user;
  std::string password;
  std::string
      metrics_url;  ///< "http://{host}:2381/metrics" where the client URL does not serve /metrics
};

/// One finding. `check` is its name as in the documentation ("MemberUnreachable").
struct Finding {
  std::string check;
  std::string severity;  ///< "info", "warning", "critical"
  std::string subject;
  std::string summary;
  std::string detail;
};

struct ClusterStatus {
  std::optional<bool> healthy;  ///< nullopt: not known yet
  std::optional<std::uint64_t> leader_id;
  std::string leader_name;
  int member_count = 0;
  int quorum_size = 0;
  int failures_tolerated = 0;
  std::optional<bool> has_quorum;
  bool has_leader = false;
  std::uint64_t leader_changes = 0;
  bool network_partition = false;
  bool split_brain = false;
  std::vector<Finding> findings;  ///< the most severe first
  std::optional<std::chrono::system_clock::time_point> last_check;
};

/// nullopt is "unknown", never 0. Latencies in milliseconds, sizes in bytes, rates per second.
struct CurrentMetrics {
  std::chrono::system_clock::time_point timestamp;
  std::optional<double> request_rate;
  std::optional<double> error_ratio;
  std::optional<double> read_latency_p50, read_latency_p95, read_latency_p99;
  std::optional<double> write_latency_p50, write_latency_p95, write_latency_p99;
  std::optional<std::uint64_t> db_size, db_size_in_use;
};

/// Watches one cluster on a thread of its own.
///
/// Threads:  all functions may be called from any thread; readings are the newest published state
/// and never wait. Lifetime: the destructor stops. A stopped service cannot be started again.
class MonitorService {
 public:
  explicit MonitorService(MonitorConfig config, LogFunction log = {});
  ~MonitorService();
  MonitorService(const MonitorService&) = delete;
  MonitorService& operator=(const MonitorService&) = delete;

  /// Starts watching. False, with the reason in error(), when the configuration cannot be used.
  bool start();
  const std::string& error() const;
  /// Waits until the cluster has been judged for the first time; false when `timeout` came first.
  bool wait_for_verdict(std::chrono::milliseconds timeout) const;
  void stop();

  ClusterStatus cluster_status() const;
  CurrentMetrics current_metrics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace etcdmon
