// api/testing/answer.hpp: runs a handler's task to its end in a unit test.
#pragma once

#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "async/task.hpp"
#include "net/http_server_message.hpp"

namespace etcdmon::api::testing {

inline net::Response answer_of(Task<net::Response> task) {
  Loop loop{1};
  std::exception_ptr failure;
  net::Response answer;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, net::Response response) {
    failure = e;
    answer = std::move(response);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return answer;
}

}  // namespace etcdmon::api::testing
