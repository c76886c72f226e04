// net/endpoint.hpp: where a server is reached.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace etcdmon::net {

/// A parsed "host:port", "http://host:port" or "https://host:port"; IPv6 hosts in brackets.
struct Endpoint {
  bool tls = false;
  std::string host;  ///< name or address, IPv6 without brackets
  std::uint16_t port = 0;
  bool scheme_given = false;  ///< false: "host:port"; the caller decides about TLS

  /// "https://[::1]:2379"
  std::string url() const;
  /// "[::1]:2379": also HTTP/2's :authority.
  std::string authority() const;
  bool operator==(const Endpoint&) const = default;
};

/// Errors: kInvalidArgument, with a message that says how to write it. A path is refused, except
/// "/".
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 2379);

}  // namespace etcdmon::net
