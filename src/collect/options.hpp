// collect/options.hpp: what a cluster's collector needs to know.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "base/units.hpp"
#include "etcd/client.hpp"
#include "net/tls.hpp"

namespace etcdmon::collect {

class LinePool;
struct Wanted;

struct CollectOptions {
  std::string cluster;                   ///< the configured name
  std::vector<std::string> endpoints;    ///< any of them leads to all members
  std::string discovery_srv;             ///< DNS domain to find endpoints in; empty: not used
  std::string discovery_srv_name;        ///< service name suffix, as etcd's flag of that name
  std::shared_ptr<net::TlsContext> tls;  ///< for https URLs; nullptr where there are none
  bool plain_by_default = true;          ///< how an endpoint without a scheme is spoken to
  etcd::Credentials credentials;         ///< user empty: none
  etcd::Credentials privileged;          ///< for HashKV; user empty: the ordinary one

  std::chrono::milliseconds dial_timeout{5'000};
  std::chrono::milliseconds pulse_interval{1'000};  ///< 0 turns the pulse off
  std::chrono::milliseconds health_check_interval{30'000};
  std::chrono::milliseconds metrics_interval{10'000};
  std::chrono::milliseconds election_timeout{1'000};
  std::chrono::milliseconds hash_check_interval{std::chrono::hours(6)};  ///< 0 turns it off
  bool write_probe = false;

  /// "http://{host}:2381/metrics": tried when the client URL does not serve /metrics.
  std::string metrics_url;
  std::string node_exporter_url;
  Bytes max_body{16U << 20U};
  /// Remembered lines of /metrics pages, one for all members of a process; nullptr: one a member.
  std::shared_ptr<LinePool> line_pool;
  /// Lines of the pages that users' rules ask for; nullptr: none.
  std::shared_ptr<const Wanted> wanted;
};

}  // namespace etcdmon::collect
