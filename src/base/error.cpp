#include "base/error.hpp"

#include <fmt/format.h>

namespace etcdmon {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kOk:
      return "OK";
    case ErrorCode::kCancelled:
      return "Canceled";
    case ErrorCode::kUnknown:
      return "Unknown";
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kDeadlineExceeded:
      return "DeadlineExceeded";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kAlreadyExists:
      return "AlreadyExists";
    case ErrorCode::kPermissionDenied:
      return "PermissionDenied";
    case ErrorCode::kResourceExhausted:
      return "ResourceExhausted";
    case ErrorCode::kFailedPrecondition:
      return "FailedPrecondition";
    case ErrorCode::kAborted:
      return "Aborted";
    case ErrorCode::kOutOfRange:
      return "OutOfRange";
    case ErrorCode::kUnimplemented:
      return "Unimplemented";
    case ErrorCode::kInternal:
      return "Internal";
    case ErrorCode::kUnavailable:
      return "Unavailable";
    case ErrorCode::kDataLoss:
      return "DataLoss";
    case ErrorCode::kUnauthenticated:
      return "Unauthenticated";
  }
  return "Unknown";
}

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::kNone:
      return "none";
    case Cause::kDns:
      return "dns";
    case Cause::kRefused:
      return "refused";
    case Cause::kUnreachable:
      return "unreachable";
    case Cause::kTimeout:
      return "timeout";
    case Cause::kReset:
      return "reset";
    case Cause::kGoAway:
      return "goaway";
    case Cause::kTls:
      return "tls";
    case Cause::kProtocol:
      return "protocol";
    case Cause::kLocal:
      return "local";
  }
  return "none";
}

Error with_context(Error error, std::string_view doing) {
  error.message = fmt::format("{}: {}", doing, error.message);
  return error;
}

bool is_retryable(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kAborted:
      return true;
    default:
      return false;
  }
}

}  // namespace etcdmon
