#include "api/stranger.hpp"

#include <string>

#include <fmt/format.h>

namespace etcdmon::api {

namespace {

std::string_view host_of(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
}

}  // namespace

std::optional<net::Response> refuse_stranger(const net::Request& request, const Caller& caller,
                                             std::string_view what) {
  const bool proxied = request.header("x-forwarded-for") || request.header("forwarded");
  if (caller.identity() == nullptr && (!request.loopback || proxied)) {
    return net::problem(403, "Only from this machine",
                        fmt::format("{} is asked for from the monitor's own machine, at its "
                                    "loopback address",
                                    what),
                        request.path);
  }
  const auto origin = request.header("origin");
  if (origin && host_of(*origin) != request.header("host").value_or("")) {
    return net::problem(403, "Not from another site", "the Origin is not this server",
                        request.path);
  }
  return std::nullopt;
}

}  // namespace etcdmon::api
