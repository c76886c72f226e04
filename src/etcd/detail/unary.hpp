// etcd/detail/unary.hpp: one typed call, with the cluster's token.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "etcd/channel.hpp"
#include "etcd/detail/token_source.hpp"
#include "rpc/connection.hpp"

namespace etcdmon::etcd {

/// One call with the cluster's token, and once more with a fresh one if the member refuses that: a
/// refused call has changed nothing. `sent` as in rpc::Call.
Task<Result<std::string>> authorised_unary(rpc::Connection& connection,
                                           std::shared_ptr<TokenSource> tokens,
                                           std::string_view method, std::string request,
                                           Deadline deadline, bool* sent = nullptr);

template <class Response>
Result<Response> parse(Result<std::string> answer, std::string_view method) {
  if (!answer) return std::move(answer).error();
  Response response;
  if (!response.ParseFromString(*answer)) {
    return Error{ErrorCode::kInternal, fmt::format("{}: the answer is no such message", method),
                 Cause::kProtocol};
  }
  return response;
}

/// A call through whichever endpoint of the channel answers.
template <class Response, class Request>
Task<Result<Response>> ask(Channel& channel, std::string_view method, Repeat repeat,
                           Request request, Deadline deadline) {
  Ask call(method, request.SerializeAsString(), repeat, deadline);
  auto answer = co_await channel.call(std::move(call));
  co_return parse<Response>(std::move(answer), method);
}

}  // namespace etcdmon::etcd
