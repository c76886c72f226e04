#include "kit/http_impostor.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <strings.h>

#include "async/task_scope.hpp"
#include "kit/loop_thread.hpp"
#include "kit/run.hpp"

namespace etcdmon::kit {

namespace {

using asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;

std::string path_of(const std::string& target) {
  return target.substr(0, target.find('?'));
}

std::string trim(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin);
}

// The head up to its empty line; false where it is no HTTP.
bool parse_head(const std::string& head, HttpImpostor::Request& request) {
  const auto line_end = head.find("\r\n");
  const auto first = head.find(' ');
  const auto second = head.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos || second > line_end) return false;
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  for (auto at = line_end + 2; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    const auto colon = head.find(':', at);
    if (colon < end) {
      request.headers.emplace_back(head.substr(at, colon - at),
                                   trim(head.substr(colon + 1, end - colon - 1)));
    }
    at = end + 2;
  }
  return true;
}

std::string head_of(const HttpImpostor::Reply& reply) {
  std::string head = fmt::format("HTTP/1.1 {} Whatever\r\n", reply.status);
  for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
  if (reply.framing == HttpImpostor::Framing::kLength) {
    head += fmt::format("Content-Length: {}\r\n", reply.body.size() * reply.repeat);
  } else if (reply.framing == HttpImpostor::Framing::kChunked) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  return head + "\r\n";
}

std::string framed(const HttpImpostor::Reply& reply, std::string_view piece) {
  if (reply.framing != HttpImpostor::Framing::kChunked) return std::string(piece);
  return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace

std::string HttpImpostor::Request::header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (::strcasecmp(key.c_str(), name.c_str()) == 0) return value;
  }
  return "";
}

struct HttpImpostor::State {
  State() : acceptor(thread.executor()), scope(thread.executor(), Logger{}) {}

  // Everything below belongs to the thread's loop.
  LoopThread thread;
  Acceptor acceptor;
  std::uint16_t port = 0;
  std::map<std::string, Handler> handlers;
  Reply fallback{.status = 404, .body = "not found\n"};
  std::vector<Request> requests;
  int connections = 0;
  async::TaskScope scope;

  void listen() {
    const tcp::endpoint here(asio::ip::address_v4::loopback(), 0);
    acceptor.open(here.protocol());
    acceptor.bind(here);
    acceptor.listen();
    port = acceptor.local_endpoint().port();
    scope.spawn("accept", accept());
  }

  Task<> accept() {
    for (;;) {
      Socket socket(thread.executor());
      auto [error] = co_await acceptor.async_accept(socket, as_result);
      if (error == asio::error::operation_aborted) co_return;
      if (error) continue;
      scope.spawn("connection", serve(std::move(socket), ++connections));
    }
  }

  Task<> serve(Socket socket, int number) {
    std::string buffer;
    for (;;) {
      Request request;
      request.connection = number;
      const bool understood = co_await receive(socket, buffer, request);
      if (!understood) co_return;
      requests.push_back(request);
      const auto handler = handlers.find(path_of(request.target));
      const Reply reply = handler == handlers.end() ? fallback : handler->second(request);
      const bool sent = co_await send(socket, reply);
      if (!sent) co_return;
      if (reply.after == After::kHang) {
        co_await async::sleep_for(std::chrono::hours(1));
      }
      if (reply.after == After::kReset) socket.set_option(asio::socket_base::linger(true, 0));
      if (reply.after != After::kKeep) co_return;
    }
  }

  Task<bool> receive(Socket& socket, std::string& buffer, Request& request) {
    auto dynamic = asio::dynamic_buffer(buffer);
    auto [error, head] = co_await asio::async_read_until(socket, dynamic, "\r\n\r\n", as_result);
    if (error || !parse_head(buffer.substr(0, head), request)) co_return false;
    buffer.erase(0, head);
    request.arrived = std::chrono::steady_clock::now();
    const auto length_text = request.header("Content-Length");
    const std::size_t length = length_text.empty() ? 0 : std::stoul(length_text);
    if (buffer.size() < length) {
      const auto missing = asio::transfer_exactly(length - buffer.size());
      auto more = asio::dynamic_buffer(buffer);
      auto [broken, size] = co_await asio::async_read(socket, more, missing, as_result);
      if (broken) co_return false;
    }
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    co_return true;
  }

  Task<bool> write(Socket& socket, std::string text) {
    auto [error, size] = co_await asio::async_write(socket, asio::buffer(text), as_result);
    co_return !error;
  }

  Task<bool> send(Socket& socket, const Reply& reply) {
    co_await async::sleep_for(reply.delay);
    if (reply.raw) co_return co_await write(socket, *reply.raw);
    bool alive = co_await write(socket, head_of(reply));
    auto left = reply.cut_after.value_or(reply.body.size() * reply.repeat);
    const std::size_t most = reply.piece == 0 ? reply.body.size() : reply.piece;
    for (std::uint64_t round = 0; alive && left > 0 && round < reply.repeat; ++round) {
      std::string_view rest = reply.body;
      while (alive && left > 0 && !rest.empty()) {
        const auto piece = rest.substr(0, std::min<std::uint64_t>(most, left));
        alive = co_await write(socket, framed(reply, piece));
        rest.remove_prefix(piece.size());
        left -= piece.size();
        if (reply.pause.count() > 0) co_await async::sleep_for(reply.pause);
      }
    }
    if (reply.cut_after) co_return alive&& reply.after == After::kHang;
    if (alive && reply.framing == Framing::kChunked) alive = co_await write(socket, "0\r\n\r\n");
    co_return alive && (reply.framing != Framing::kToEnd || reply.after == After::kHang);
  }
};

HttpImpostor::HttpImpostor() : state_(std::make_unique<State>()) {
  state_->thread.call([this] { state_->listen(); });
}

HttpImpostor::~HttpImpostor() {
  state_->thread.run(state_->scope.close());
}

std::uint16_t HttpImpostor::port() const {
  return state_->port;
}
std::string HttpImpostor::url() const {
  return fmt::format("http://127.0.0.1:{}", port());
}

void HttpImpostor::when(const std::string& path, Handler handler) {
  state_->thread.call([&] { state_->handlers[path] = std::move(handler); });
}

void HttpImpostor::when(const std::string& path, std::vector<Reply> replies) {
  if (replies.empty()) throw std::runtime_error("HttpImpostor::when() without a reply");
  when(path, [replies = std::move(replies), next = std::size_t{0}](const Request&) mutable {
    const auto now = std::min(next++, replies.size() - 1);
    return replies[now];
  });
}

void HttpImpostor::when(const std::string& path, Reply reply) {
  when(path, std::vector<Reply>{std::move(reply)});
}

void HttpImpostor::otherwise(Reply reply) {
  state_->thread.call([&] { state_->fallback = std::move(reply); });
}

std::vector<HttpImpostor::Request> HttpImpostor::requests() const {
  return state_->thread.call([this] { return state_->requests; });
}

std::vector<HttpImpostor::Request> HttpImpostor::requests(const std::string& path) const {
  auto result = requests();
  std::erase_if(result, [&path](const auto& request) { return path_of(request.target) != path; });
  return result;
}

bool HttpImpostor::await_requests(std::size_t count, std::chrono::nanoseconds limit) const {
  return eventually([&] { return requests().size() >= count; }, limit);
}

int HttpImpostor::connections() const {
  return state_->thread.call([this] { return state_->connections; });
}

}  // namespace etcdmon::kit
