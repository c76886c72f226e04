// api/which_cluster.hpp: the cluster that a request is about.
#pragma once

#include <optional>
#include <string>

#include "api/view_source.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api {

/// Sets `name` from `?cluster=NAME`, which may be left out where there is only one. The answer when
/// that fails: 400 where it is missing, 404 where it is unknown, with the names that there are.
std::optional<net::Response> choose_cluster(const net::Request& request, const ViewSource& source,
                                            std::string& name);

}  // namespace etcdmon::api
