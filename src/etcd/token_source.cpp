#include "etcd/detail/token_source.hpp"

#include <utility>

#include "wire/auth.pb.h"

namespace etcdmon::etcd {

namespace {

constexpr std::string_view kLoggingIn = "logging in as ";
constexpr std::string_view kAuthNotEnabled = "etcdserver: authentication is not enabled";

// A wrong password does not get right by trying; a busy cluster may.
constexpr std::chrono::seconds kRefusedWait{30};
constexpr async::RetryPolicy kBackoff{.base = std::chrono::seconds(2),
                                      .cap = std::chrono::seconds(60),
                                      .floor = std::chrono::seconds(1)};

// Frees the place of the one that logs in, also when it is cancelled.
class Turn {
 public:
  Turn(bool& busy, async::Event& idle) : busy_(busy), idle_(idle) { busy_ = true; }
  ~Turn() {
    busy_ = false;
    idle_.set();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  bool& busy_;
  async::Event& idle_;
};

}  // namespace

std::shared_ptr<TokenSource> make_token_source(Credentials credentials) {
  return std::make_shared<TokenSource>(std::move(credentials));
}

std::optional<std::string_view> login_failure(const Error& error) {
  const std::string_view message = error.message;
  const auto end = message.find(": ");
  if (error.cause != Cause::kNone || !message.starts_with(kLoggingIn) ||
      end == std::string_view::npos)
    return std::nullopt;
  return message.substr(end + 2);
}

std::optional<Error> last_login_error(const TokenSource& tokens) {
  return tokens.last_error();
}

Task<Result<std::string>> TokenSource::renew(rpc::Connection& connection, std::string refused,
                                             Deadline deadline) {
  while (busy_) {
    idle_.reset();
    const bool woken = co_await idle_.wait_until(deadline);
    if (!woken) {
      co_return Error{ErrorCode::kDeadlineExceeded, "waiting for another login to end",
                      Cause::kTimeout};
    }
  }
  if (!token_.empty() && token_ != refused) co_return token_;
  const auto now = std::chrono::steady_clock::now();
  if (now < not_before_ && last_error_) co_return *last_error_;

  const Turn turn(busy_, idle_);
  auto token = co_await authenticate(connection, deadline);
  if (!token) {
    failed(token.error(), std::chrono::steady_clock::now());
    co_return token.error();
  }
  failures_ = 0;
  last_error_.reset();
  token_ = *token;
  co_return std::move(*token);
}

Task<Result<std::string>> TokenSource::authenticate(rpc::Connection& connection,
                                                    Deadline deadline) const {
  wire::AuthenticateRequest request;
  request.set_name(credentials_.user);
  request.set_password(credentials_.password.reveal());
  rpc::Call call{"/etcdserverpb.Auth/Authenticate", request.SerializeAsString(), deadline};
  auto answer = co_await connection.unary(std::move(call));
  if (!answer) {
    if (answer.error().code == ErrorCode::kFailedPrecondition &&
        answer.error().message.find(kAuthNotEnabled) != std::string::npos) {
      co_return std::string{};
    }
    co_return with_context(std::move(answer).error(), std::string(kLoggingIn) + credentials_.user);
  }
  wire::AuthenticateResponse response;
  if (!response.ParseFromString(*answer)) {
    co_return Error{ErrorCode::kInternal, "Authenticate: the answer is not an AuthenticateResponse",
                    Cause::kProtocol};
  }
  co_return response.token();
}

void TokenSource::failed(const Error& error, SteadyTime now) {
  last_error_ = error;
  // No connection says nothing about the login; another member may take it at once.
  if (error.cause != Cause::kNone && error.cause != Cause::kTimeout) return;
  ++failures_;
  const bool refused = error.cause == Cause::kNone && !is_retryable(error.code);
  not_before_ = now + (refused ? std::chrono::milliseconds(kRefusedWait)
                               : *kBackoff.next(failures_, random_));
}

}  // namespace etcdmon::etcd
