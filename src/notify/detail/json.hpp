// notify/detail/json.hpp: JSON bodies, and requests that carry them.
#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "net/http_client.hpp"

namespace etcdmon::notify::detail {

using Json = nlohmann::ordered_json;

/// Bytes that are no UTF-8 become U+FFFD: a member's name must not keep a page from leaving.
inline std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

inline net::HttpRequest json_post(Secret url, const Json& body) {
  net::HttpRequest request{.url = std::move(url)};
  request.headers.emplace_back("Content-Type", Secret("application/json"));
  request.body = text_of(body);
  return request;
}

}  // namespace etcdmon::notify::detail
