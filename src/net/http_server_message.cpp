#include "net/http_server_message.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "base/json_text.hpp"

namespace etcdmon::net {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus : bool { kLiteral, kSpace };

bool append_decoded(std::string& out, std::string_view text, Plus plus) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += c == '+' && plus == Plus::kSpace ? ' ' : c;
    }
  }
  return true;
}

bool parse_query(std::string_view text, std::vector<HttpField>& query) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    HttpField field;
    if (!append_decoded(field.name, pair.substr(0, equals), Plus::kSpace)) return false;
    if (equals != std::string_view::npos &&
        !append_decoded(field.value, pair.substr(equals + 1), Plus::kSpace)) {
      return false;
    }
    query.push_back(std::move(field));
  }
  return true;
}

void append_field_value(std::string& out, std::string_view value) {
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& field : headers) {
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& field : query) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

Response problem(int status, std::string_view title, std::string_view detail,
                 std::string_view instance, std::string_view more) {
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  std::string& body = response.body;
  body = R"({"type":"about:blank","title":)";
  append_json_string(body, title);
  fmt::format_to(std::back_inserter(body), R"(,"status":{},"detail":)", status);
  append_json_string(body, detail);
  if (!instance.empty()) {
    body += R"(,"instance":)";
    append_json_string(body, instance);
  }
  if (!more.empty()) {
    body += ',';
    body += more;
  }
  body += "}\n";
  return response;
}

Response problem(int status, std::string_view detail) {
  return problem(status, reason_phrase(status), detail);
}

bool parse_target(std::string_view target, std::string& path, std::vector<HttpField>& query) {
  path.clear();
  query.clear();
  if (target == "*") {
    path = "*";
    return true;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    target.remove_prefix(std::min(target.find_first_of("/?", scheme.size()), target.size()));
    if (target.empty() || target.front() == '?') path = "/";
    break;
  }
  if (path.empty() && !target.starts_with('/')) return false;
  const auto mark = target.find('?');
  if (!append_decoded(path, target.substr(0, mark), Plus::kLiteral)) return false;
  return mark == std::string_view::npos || parse_query(target.substr(mark + 1), query);
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

void append_response_head(std::string& out, const Response& response,
                          const ResponseFraming& framing) {
  const auto to = std::back_inserter(out);
  if (response.status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    fmt::format_to(to, "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  }
  if (!framing.date.empty()) {
    out += "Date: ";
    out += framing.date;
    out += "\r\n";
  }
  if (!has_no_body(response.status)) {
    out += "Content-Type: ";
    append_field_value(out, response.content_type);
    out += "\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ";
    const fmt::format_int length(response.bytes().size());
    out.append(length.data(), length.size());
    out += "\r\n";
  }
  for (const auto& field : response.headers) {
    append_field_value(out, field.name);
    out += ": ";
    append_field_value(out, field.value);
    out += "\r\n";
  }
  if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (framing.http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

std::string to_http_date(WallTime time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

}  // namespace etcdmon::net
