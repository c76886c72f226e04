// api/rest/pages.hpp: the JSON pages about one cluster, each a pure function of its view.
#pragma once

#include <span>
#include <string>

#include "api/view_source.hpp"
#include "model/cluster_view.hpp"

namespace etcdmon::api::rest {

/// Every number is null, never 0, where it is not known. Ids are exact JSON numbers, each with a
/// `…_hex` twin. Times are RFC 3339 in UTC; ages are as of `timestamp`.

/// The specification's fields and the whole judgement. `healthy` is false while it is not known
/// whether the cluster is healthy; `state` tells the two apart.
std::string status_page(const model::ClusterView& view);
std::string members_page(const model::ClusterView& view);
std::string leader_page(const model::ClusterView& view);
std::string peers_page(const model::ClusterView& view);
std::string current_metrics_page(const model::ClusterView& view);
std::string latency_page(const model::ClusterView& view);
std::string alerts_page(const model::ClusterView& view);
std::string events_page(const model::ClusterView& view);

/// One line a cluster. Views may be null where there is none yet.
std::string clusters_page(std::span<const std::string> names,
                          std::span<const model::ClusterViewPtr> views);

/// True once a cluster's first judgement is there.
bool is_ready(const model::ClusterViewPtr& view);
/// `ready` is about all clusters, also those that are not named.
std::string health_page(const MonitorFacts& monitor, bool ready, std::span<const std::string> names,
                        std::span<const model::ClusterViewPtr> views);

}  // namespace etcdmon::api::rest
