// api/which_cluster.hpp: the cluster that a request is about.
#pragma once

#include <optional>
#include <string>

#include "api/caller.hpp"
#include "api/view_source.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api {

/// Sets `name` from `?cluster=NAME`, which may be left out where there is only one. The answer when
/// that fails: 400 where it is missing, 404 where it is unknown, with the names that the caller may
/// see; 403 where he may not see this one.
std::optional<net::Response> choose_cluster(const net::Request& request, const ViewSource& source,
                                            const Caller& caller, std::string& name);
/// What `?cluster=NAME` means where it may be left out. Empty: it is not said, and there are
/// several.
std::string cluster_of(const net::Request& request, const std::vector<std::string>& names);

}  // namespace etcdmon::api
