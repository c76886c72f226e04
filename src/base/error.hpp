// base/error.hpp: why something could not be found out or done.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace etcdmon {

/// gRPC's status codes by their own numbers, so that what a peer said survives to the caller.
/// The code decides what to do; the message is for people.
enum class ErrorCode : std::uint8_t {
  kOk = 0,  ///< never inside an Error; there so that a wire status has a name
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// What the transport saw, for errors that did not come from the far side's gRPC layer.
/// kNone: the peer answered with this code itself, so the peer is alive.
enum class Cause : std::uint8_t {
  kNone,
  kDns,          ///< the name did not resolve
  kRefused,      ///< nothing listens there (ECONNREFUSED)
  kUnreachable,  ///< no route, network or host unreachable
  kTimeout,      ///< no answer within the deadline
  kReset,        ///< connection reset or ended in the middle
  kGoAway,       ///< the peer asked to go: HTTP/2 GOAWAY
  kTls,          ///< handshake failed: certificate, name, version
  kProtocol,     ///< the peer does not speak the protocol expected (HTTP/2, gRPC, HTTP/1.1)
  kLocal,        ///< this process could not: no descriptors, no memory, shutting down
};

/// `message` says what was being done, then the cause; it never carries a secret.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message = "unset";
  Cause cause = Cause::kNone;

  bool operator==(const Error&) const = default;
};

/// gRPC's spelling: "PermissionDenied".
std::string_view name_of(ErrorCode code);
/// Lower case, as shown to people and in metrics: "refused".
std::string_view name_of(Cause cause);

/// The same error with what was being done in front: "reading member list of prod-a: <message>".
Error with_context(Error error, std::string_view doing);

/// True where the same call may succeed later without any change here.
/// It says nothing about whether repeating the call is safe.
bool is_retryable(ErrorCode code);

}  // namespace etcdmon
