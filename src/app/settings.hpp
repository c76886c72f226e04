// app/settings.hpp: everything an operator can set, with its defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alert/rule_settings.hpp"
#include "app/queue_settings.hpp"
#include "app/routing_settings.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"
#include "bench/report/targets.hpp"
#include "config/schema.hpp"
#include "net/tls.hpp"
#include "notify/heartbeat/heartbeat.hpp"
#include "notify/registry.hpp"

namespace etcdmon::app {

using Milliseconds = std::chrono::milliseconds;

/// What is still fine. Bounds are inclusive: a value beyond one raises an alert.
struct ThresholdSettings {
  Milliseconds max_latency{100};
  Bytes max_db_size{std::uint64_t{8} << 30U};
  std::uint32_t min_available_nodes = 2;
  std::uint32_t max_leader_changes = 3;  ///< per hour

  static const config::Schema& schema();
};

/// What one cluster has instead of the common thresholds.
struct ThresholdOverrides {
  std::optional<Milliseconds> max_latency;
  std::optional<Bytes> max_db_size;
  std::optional<std::uint32_t> min_available_nodes;
  std::optional<std::uint32_t> max_leader_changes;

  static const config::Schema& schema();
};

struct PrivilegedSettings {
  std::string user;  ///< empty: the ordinary user does everything
  Secret password;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// One etcd cluster to watch.
struct ClusterSettings {
  std::string name = "default";
  std::vector<std::string> endpoints;
  std::string discovery_srv;
  std::string discovery_srv_name;
  std::string metrics_url;
  std::string node_exporter_url;
  Milliseconds dial_timeout{5'000};
  net::TlsOptions tls;
  std::string user;
  Secret password;
  PrivilegedSettings privileged;
  ThresholdOverrides thresholds;
  std::vector<alert::RuleSettings> rules;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// What peers may cost the HTTP server; the defaults of net::HttpServerOptions.
struct ApiLimits {
  std::uint32_t max_connections = 1'024;
  Bytes max_header{16U << 10U};
  Bytes max_body{1U << 20U};
  Bytes max_bodies{64U << 20U};  ///< all that are held at once
  Milliseconds header_timeout{5'000};
  Milliseconds request_timeout{30'000};
  Milliseconds idle_timeout{60'000};
  Milliseconds write_timeout{10'000};

  static const config::Schema& schema();
};

struct ApiSettings {
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;  ///< 0: any free one
  ApiLimits limits;

  static const config::Schema& schema();
};

struct MonitoringSettings {
  Milliseconds pulse_interval{1'000};  ///< 0: no pulse
  Milliseconds health_check_interval{30'000};
  Milliseconds metrics_interval{10'000};
  Milliseconds election_timeout{1'000};
  Milliseconds hash_check_interval{std::chrono::hours(6)};  ///< 0: no hash checks
  bool write_probe = false;
  Bytes max_body{16U << 20U};
  ThresholdSettings thresholds;

  static const config::Schema& schema();
};

struct ConsoleSettings {
  bool enabled = true;

  static const config::Schema& schema();
};

/// How notifications are delivered, whatever the channel.
struct DeliverySettings {
  Milliseconds broken_after{std::chrono::minutes(10)};
  Milliseconds give_up_after{std::chrono::hours(24)};

  static const config::Schema& schema();
};

struct AlertSettings : notify::ChannelOptions {
  std::vector<alert::RuleSettings> rules;
  std::vector<std::string> rule_files;
  std::vector<alert::UserRuleText> file_rules;  ///< what stands in them; no option by itself
  ConsoleSettings console;
  DeliverySettings delivery;
  RoutingSettings routing;
  notify::HeartbeatOptions heartbeat;
  std::string external_url;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// How long values over time are kept, by how finely.
struct HistorySettings {
  bool enabled = true;
  std::chrono::hours raw{48};
  std::chrono::hours minutes{30 * 24};
  std::chrono::hours hours{2 * 365 * 24};

  static const config::Schema& schema();
};

struct StorageSettings {
  std::string directory;
  HistorySettings history;
  std::chrono::hours retention{30 * 24};

  static const config::Schema& schema();
};

/// What `--run-benchmark` measures, and what a benchmark must show.
struct BenchmarkSettings {
  std::string type = "mixed";
  std::uint64_t ops = 10'000;
  bench::report::Targets targets;

  static const config::Schema& schema();
};

struct LoggingSettings {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kConsole;

  static const config::Schema& schema();
};

struct Settings {
  std::vector<ClusterSettings> clusters;  ///< never empty once loaded
  ApiSettings api;
  MonitoringSettings monitoring;
  AlertSettings alerts;
  StorageSettings storage;
  QueueSettings queue;
  BenchmarkSettings benchmark;
  LoggingSettings logging;

  static const config::Schema& schema();
  std::vector<config::Complaint> check() const;
};

/// The thresholds that hold for `cluster`.
ThresholdSettings thresholds_of(const Settings& settings, const ClusterSettings& cluster);

/// True where an endpoint without a scheme is spoken to in TLS, as etcdctl decides it.
bool wants_tls(const net::TlsOptions& tls);

}  // namespace etcdmon::app

template <>
struct etcdmon::config::SchemaOf<etcdmon::net::TlsOptions> {
  static const Schema& schema();
};
