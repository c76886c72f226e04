#include "kit/split_port.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "async/task_scope.hpp"
#include "async/when_all.hpp"
#include "kit/loop_thread.hpp"

namespace etcdmon::kit {

namespace {

using asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Bytes = std::array<char, 16384>;

tcp::endpoint local(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

Task<> pass_on(Socket& from, Socket& to) {
  Bytes bytes{};
  for (;;) {
    const auto [failed, size] = co_await from.async_read_some(asio::buffer(bytes), as_result);
    if (failed) break;
    const auto [lost, written] =
        co_await asio::async_write(to, asio::buffer(bytes.data(), size), as_result);
    if (lost) break;
  }
  boost::system::error_code ignored;
  to.shutdown(Socket::shutdown_send, ignored);
}

Task<> serve(Socket client, std::uint16_t http, std::uint16_t rest) {
  Bytes bytes{};
  const auto [failed, size] = co_await client.async_read_some(asio::buffer(bytes), as_result);
  if (failed) co_return;
  const bool is_get = std::string_view(bytes.data(), size).starts_with("GET ");
  Socket target(client.get_executor());
  const auto where = local(is_get ? http : rest);
  const auto [refused] = co_await target.async_connect(where, as_result);
  if (refused) co_return;
  co_await asio::async_write(target, asio::buffer(bytes.data(), size), as_result);
  std::vector<Task<>> both;
  both.push_back(pass_on(client, target));
  both.push_back(pass_on(target, client));
  co_await async::when_all(std::move(both));
}

}  // namespace

struct SplitPort::State {
  LoopThread thread;
  std::unique_ptr<async::TaskScope> scope;
  std::unique_ptr<Acceptor> acceptor;
  std::uint16_t port = 0;

  Task<> accept(std::uint16_t http, std::uint16_t rest) {
    for (;;) {
      auto client = co_await acceptor->async_accept(use_task);
      scope->spawn("connection", serve(std::move(client), http, rest));
    }
  }
};

SplitPort::SplitPort(std::uint16_t http, std::uint16_t rest) : state_(std::make_unique<State>()) {
  auto& state = *state_;
  state.thread.call([&state, http, rest] {
    const auto executor = state.thread.executor();
    state.scope = std::make_unique<async::TaskScope>(executor, Logger{});
    state.acceptor = std::make_unique<Acceptor>(executor, local(0));
    state.port = state.acceptor->local_endpoint().port();
    state.scope->spawn("accept", state.accept(http, rest));
  });
}

SplitPort::~SplitPort() {
  state_->thread.run(state_->scope->close());
  state_->thread.call([this] {
    state_->acceptor.reset();
    state_->scope.reset();
  });
}

std::string SplitPort::url() const {
  return fmt::format("http://127.0.0.1:{}", state_->port);
}

}  // namespace etcdmon::kit
