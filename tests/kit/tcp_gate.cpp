#include "kit/tcp_gate.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <list>
#include <memory>
#include <stdexcept>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "app/demo/reserved_port.hpp"
#include "async/task_scope.hpp"
#include "kit/loop_thread.hpp"

namespace etcdmon::kit {

namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kMostQueued = 1U << 20U;

struct Faults {
  std::chrono::nanoseconds delay{0};
  bool paused = false;
  bool cut = false;
  std::size_t slice = 0;
  std::size_t bandwidth = 0;
};

struct Chunk {
  Steady::time_point due;
  std::string data;  // empty: the end
};

// One direction of a connection.
struct Flow {
  std::deque<Chunk> queue;
  std::size_t queued = 0;
  async::Event changed;
  bool ended = false;

  void push(Chunk chunk) {
    queued += chunk.data.size();
    queue.push_back(std::move(chunk));
    changed.set();
  }
};

struct Link {
  Link(Socket accepted, Executor executor) : client(std::move(accepted)), target(executor) {}

  Socket client;
  Socket target;
  Flow up;
  Flow down;
  Steady::time_point last_traffic = Steady::now();
  bool half_open = false;
  bool dropped = false;  // whoever still waits for it goes
};
using LinkPtr = std::shared_ptr<Link>;

tcp::endpoint endpoint_of(const std::string& target) {
  const auto scheme = target.find("://");
  const auto rest = scheme == std::string::npos ? target : target.substr(scheme + 3);
  const auto colon = rest.rfind(':');
  boost::system::error_code error;
  const auto address = asio::ip::make_address(rest.substr(0, colon), error);
  if (error || colon == std::string::npos) {
    throw std::runtime_error("not an address and port: " + target);
  }
  return {address, static_cast<std::uint16_t>(std::stoi(rest.substr(colon + 1)))};
}

void close(Socket& socket, TcpGate::End end) {
  boost::system::error_code ignored;
  if (end == TcpGate::End::kReset) {
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
  }
  socket.close(ignored);
}

}  // namespace

struct TcpGate::State {
  explicit State(const std::string& to)
      : target(endpoint_of(to)), acceptor(thread.executor()), scope(thread.executor(), Logger{}) {
    auto taken = app::demo::ReservedPort::take("127.0.0.1");
    if (!taken) throw std::runtime_error(taken.error().message);
    reserved = *std::move(taken);
  }

  // Everything below belongs to the thread's loop.
  LoopThread thread;
  tcp::endpoint target;
  app::demo::ReservedPort reserved;
  Acceptor acceptor;
  std::list<LinkPtr> links;
  Faults up;
  Faults down;
  bool ignoring = false;
  std::chrono::nanoseconds idle{0};
  End idle_end = End::kReset;
  Counts counts;
  async::Event faults_changed;
  async::TaskScope scope;

  void listen() {
    if (acceptor.is_open()) return;
    const tcp::endpoint here(asio::ip::address_v4::loopback(), reserved.number());
    acceptor.open(here.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(here);
    acceptor.listen();
    scope.spawn("accept", accept());
  }

  Task<> accept() {
    for (;;) {
      Socket client(thread.executor());
      auto [error] = co_await acceptor.async_accept(client, as_result);
      if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor)
        co_return;
      if (error) continue;
      ++counts.accepted;
      auto link = std::make_shared<Link>(std::move(client), thread.executor());
      links.push_back(link);
      if (!ignoring) scope.spawn("link", open(link));
    }
  }

  Task<> open(LinkPtr link) {
    auto [error] = co_await link->target.async_connect(target, as_result);
    if (error) {
      drop(link, End::kReset);
      co_return;
    }
    boost::system::error_code ignored;
    link->client.set_option(tcp::no_delay(true), ignored);
    link->target.set_option(tcp::no_delay(true), ignored);
    link->client.non_blocking(true, ignored);
    link->target.non_blocking(true, ignored);
    scope.spawn("read up", read(link, link->client, link->up, up));
    scope.spawn("write up", write(link, link->target, link->up, up, counts.to_target));
    scope.spawn("read down", read(link, link->target, link->down, down));
    scope.spawn("write down", write(link, link->client, link->down, down, counts.to_client));
  }

  Task<> read(LinkPtr link, Socket& from, Flow& flow, const Faults& faults) {
    std::array<char, 65536> buffer;
    for (;;) {
      while (!link->dropped && (faults.paused || flow.queued > kMostQueued)) {
        co_await faults_changed.wait();
      }
      auto [not_readable] = co_await from.async_wait(Socket::wait_read, as_result);
      if (not_readable) break;
      if (faults.paused) continue;
      boost::system::error_code error;
      const auto size = from.read_some(asio::buffer(buffer), error);
      if (error == asio::error::would_block) continue;
      if (error && error != asio::error::eof) break;
      link->last_traffic = Steady::now();
      if (!faults.cut && !link->half_open) {
        flow.push({Steady::now() + faults.delay, std::string(buffer.data(), size)});
      }
      if (error) co_return;
    }
    // A reset goes through, unless the way is cut.
    if (!faults.cut && !link->half_open) drop(link, End::kReset);
  }

  Task<> write(LinkPtr link, Socket& to, Flow& flow, const Faults& faults, std::uint64_t& count) {
    for (;;) {
      while (flow.queue.empty()) {
        if (link->dropped) co_return;
        flow.changed.reset();
        co_await flow.changed.wait();
      }
      const Chunk chunk = std::move(flow.queue.front());
      flow.queue.pop_front();
      co_await async::sleep_until(chunk.due);
      if (chunk.data.empty()) break;
      std::string_view rest = chunk.data;
      while (!rest.empty() && !faults.cut && !link->half_open) {
        const auto piece = rest.substr(0, piece_size(faults));
        auto [error, size] = co_await asio::async_write(to, asio::buffer(piece), as_result);
        if (error) co_return;
        count += size;
        rest.remove_prefix(size);
        if (faults.bandwidth > 0)
          co_await async::sleep_for(size * 1'000'000'000ns / faults.bandwidth);
        // So that the next piece is a packet, and a read, of its own.
        if (faults.slice > 0 && !rest.empty()) co_await async::sleep_for(200us);
      }
      flow.queued -= chunk.data.size();
      wake();
    }
    boost::system::error_code ignored;
    to.shutdown(Socket::shutdown_send, ignored);
    flow.ended = true;
    if (link->up.ended && link->down.ended) drop(link, End::kFin);
  }

  static std::size_t piece_size(const Faults& faults) {
    std::size_t most = std::string::npos;
    if (faults.slice > 0) most = faults.slice;
    if (faults.bandwidth > 0)
      most = std::min(most, std::max<std::size_t>(1, faults.bandwidth / 50));
    return most;
  }

  Task<> watch_idle() {
    for (;;) {
      co_await async::sleep_for(5ms);
      if (idle == 0ns) continue;
      const auto before = Steady::now() - idle;
      const auto all = links;
      for (const auto& link : all) {
        if (link->last_traffic < before) drop(link, idle_end);
      }
    }
  }

  void drop(const LinkPtr& link, End end) {
    close(link->client, end);
    close(link->target, end);
    links.remove(link);
    link->dropped = true;
    link->up.changed.set();
    link->down.changed.set();
    wake();
  }

  // Waiters look again at what they wait for.
  void wake() {
    faults_changed.set();
    faults_changed.reset();
  }

  template <class Change>
  void change(Way way, Change apply) {
    thread.call([&] {
      if (way != Way::kToClient) apply(up);
      if (way != Way::kToTarget) apply(down);
      wake();
    });
  }

  void drop_all(End end) {
    thread.call([&] {
      const auto all = links;
      for (const auto& link : all) drop(link, end);
    });
  }
};

TcpGate::TcpGate(const std::string& target) : state_(std::make_unique<State>(target)) {
  state_->thread.call([this] {
    state_->listen();
    state_->scope.spawn("idle", state_->watch_idle());
  });
}

TcpGate::~TcpGate() {
  state_->drop_all(End::kReset);
  state_->thread.call([this] { state_->acceptor.close(); });
  state_->thread.run(state_->scope.close());
}

std::uint16_t TcpGate::port() const {
  return state_->reserved.number();
}
std::string TcpGate::address() const {
  return "127.0.0.1:" + std::to_string(port());
}

TcpGate::Counts TcpGate::counts() const {
  return state_->thread.call([this] {
    auto counts = state_->counts;
    counts.open = static_cast<int>(state_->links.size());
    return counts;
  });
}

void TcpGate::set_target(const std::string& target) {
  state_->thread.call([&] { state_->target = endpoint_of(target); });
}

void TcpGate::delay(Way way, std::chrono::nanoseconds time) {
  state_->change(way, [time](Faults& faults) { faults.delay = time; });
}
void TcpGate::stop_reading(Way way) {
  state_->change(way, [](Faults& faults) { faults.paused = true; });
}
void TcpGate::cut(Way way) {
  state_->change(way, [](Faults& faults) { faults.cut = true; });
}
void TcpGate::slice(Way way, std::size_t bytes) {
  state_->change(way, [bytes](Faults& faults) { faults.slice = bytes; });
}
void TcpGate::bandwidth(Way way, std::size_t bytes_per_second) {
  state_->change(way, [=](Faults& faults) { faults.bandwidth = bytes_per_second; });
}

void TcpGate::close_idle_after(std::chrono::nanoseconds idle, End end) {
  state_->thread.call([&] {
    state_->idle = idle;
    state_->idle_end = end;
  });
}

void TcpGate::refuse() {
  state_->thread.call([this] { state_->acceptor.close(); });
}

void TcpGate::ignore() {
  state_->thread.call([this] { state_->ignoring = true; });
}

void TcpGate::heal() {
  state_->change(Way::kBoth, [](Faults& faults) { faults = {}; });
  state_->thread.call([this] {
    state_->ignoring = false;
    state_->idle = 0ns;
    state_->listen();
  });
}

void TcpGate::reset_all() {
  state_->drop_all(End::kReset);
}
void TcpGate::close_all() {
  state_->drop_all(End::kFin);
}

void TcpGate::half_open() {
  state_->thread.call([this] {
    for (const auto& link : state_->links) {
      link->half_open = true;
      close(link->target, End::kReset);
    }
  });
}

}  // namespace etcdmon::kit
