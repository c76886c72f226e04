// collect/url_pattern.hpp: URLs with holes for a member's host, name and id.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "net/endpoint.hpp"

namespace etcdmon::collect {

/// Fills {host} (IPv6 in brackets), {port}, {name} and {id} (hex). A pattern without "://" gets
/// "http://" in front; one without a path gets `default_path`.
std::string fill_url_pattern(std::string_view pattern, const net::Endpoint& member,
                             std::string_view name, MemberId id, std::string_view default_path);

}  // namespace etcdmon::collect
