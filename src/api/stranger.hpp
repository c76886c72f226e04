// api/stranger.hpp: who may change something while nobody can prove who he is.
#pragma once

#include <optional>
#include <string_view>

#include "net/http_server_message.hpp"

namespace etcdmon::api {

/// Until there is authentication, what changes or loads anything is done from the monitor's own
/// machine. A proxy makes everybody look local, and a browser lends its place to any page: neither
/// counts. nullopt: it may. `what` begins the sentence: "a benchmark".
std::optional<net::Response> refuse_stranger(const net::Request& request, std::string_view what);

}  // namespace etcdmon::api
