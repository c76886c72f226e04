#include "net/endpoint.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace etcdmon::net {

namespace {

Error bad(std::string_view text, std::string_view why) {
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("endpoint \"{}\": {}; write host:port, http://host:port or "
                           "https://host:port (IPv6 in brackets: [::1]:2379)",
                           text, why)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool is_ipv6_byte(char c) {
  return is_host_byte(c) || c == ':' || c == '%';
}

bool all_of(std::string_view text, bool (*allowed)(char)) {
  for (const char c : text) {
    if (!allowed(c)) return false;
  }
  return !text.empty();
}

}  // namespace

std::string Endpoint::url() const {
  return fmt::format("{}://{}", tls ? "https" : "http", authority());
}

std::string Endpoint::authority() const {
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  Endpoint endpoint;
  std::string_view rest = text;
  // Before anything is echoed: what stands before an @ may be a password.
  if (rest.find('@') != std::string_view::npos) {
    return bad("…", "user and password do not belong into an endpoint");
  }
  if (const auto scheme_end = rest.find("://"); scheme_end != std::string_view::npos) {
    const auto scheme = rest.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") {
      return bad(text, fmt::format("the scheme \"{}\" is not known", scheme));
    }
    endpoint.tls = scheme == "https";
    endpoint.scheme_given = true;
    rest.remove_prefix(scheme_end + 3);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) return bad(text, "it has a path");

  std::string_view port;
  bool port_given = false;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return bad(text, "a bracket is not closed");
    endpoint.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    port_given = !rest.empty();
    if (port_given && rest.front() != ':') return bad(text, "after ] comes :port");
    if (port_given) port = rest.substr(1);
    if (endpoint.host.find(':') == std::string::npos || !all_of(endpoint.host, is_ipv6_byte)) {
      return bad(text, "what stands in brackets is no IPv6 address");
    }
  } else {
    const auto colon = rest.find(':');
    if (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos) {
      return bad(text, "it has several colons");
    }
    endpoint.host = rest.substr(0, colon);
    port_given = colon != std::string_view::npos;
    if (port_given) port = rest.substr(colon + 1);
    if (endpoint.host.empty()) return bad(text, "the host is missing");
    if (!all_of(endpoint.host, is_host_byte)) return bad(text, "it has no valid host name");
  }

  endpoint.port = default_port;
  if (port_given) {
    const auto number = parse_port(port);
    if (!number) return bad(text, fmt::format("\"{}\" is no port (1 to 65535)", port));
    endpoint.port = *number;
  }
  return endpoint;
}

}  // namespace etcdmon::net
