#include "rpc/status.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::rpc {

namespace {

constexpr std::string_view kGrpcContent = "application/grpc";
// Of a content type that is told to people.
constexpr std::size_t kShownContentType = 64;

bool is_grpc_content(std::string_view value) {
  if (!value.starts_with(kGrpcContent)) return false;
  value.remove_prefix(kGrpcContent.size());
  return value.empty() || value.front() == '+' || value.front() == ';';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    decoded.push_back(text[i]);
  }
  return decoded;
}

// The length of the well-formed UTF-8 sequence at the front, 0 if there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80U) return 1;
  if (lead >= 0xc2U && lead <= 0xdfU) return tail(1) ? 2 : 0;
  if (lead >= 0xe0U && lead <= 0xefU) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xe0U && byte(1) < 0xa0U) return 0;
    if (lead == 0xedU && byte(1) > 0x9fU) return 0;
    return 3;
  }
  if (lead >= 0xf0U && lead <= 0xf4U) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xf0U && byte(1) < 0x90U) return 0;
    if (lead == 0xf4U && byte(1) > 0x8fU) return 0;
    return 4;
  }
  return 0;
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_sequence(text);
    if (length == 0) {
      clean += "\xef\xbf\xbd";
    } else if (length == 1 &&
               (static_cast<unsigned char>(text.front()) < 0x20U || text.front() == 0x7f)) {
      clean.push_back(' ');
    } else {
      clean.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

std::string what_answered(const ResponseHead& head) {
  if (head.http_status != 200)
    return fmt::format("the peer answered HTTP {} and no grpc-status", head.http_status);
  if (head.grpc_content) return "the peer ended the call without a grpc-status";
  return fmt::format("the peer is no gRPC server: HTTP 200 with content-type \"{}\"",
                     head.content_type);
}

Error not_grpc(const ResponseHead& head) {
  return Error{code_of_http_status(head.http_status), what_answered(head), Cause::kProtocol};
}

}  // namespace

void ResponseHead::take(std::string_view name, std::string_view value) {
  if (name == ":status") {
    http_status = 0;
    std::from_chars(value.data(), value.data() + value.size(), http_status);
  } else if (name == "content-type") {
    grpc_content = is_grpc_content(value);
    if (!grpc_content) content_type = printable(value.substr(0, kShownContentType));
  } else if (name == "grpc-status") {
    grpc_status = parse_grpc_status(value);
  } else if (name == "grpc-message") {
    grpc_message.assign(value);
  }
}

void ResponseHead::begin_block() {
  grpc_status.reset();
  grpc_message.clear();
}

void ResponseHead::reset() {
  http_status = 0;
  grpc_content = false;
  content_type.clear();
  begin_block();
}

std::optional<Error> outcome_of(const ResponseHead& head) {
  if (!head.grpc_status) return not_grpc(head);
  if (*head.grpc_status == ErrorCode::kOk) return std::nullopt;
  return Error{*head.grpc_status, decode_grpc_message(head.grpc_message), Cause::kNone};
}

std::optional<Error> refusal_in(const ResponseHead& head) {
  if (head.http_status < 200) return std::nullopt;
  if (head.http_status == 200 && head.grpc_content) return std::nullopt;
  return not_grpc(head);
}

ErrorCode parse_grpc_status(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > 16)
    return ErrorCode::kUnknown;
  return static_cast<ErrorCode>(number);
}

std::string decode_grpc_message(std::string_view text) {
  return printable(percent_decoded(text));
}

ErrorCode code_of_http_status(int status) {
  switch (status) {
    case 400:
      return ErrorCode::kInternal;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kUnknown;
  }
}

ErrorCode code_of_http2_error(std::uint32_t error_code) {
  switch (error_code) {
    case 0x7:
      return ErrorCode::kUnavailable;  // REFUSED_STREAM: not processed
    case 0x8:
      return ErrorCode::kCancelled;  // CANCEL
    case 0xb:
      return ErrorCode::kResourceExhausted;  // ENHANCE_YOUR_CALM
    case 0xc:
      return ErrorCode::kPermissionDenied;  // INADEQUATE_SECURITY
    default:
      return ErrorCode::kInternal;
  }
}

std::string name_of_http2_error(std::uint32_t error_code) {
  static constexpr std::array<std::string_view, 14> kNames{"NO_ERROR",
                                                           "PROTOCOL_ERROR",
                                                           "INTERNAL_ERROR",
                                                           "FLOW_CONTROL_ERROR",
                                                           "SETTINGS_TIMEOUT",
                                                           "STREAM_CLOSED",
                                                           "FRAME_SIZE_ERROR",
                                                           "REFUSED_STREAM",
                                                           "CANCEL",
                                                           "COMPRESSION_ERROR",
                                                           "CONNECT_ERROR",
                                                           "ENHANCE_YOUR_CALM",
                                                           "INADEQUATE_SECURITY",
                                                           "HTTP_1_1_REQUIRED"};
  if (error_code < kNames.size()) return std::string(kNames[error_code]);
  return fmt::format("{:#x}", error_code);
}

}  // namespace etcdmon::rpc
