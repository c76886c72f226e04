#include "app/settings.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bench/spec.hpp"
#include "config/suggest.hpp"
#include "net/endpoint.hpp"

namespace etcdmon::config {

template <>
struct EnumNames<log::Level> {
  static constexpr std::array kNames{
      std::pair<std::string_view, log::Level>{"debug", log::Level::kDebug},
      std::pair<std::string_view, log::Level>{"info", log::Level::kInfo},
      std::pair<std::string_view, log::Level>{"warn", log::Level::kWarn},
      std::pair<std::string_view, log::Level>{"error", log::Level::kError}};
};

template <>
struct EnumNames<log::Format> {
  static constexpr std::array kNames{
      std::pair<std::string_view, log::Format>{"console", log::Format::kConsole},
      std::pair<std::string_view, log::Format>{"json", log::Format::kJson}};
};

const Schema& SchemaOf<net::TlsOptions>::schema() {
  using Tls = net::TlsOptions;
  static const auto kSchema = Schema::of<Tls>(
      "Connection",
      {field("cert_file", &Tls::cert_file, "Client certificate (PEM). Read again when it changes.")
           .flag_named("cert"),
       field("key_file", &Tls::key_file, "Key of the client certificate (PEM).").flag_named("key"),
       field(
           "ca_file", &Tls::ca_file,
           "Authorities that the members' certificates must come from (PEM). Empty: the system's.")
           .flag_named("cacert"),
       field("server_name", &Tls::server_name,
             "Name that the members' certificates must carry. Empty: the host of the endpoint."),
       field("insecure_skip_verify", &Tls::insecure_skip_verify,
             "Accept any certificate. Only for tests.")
           .flag_named("insecure-skip-tls-verify")});
  return kSchema;
}

}  // namespace etcdmon::config

namespace etcdmon::app {

using config::Complaint;
using config::Fault;
using config::field;
using config::Schema;
using namespace std::chrono_literals;
using namespace literals;

namespace {

constexpr std::uint32_t kMostMembers = 100;
constexpr std::uint32_t kMostLeaderChanges = 1'000;

Fault endpoint_fault(const std::string& text) {
  const auto endpoint = net::parse_endpoint(text);
  if (endpoint) return std::nullopt;
  return endpoint.error().message;
}

Fault name_fault(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::size_t kLongest = 63;
  const bool fine = !name.empty() && name.size() <= kLongest &&
                    name.find_first_not_of(kAllowed) == std::string::npos;
  if (fine) return std::nullopt;
  return fmt::format(
      "\"{}\" is not a name; write 1 to {} letters, digits, dots, dashes and underscores", name,
      kLongest);
}

// A URL in which {host}, {port}, {name} and {id} stand for a member's own.
Fault pattern_fault(const std::string& pattern) {
  // Said first, and without the text: what stands before an @ may be a password.
  if (pattern.find('@') != std::string::npos) return "user and password do not belong into a URL";
  if (pattern.find_first_of(" \t\n#") != std::string::npos)
    return fmt::format("\"{}\" is not a URL", pattern);
  const auto scheme = pattern.find("://");
  if (scheme != std::string::npos && !pattern.starts_with("http://") &&
      !pattern.starts_with("https://")) {
    return fmt::format("\"{}\" must begin with http:// or https://", pattern);
  }
  std::string_view rest = pattern;
  while (true) {
    const auto brace = rest.find_first_of("{}");
    if (brace == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(brace);
    const auto hole = rest.substr(0, rest.find('}') + 1);
    if (hole != "{host}" && hole != "{port}" && hole != "{name}" && hole != "{id}") {
      return fmt::format("\"{}\": between braces stand host, port, name or id", pattern);
    }
    rest.remove_prefix(hole.size());
  }
}

Fault workload_fault(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& workload : bench::workloads()) names.emplace_back(workload.name);
  if (std::ranges::find(names, name) != names.end()) return std::nullopt;
  const auto near = config::closest(name, names);
  return fmt::format("\"{}\" is no workload; {}", name,
                     near.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                  : fmt::format("did you mean {}?", near));
}

void check_login(std::vector<Complaint>& complaints, const std::string& user,
                 const Secret& password) {
  if (user.empty() && !password.empty()) complaints.push_back({"password", "needs `user`"});
  if (password.empty() && user.find(':') != std::string::npos) {
    complaints.push_back({"user", "takes the name only; write the rest as `password`"});
  }
}

void check_rules(std::vector<Complaint>& complaints,
                 const std::vector<alert::RuleSettings>& rules) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (rules[i].name.empty() || rules[i].name != rules[j].name) continue;
      complaints.push_back({fmt::format("rules[{}].name", i),
                            fmt::format("{} is also the name of rules[{}]", rules[i].name, j)});
      break;
    }
  }
}

}  // namespace

const Schema& ThresholdSettings::schema() {
  using T = ThresholdSettings;
  static const auto kSchema = Schema::of<T>(
      "Alert thresholds",
      {field("max_latency", &T::max_latency,
             "Longest acceptable median latency of a linearizable read over one minute.")
           .min(1ms)
           .max(1h)
           .applies_live()
           .flag_named("max-latency-ms", "ms"),
       field(
           "max_db_size", &T::max_db_size,
           "Largest acceptable database of a member; a smaller quota of etcd's own counts instead. "
           "The flag takes MiB.")
           .min(1_MiB)
           .applies_live()
           .flag_named("max-db-size-mb", "MiB"),
       field("min_available_nodes", &T::min_available_nodes,
             "Fewest voting members that must be available; quorum where that is more, all voters "
             "where they are fewer.")
           .max(kMostMembers)
           .applies_live()
           .flag_named("min-available-nodes"),
       field("max_leader_changes", &T::max_leader_changes,
             "Most leader changes that are acceptable within an hour.")
           .max(kMostLeaderChanges)
           .applies_live()
           .flag_named("max-leader-changes")});
  return kSchema;
}

const Schema& ThresholdOverrides::schema() {
  using T = ThresholdOverrides;
  static const auto kSchema = Schema::of<T>(
      "Alert thresholds",
      {field("max_latency", &T::max_latency, "Instead of `monitoring.thresholds.max_latency`.")
           .min(1ms)
           .max(1h)
           .applies_live(),
       field("max_db_size", &T::max_db_size, "Instead of `monitoring.thresholds.max_db_size`.")
           .min(1_MiB)
           .applies_live(),
       field("min_available_nodes", &T::min_available_nodes,
             "Instead of `monitoring.thresholds.min_available_nodes`.")
           .max(kMostMembers)
           .applies_live(),
       field("max_leader_changes", &T::max_leader_changes,
             "Instead of `monitoring.thresholds.max_leader_changes`.")
           .max(kMostLeaderChanges)
           .applies_live()});
  return kSchema;
}

const Schema& PrivilegedSettings::schema() {
  using T = PrivilegedSettings;
  static const auto kSchema = Schema::of<T>(
      "Connection", {field("user", &T::user,
                           "A user with the root role. Empty: the ordinary user does everything."),
                     field("password", &T::password, "Its password.")
                         .env_named("PRIVILEGED_PASSWORD")
                         .applies_live()});
  return kSchema;
}

std::vector<Complaint> PrivilegedSettings::check() const {
  std::vector<Complaint> complaints;
  check_login(complaints, user, password);
  return complaints;
}

const Schema& ClusterSettings::schema() {
  using T = ClusterSettings;
  static const auto kSchema = Schema::of<T>(
      "Connection",
      {field("name", &T::name,
             "What the cluster is called in the API, in alerts and in the history.")
           .rule(name_fault)
           .flag_named("cluster-name"),
       field("endpoints", &T::endpoints,
             "Members to start from, as host:port or URL; the others are found from any one. "
             "Without any, and without a file that names a cluster: 127.0.0.1:2379.")
           .rule(endpoint_fault)
           .flag_named("endpoints"),
       field("discovery_srv", &T::discovery_srv, "Domain whose SRV records name the endpoints.")
           .flag_named("discovery-srv"),
       field("discovery_srv_name", &T::discovery_srv_name,
             "Suffix of the service's name in the SRV records.")
           .flag_named("discovery-srv-name"),
       field("metrics_url", &T::metrics_url,
             "Where a member serves /metrics, if not on its client URL. {host}, {port}, {name} and "
             "{id} "
             "stand for the member's own: http://{host}:2381/metrics.")
           .rule(pattern_fault)
           .flag_named("metrics-url"),
       field("node_exporter_url", &T::node_exporter_url,
             "Where a member's host serves its own metrics: http://{host}:9100/metrics.")
           .rule(pattern_fault)
           .flag_named("node-exporter-url"),
       field("dial_timeout", &T::dial_timeout, "Longest wait for a connection.")
           .min(100ms)
           .max(5min)
           .flag_named("dial-timeout"),
       field("tls", &T::tls, "Certificates for the connections to the members."),
       field("user", &T::user,
             "User to log in as, where etcd's authentication is on. The flag also takes "
             "name:password.")
           .flag_named("user"),
       field("password", &T::password, "Password of the user.")
           .flag_named("password")
           .applies_live(),
       field("privileged", &T::privileged,
             "A second login for what the ordinary user may not do: hash checks."),
       field("thresholds", &T::thresholds,
             "Thresholds of this cluster alone; null: the common ones."),
       field("rules", &T::rules,
             "Changes to built-in rules for this cluster, on top of `alerts.rules`, and rules of "
             "your own.")
           .identified_by("name", "alert")
           .applies_live()});
  return kSchema;
}

std::vector<Complaint> ClusterSettings::check() const {
  std::vector<Complaint> complaints;
  if (endpoints.empty() && discovery_srv.empty())
    complaints.push_back({{}, "needs `endpoints` or `discovery_srv`"});
  if (discovery_srv.empty() && !discovery_srv_name.empty()) {
    complaints.push_back({"discovery_srv_name", "needs `discovery_srv`"});
  }
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    complaints.push_back({tls.cert_file.empty() ? "tls.key_file" : "tls.cert_file",
                          "needs the other of `cert_file` and `key_file`"});
  }
  check_login(complaints, user, password);
  check_rules(complaints, rules);
  return complaints;
}

const Schema& ApiLimits::schema() {
  using T = ApiLimits;
  static const auto kSchema = Schema::of<T>(
      "API server",
      {field("max_connections", &T::max_connections,
             "Connections served at once; more are refused.")
           .min(1)
           .max(100'000),
       field("max_header", &T::max_header, "Longest request line and header.")
           .min(1_KiB)
           .max(1_MiB),
       field("max_body", &T::max_body, "Longest request body.").min(1_KiB).max(64_MiB),
       field("max_bodies", &T::max_bodies, "All request bodies that are held at once.")
           .min(1_KiB)
           .max(4_GiB),
       field("header_timeout", &T::header_timeout, "Longest time for a header to arrive.")
           .min(100ms)
           .max(10min),
       field("request_timeout", &T::request_timeout,
             "Longest time from a request's first byte to its answer.")
           .min(100ms)
           .max(10min),
       field("idle_timeout", &T::idle_timeout,
             "Longest pause between two requests of a connection.")
           .min(1s)
           .max(1h),
       field("write_timeout", &T::write_timeout,
             "Longest time for a client to take 64 KiB of an answer.")
           .min(100ms)
           .max(10min)});
  return kSchema;
}

const Schema& ApiSettings::schema() {
  using T = ApiSettings;
  static const auto kSchema = Schema::of<T>(
      "API server",
      {field("host", &T::host, "Address to listen on. Empty: every address, IPv6 and IPv4.")
           .flag_named("api-host"),
       field("port", &T::port, "Port to listen on; 0 takes any free one.").flag_named("api-port"),
       field("limits", &T::limits, "What one peer may cost.")});
  return kSchema;
}

const Schema& MonitoringSettings::schema() {
  using T = MonitoringSettings;
  static const auto kSchema = Schema::of<T>(
      "Monitoring",
      {field("pulse_interval", &T::pulse_interval,
             "Time between two questions whether a member is alive; 0 turns them off.")
           .off_or_min(100ms)
           .max(1min)
           .applies_live()
           .flag_named("pulse-interval"),
       field("health_check_interval", &T::health_check_interval,
             "Time between two full health checks of a cluster.")
           .min(1s)
           .max(1h)
           .applies_live()
           .flag_named("health-check-interval"),
       field("metrics_interval", &T::metrics_interval,
             "Time between two readings of a member's /metrics.")
           .min(1s)
           .max(1h)
           .applies_live()
           .flag_named("metrics-interval"),
       field("election_timeout", &T::election_timeout,
             "etcd's own --election-timeout; loss of quorum and split brain are judged by it.")
           .min(50ms)
           .max(50s)
           .applies_live()
           .flag_named("election-timeout"),
       field("hash_check_interval", &T::hash_check_interval,
             "Time between two comparisons of the members' data; 0 turns them off.")
           .off_or_min(10s)
           .max(30 * 24h)
           .applies_live(),
       field(
           "write_probe", &T::write_probe,
           "Measure write latency by a transaction that changes nothing, but passes through raft.")
           .applies_live()
           .flag_named("write-probe"),
       field("max_body", &T::max_body, "Larger /metrics pages are refused.")
           .min(64_KiB)
           .max(1_GiB)
           .flag_named("max-body"),
       field("thresholds", &T::thresholds, "What is still fine, for all clusters.")});
  return kSchema;
}

const Schema& ConsoleSettings::schema() {
  using T = ConsoleSettings;
  static const auto kSchema = Schema::of<T>(
      "Alerts", {field("enabled", &T::enabled, "Write alerts to the log.").applies_live()});
  return kSchema;
}

const Schema& DeliverySettings::schema() {
  using T = DeliverySettings;
  static const auto kSchema = Schema::of<T>(
      "Alerts", {field("broken_after", &T::broken_after,
                       "A channel that has failed for so long is reported through the others.")
                     .min(10s)
                     .max(24h),
                 field("give_up_after", &T::give_up_after,
                       "A notification that nobody took for so long becomes a dead letter.")
                     .min(1min)
                     .max(30 * 24h)});
  return kSchema;
}

const Schema& AlertSettings::schema() {
  using T = AlertSettings;
  static const auto kSchema = [] {
    std::vector<config::Field> fields{
        field("rules", &T::rules,
              "Changes to built-in rules, and rules of your own, for all clusters.")
            .identified_by("name", "alert")
            .applies_live(),
        field("rule_files", &T::rule_files,
              "Files with rules of your own, as Prometheus has them; with * for many. Read again "
              "with every reload.")
            .applies_live(),
        field("console", &T::console, "Alerts in the log.")};
    for (const auto& row : notify::registry()) {
      // Declared for the base, which need not lie where we do.
      auto section = row.section();
      section.section = [of_base = section.section](void* owner, std::size_t index) {
        return of_base(static_cast<notify::ChannelOptions*>(static_cast<T*>(owner)), index);
      };
      fields.push_back(std::move(section));
    }
    fields.push_back(field("routing", &T::routing, "Who is told of what, and how often."));
    fields.push_back(field("delivery", &T::delivery, "How notifications are delivered."));
    fields.push_back(field("heartbeat", &T::heartbeat, "Tells somebody else that we watch."));
    fields.push_back(field("external_url", &T::external_url,
                           "Where people reach this monitor, for links in messages."));
    return Schema::of<T>("Alerts", std::move(fields));
  }();
  return kSchema;
}

const Schema& HistorySettings::schema() {
  using T = HistorySettings;
  constexpr auto kMost = 20 * 365 * 24h;
  static const auto kSchema = Schema::of<T>(
      "History",
      {field("enabled", &T::enabled, "Keep every member's values over time in history.db."),
       field("raw", &T::raw, "How long they are kept as they were collected.").min(2h).max(kMost),
       field("minutes", &T::minutes, "How long they are kept by the minute.").min(48h).max(kMost),
       field("hours", &T::hours, "How long they are kept by the hour.").min(48h).max(kMost)});
  return kSchema;
}

const Schema& StorageSettings::schema() {
  using T = StorageSettings;
  static const auto kSchema = Schema::of<T>(
      "Storage", {field("directory", &T::directory,
                        "Where state.db and history.db are kept: which alerts fire, what was told "
                        "to whom, what is "
                        "still to be sent, and values over time. Empty: systemd's state directory, "
                        "else ./data where a channel is enabled, else "
                        "nothing is kept.")
                      .flag_named("storage-directory"),
                  field("history", &T::history, "Values over time."),
                  field("retention", &T::retention, "How long the history of alerts is kept.")
                      .min(1h)
                      .max(10 * 365 * 24h)});
  return kSchema;
}

std::vector<Complaint> AlertSettings::check() const {
  std::vector<Complaint> complaints;
  check_rules(complaints, rules);
  return complaints;
}

const Schema& BenchmarkSettings::schema() {
  using T = BenchmarkSettings;
  static const auto kSchema = Schema::of<T>(
      "Benchmark",
      {field("type", &T::type, "Workload that is run where none is named: write, read, mixed, …")
           .rule(workload_fault)
           .applies_live()
           .flag_named("benchmark-type"),
       field("ops", &T::ops,
             "Operations that are measured where neither a number nor a time is set.")
           .min(1)
           .applies_live()
           .flag_named("benchmark-ops"),
       field("slo", &T::targets, "What a benchmark must show.")});
  return kSchema;
}

const Schema& LoggingSettings::schema() {
  using T = LoggingSettings;
  static const auto kSchema = Schema::of<T>(
      "Logging", {field("level", &T::level, "Least important lines that are written.")
                      .applies_live()
                      .flag_named("log-level"),
                  field("format", &T::format, "For people, or one JSON object a line.")
                      .flag_named("log-format")});
  return kSchema;
}

const Schema& Settings::schema() {
  using T = Settings;
  static const auto kSchema = Schema::of<T>(
      "", {field("clusters", &T::clusters, "The etcd clusters to watch.")
               .or_one_as("etcd")
               .identified_by("name"),
           field("monitoring", &T::monitoring, "How closely they are watched."),
           field("api", &T::api, "The HTTP server."), field("alerts", &T::alerts, "Who is told."),
           field("storage", &T::storage, "What survives a restart."),
           field("queue", &T::queue, "Where notifications wait to be sent."),
           field("benchmark", &T::benchmark, "What a benchmark measures."),
           field("logging", &T::logging, "What is written to standard error.")});
  return kSchema;
}

std::vector<Complaint> Settings::check() const {
  std::vector<Complaint> complaints;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (clusters[i].name != clusters[j].name) continue;
      complaints.push_back(
          {fmt::format("clusters[{}].name", i),
           fmt::format("\"{}\" is also the name of clusters[{}]", clusters[i].name, j)});
      break;
    }
  }
  return complaints;
}

ThresholdSettings thresholds_of(const Settings& settings, const ClusterSettings& cluster) {
  const auto& common = settings.monitoring.thresholds;
  const auto& own = cluster.thresholds;
  return ThresholdSettings{
      .max_latency = own.max_latency.value_or(common.max_latency),
      .max_db_size = own.max_db_size.value_or(common.max_db_size),
      .min_available_nodes = own.min_available_nodes.value_or(common.min_available_nodes),
      .max_leader_changes = own.max_leader_changes.value_or(common.max_leader_changes)};
}

bool wants_tls(const net::TlsOptions& tls) {
  return !tls.ca_file.empty() || !tls.cert_file.empty() || !tls.server_name.empty() ||
         tls.insecure_skip_verify;
}

}  // namespace etcdmon::app
