// net/http_server_message.hpp: what an HTTP handler is given and what it gives back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace etcdmon::net {

struct HttpField {
  std::string name;
  std::string value;
  bool operator==(const HttpField&) const = default;
};

/// One request, complete with its body.
struct Request {
  std::string method;            ///< "GET", as it was sent
  std::string target;            ///< as it was sent: "/api/v1/alerts?cluster=a%20b"
  std::string path;              ///< decoded, without the query: "/api/v1/alerts"
  std::vector<HttpField> query;  ///< decoded, in the order sent
  std::vector<HttpField> headers;
  std::string body;
  std::string remote;     ///< "127.0.0.1:53214"
  bool loopback = false;  ///< `remote` is this machine
  SteadyTime deadline;    ///< when the client is told 504, whatever the handler does

  /// The first header of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
  /// The first query parameter of that name. "?x" is empty, not absent.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<HttpField> headers;  ///< further ones; the server adds length, date and connection
  std::string body;
  /// Sent instead of `body` when set: bytes that many answers share.
  std::shared_ptr<const std::string> shared_body;

  std::string_view bytes() const {
    return shared_body ? std::string_view(*shared_body) : std::string_view(body);
  }
};

/// "Not Found"; "Status" for numbers without a name.
std::string_view reason_phrase(int status);

/// An RFC 9457 problem document. `more` is further members as JSON text: `"clusters":["a","b"]`.
Response problem(int status, std::string_view title, std::string_view detail,
                 std::string_view instance = {}, std::string_view more = {});
/// The same, titled by the status.
Response problem(int status, std::string_view detail);

/// Splits a request target into path and query and decodes both. Origin form, absolute form and
/// "*" are understood; false: none of these, or a broken escape.
bool parse_target(std::string_view target, std::string& path, std::vector<HttpField>& query);

/// How a response travels.
struct ResponseFraming {
  bool keep_alive = true;
  bool http10 = false;    ///< keeping the connection must be said
  std::string_view date;  ///< "Mon, 23 Nov 2026 15:00:00 GMT"; empty: no such header
};
/// The status line and all headers, with the empty line. Control characters in values become
/// spaces.
void append_response_head(std::string& out, const Response& response,
                          const ResponseFraming& framing);
/// Statuses that never carry a body: 1xx, 204, 304.
bool has_no_body(int status);

/// IMF-fixdate, as the Date header wants it.
std::string to_http_date(WallTime time);

}  // namespace etcdmon::net
