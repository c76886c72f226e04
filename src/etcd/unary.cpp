#include "etcd/detail/unary.hpp"

namespace etcdmon::etcd {

Task<Result<std::string>> authorised_unary(rpc::Connection& connection,
                                           std::shared_ptr<TokenSource> tokens,
                                           std::string_view method, std::string request,
                                           Deadline deadline, bool* sent) {
  // Every Call has a name: g++ 12 destroys an aggregate twice that is made inside a co_await
  // expression.
  if (!tokens) {
    rpc::Call call{method, std::move(request), deadline, nullptr};
    call.sent = sent;
    co_return co_await connection.unary(std::move(call));
  }
  rpc::Metadata metadata;
  std::string token = tokens->current();
  if (!token.empty()) metadata.emplace_back("token", token);
  rpc::Call first{method, request, deadline, &metadata};
  first.sent = sent;
  auto answer = co_await connection.unary(std::move(first));
  if (answer || !is_not_authorised(answer.error())) co_return answer;
  // With a token that was accepted, the user simply may not; a new one would not change that.
  if (answer.error().code == ErrorCode::kPermissionDenied && !token.empty()) co_return answer;

  auto renewed = co_await tokens->renew(connection, token, deadline);
  if (!renewed || *renewed == token) co_return answer;
  // Authentication may have been turned off meanwhile: 3.4 then refuses any token.
  metadata.clear();
  if (!renewed->empty()) metadata.emplace_back("token", std::move(*renewed));
  rpc::Call second{method, std::move(request), deadline, &metadata};
  second.sent = sent;
  co_return co_await connection.unary(std::move(second));
}

}  // namespace etcdmon::etcd
