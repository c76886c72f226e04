// api/stranger.hpp: who may change something, and from where.
#pragma once

#include <optional>
#include <string_view>

#include "api/caller.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api {

/// While authentication is off, what changes or loads anything is done from the monitor's own
/// machine. A proxy makes everybody look local, and a browser lends its place, and the credentials
/// that it keeps, to any page: neither counts. nullopt: it may. `what` begins the sentence: "a
/// benchmark".
std::optional<net::Response> refuse_stranger(const net::Request& request, const Caller& caller,
                                             std::string_view what);

}  // namespace etcdmon::api
