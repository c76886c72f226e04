// api/prometheus.hpp: everything known of the clusters, as Prometheus reads it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/cluster_view.hpp"
#include "net/http_server.hpp"

namespace etcdmon::api {

/// The families about clusters, members and links, one at a time: a thousand members make some
/// 10 MB, which must not hold the loop up in one go. A family holds all clusters, as the format
/// wants. What is unknown has no sample.
///
/// Threads: one at a time.
class ClusterExposition {
 public:
  /// Null views are left out.
  explicit ClusterExposition(std::vector<model::ClusterViewPtr> views);

  std::size_t families() const;
  void append(std::string& out, std::size_t family) const;

  /// A view with the labels that its samples share, made once.
  struct Labelled {
    model::ClusterViewPtr view;
    std::string labels;                ///< cluster="…"
    std::vector<std::string> members;  ///< cluster="…",member_id="…",member="…"; empty: a duplicate
  };

 private:
  std::vector<Labelled> clusters_;
};

/// etcdmon_build_info and etcdmon_uptime_seconds.
void append_build(std::string& out, std::string_view version, std::string_view build,
                  double uptime_seconds);
void append_http_counts(std::string& out, const net::HttpServerCounts& counts);

}  // namespace etcdmon::api
