#include "net/detail/socket_error.hpp"

#include <cctype>
#include <cerrno>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace etcdmon::net::detail {

namespace {

Cause cause_of(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
      return Cause::kRefused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
      return Cause::kUnreachable;
    case ETIMEDOUT:
      return Cause::kTimeout;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
      return Cause::kReset;
    default:
      return Cause::kLocal;
  }
}

}  // namespace

Error socket_error(std::string_view doing, int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return Error{ErrorCode::kUnavailable, fmt::format("{}: {}", doing, text), cause_of(error_number)};
}

Error timeout_error(std::string_view doing, std::string_view what) {
  return Error{ErrorCode::kDeadlineExceeded, fmt::format("{}: {}", doing, what), Cause::kTimeout};
}

}  // namespace etcdmon::net::detail
