#include "net/http_server.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include "async/task_scope.hpp"
#include "net/detail/http_server_session.hpp"
#include "net/detail/socket_stream.hpp"

namespace etcdmon::net {

namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using detail::Socket;

// Connections beyond the limit that are told so; more are closed without a word.
constexpr std::size_t kMostTurnedAway = 64;
constexpr std::chrono::milliseconds kShortestPause{5};
constexpr std::chrono::milliseconds kLongestPause{1'000};

Result<std::vector<tcp::endpoint>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); failure != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("listen on {}: {}", host, ::gai_strerror(failure)), Cause::kLocal};
  }
  // "localhost" is what people type into clients that try IPv4 first.
  std::vector<tcp::endpoint> endpoints;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
      if (entry->ai_family != family) continue;
      tcp::endpoint endpoint;
      endpoint.resize(entry->ai_addrlen);
      std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
      endpoint.port(port);
      endpoints.push_back(endpoint);
    }
  }
  ::freeaddrinfo(found);
  if (endpoints.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("listen on {}: no address of that name", host), Cause::kLocal};
  }
  return endpoints;
}

// In the order to try: the first that can be bound is taken.
Result<std::vector<tcp::endpoint>> candidates(const HttpServerOptions& options) {
  std::string host = options.host;
  if (host.empty()) {
    return std::vector{tcp::endpoint(tcp::v6(), options.port),
                       tcp::endpoint(tcp::v4(), options.port)};
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) return std::vector{tcp::endpoint(address, options.port)};
  return look_up(host, options.port);
}

Error listen_error(const tcp::endpoint& endpoint, const boost::system::error_code& error) {
  ErrorCode code = ErrorCode::kUnavailable;
  if (error.value() == EADDRINUSE) code = ErrorCode::kAlreadyExists;
  if (error.value() == EACCES) code = ErrorCode::kPermissionDenied;
  if (error.value() == EADDRNOTAVAIL) code = ErrorCode::kInvalidArgument;
  return Error{code,
               fmt::format("listen on {}: {}", detail::to_string(endpoint),
                           std::generic_category().message(error.value())),
               Cause::kLocal};
}

Result<Acceptor> bind(Executor executor, const tcp::endpoint& endpoint) {
  Acceptor acceptor(executor);
  boost::system::error_code error;
  boost::system::error_code ignored;
  acceptor.open(endpoint.protocol(), error);
  if (error) return listen_error(endpoint, error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), ignored);
  if (endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), ignored);
  }
  acceptor.bind(endpoint, error);
  if (error) return listen_error(endpoint, error);
  acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return listen_error(endpoint, error);
  return acceptor;
}

bool is_loopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

}  // namespace

class HttpServer::Listener {
 public:
  Listener(Executor executor, HttpServerOptions options, Handler handler, Logger logger,
           Acceptor acceptor)
      : acceptor_(std::move(acceptor)), scope_(executor, logger) {
    shared_.options = std::move(options);
    shared_.handler = std::move(handler);
    shared_.logger = std::move(logger);
    shared_.no_sessions.set();
    boost::system::error_code ignored;
    local_ = acceptor_.local_endpoint(ignored);
    address_ = detail::to_string(local_);
  }

  void start() {
    scope_.spawn("http accept", accept());
    scope_.spawn("http timeouts", sweep());
  }

  Task<> stop(Deadline deadline) {
    shared_.stopping = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (auto* session : shared_.sessions) session->close_if_idle();
    co_await shared_.no_sessions.wait_until(deadline);
    co_await scope_.close();
  }

  std::uint16_t port() const { return local_.port(); }
  const std::string& address() const { return address_; }
  const HttpServerCounts& counts() {
    shared_.counts.connections_open = shared_.sessions.size();
    return shared_.counts;
  }

 private:
  Task<> accept();
  Task<> sweep();
  Task<> serve(std::unique_ptr<Stream> stream, bool loopback, detail::Admission admission);
  void admit(Socket socket);
  std::chrono::milliseconds pause_after(const boost::system::error_code& error);

  detail::HttpShared shared_;
  Acceptor acceptor_;
  tcp::endpoint local_;
  std::string address_;
  std::uint32_t failures_in_a_row_ = 0;
  async::TaskScope scope_;
};

Task<> HttpServer::Listener::accept() {
  while (!shared_.stopping) {
    auto [error, socket] = co_await acceptor_.async_accept(as_result);
    if (shared_.stopping || error == asio::error::operation_aborted) co_return;
    if (error) {
      co_await async::sleep_for(pause_after(error));
      continue;
    }
    if (failures_in_a_row_ > 0) shared_.logger.info("accepting connections again");
    failures_in_a_row_ = 0;
    admit(std::move(socket));
  }
}

// Out of descriptors or memory, trying again at once would only burn the processor.
std::chrono::milliseconds HttpServer::Listener::pause_after(
    const boost::system::error_code& error) {
  ++shared_.counts.accept_failures;
  if (failures_in_a_row_ == 0 && error != asio::error::connection_aborted) {
    shared_.logger.warn("cannot accept connections, trying again",
                        {{"address", address_}, {"error", error.message()}});
  }
  const auto doublings = std::min(failures_in_a_row_++, 8U);
  return std::min(kShortestPause * (1U << doublings), kLongestPause);
}

void HttpServer::Listener::admit(Socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  ++shared_.counts.connections;
  auto admission = detail::Admission::kServed;
  if (shared_.served >= shared_.options.max_connections) {
    ++shared_.counts.connections_refused;
    if (shared_.turned_away >= kMostTurnedAway) return;
    admission = detail::Admission::kTurnedAway;
  }
  scope_.spawn("http connection",
               serve(Stream::adopt(std::move(socket)), is_loopback(peer.address()), admission));
}

Task<> HttpServer::Listener::serve(std::unique_ptr<Stream> stream, bool loopback,
                                   detail::Admission admission) {
  detail::HttpSession session(shared_, std::move(stream), loopback, admission);
  co_await session.run();
}

Task<> HttpServer::Listener::sweep() {
  for (;;) {
    co_await async::sleep_for(shared_.options.sweep_interval);
    const auto now = std::chrono::steady_clock::now();
    for (auto* session : shared_.sessions) session->sweep(now);
  }
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Executor executor, HttpServerOptions options,
                                                       Handler handler, Logger logger) {
  const auto endpoints = candidates(options);
  if (!endpoints) return endpoints.error();
  Error last;
  for (const auto& endpoint : *endpoints) {
    auto acceptor = bind(executor, endpoint);
    if (acceptor) {
      auto listener = std::make_unique<Listener>(executor, std::move(options), std::move(handler),
                                                 std::move(logger), *std::move(acceptor));
      return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
    }
    last = std::move(acceptor).error();
  }
  return last;
}

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
HttpServer::~HttpServer() = default;
void HttpServer::start() {
  listener_->start();
}
Task<> HttpServer::stop(Deadline deadline) {
  return listener_->stop(deadline);
}
std::uint16_t HttpServer::port() const {
  return listener_->port();
}
const std::string& HttpServer::address() const {
  return listener_->address();
}
const HttpServerCounts& HttpServer::counts() const {
  return listener_->counts();
}

}  // namespace etcdmon::net
