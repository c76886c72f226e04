#include "app/cluster_options.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::app {

namespace {

bool any_https(const std::vector<std::string>& endpoints) {
  return std::ranges::any_of(endpoints,
                             [](const std::string& url) { return url.starts_with("https://"); });
}

}  // namespace

alert::Thresholds to_thresholds(const ThresholdSettings& settings) {
  return {.max_latency = settings.max_latency,
          .max_db_size = settings.max_db_size,
          .min_available_nodes = static_cast<int>(settings.min_available_nodes),
          .max_leader_changes = static_cast<int>(settings.max_leader_changes)};
}

Result<ClusterOptions> cluster_options(const Settings& settings, const ClusterSettings& cluster,
                                       std::vector<std::string>& warnings) {
  ClusterOptions out;
  auto& collect = out.collect;
  collect.cluster = cluster.name;
  collect.endpoints = cluster.endpoints;
  collect.discovery_srv = cluster.discovery_srv;
  collect.discovery_srv_name = cluster.discovery_srv_name;
  collect.credentials = {cluster.user, cluster.password};
  collect.privileged = {cluster.privileged.user, cluster.privileged.password};
  collect.dial_timeout = cluster.dial_timeout;
  collect.pulse_interval = settings.monitoring.pulse_interval;
  collect.health_check_interval = settings.monitoring.health_check_interval;
  collect.metrics_interval = settings.monitoring.metrics_interval;
  collect.election_timeout = settings.monitoring.election_timeout;
  collect.hash_check_interval = settings.monitoring.hash_check_interval;
  collect.write_probe = settings.monitoring.write_probe;
  collect.metrics_url = cluster.metrics_url;
  collect.node_exporter_url = cluster.node_exporter_url;
  collect.max_body = settings.monitoring.max_body;
  out.thresholds = to_thresholds(thresholds_of(settings, cluster));
  out.rules = alert::tuned_rules(out.thresholds, settings.alerts.rules, cluster.rules,
                                 settings.alerts.file_rules);

  collect.plain_by_default = !wants_tls(cluster.tls);
  // Members may advertise https although only plain endpoints were given; the context is made in
  // any case.
  auto tls = net::TlsContext::client(cluster.tls);
  if (!tls) return with_context(std::move(tls).error(), fmt::format("cluster {}", cluster.name));
  collect.tls = std::move(*tls);
  if (cluster.tls.insecure_skip_verify &&
      (!collect.plain_by_default || any_https(cluster.endpoints))) {
    warnings.push_back(
        fmt::format("cluster {}: server certificates are not verified (insecure_skip_tls_verify): "
                    "anybody on the way can read and answer",
                    cluster.name));
  }
  if (cluster.tls.insecure_skip_verify && cluster.tls.cert_file.empty() &&
      collect.plain_by_default) {
    warnings.push_back(fmt::format(
        "cluster {}: insecure_skip_tls_verify has no effect on plain connections", cluster.name));
  }
  return out;
}

}  // namespace etcdmon::app
