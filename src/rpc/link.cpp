#include "rpc/detail/link.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/assert.hpp"

namespace etcdmon::rpc {

namespace {

constexpr std::size_t kReadSize = 64U << 10U;
constexpr int kReadsPerTurn = 8;
constexpr std::size_t kWriteSize = 64U << 10U;

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

// Nothing is kept in these between two steps, so all connections of a thread share them.
std::span<std::byte> read_buffer() {
  static thread_local std::array<std::byte, kReadSize> buffer;
  return buffer;
}

std::string& write_buffer() {
  static thread_local std::string buffer;
  buffer.clear();
  return buffer;
}

}  // namespace

struct Link::Turn {
  std::weak_ptr<Link> link;
  void operator()() const {
    const auto self = link.lock();
    if (!self) return;
    self->scheduled_ = false;
    self->turn();
  }
};

struct Link::Alarm {
  std::weak_ptr<Link> link;
  void operator()(boost::system::error_code error) const {
    if (error) return;
    if (const auto self = link.lock()) self->on_alarm();
  }
};

Link::Link(Executor executor, async::TaskScope& scope, SessionOptions options, LinkOwner& owner)
    : executor_(executor),
      scope_(scope),
      owner_(&owner),
      session_(std::move(options)),
      timer_(executor) {}

void Link::submit(UnaryExchange& exchange) {
  session_.submit(exchange, now());
  schedule_turn();
}

void Link::submit(StreamExchange& exchange, std::optional<std::string> first,
                  Session::HalfClose half_close) {
  session_.submit(exchange, std::move(first), half_close, now());
  schedule_turn();
}

void Link::cancel(Exchange& exchange) {
  session_.cancel(exchange);
  schedule_turn();
}

std::optional<std::string> Link::take_message(StreamExchange& exchange) {
  auto message = session_.take_message(exchange);
  if (message) schedule_turn();  // there may be a WINDOW_UPDATE to send
  return message;
}

void Link::send(StreamExchange& exchange, std::string message) {
  session_.send(exchange, std::move(message));
  schedule_turn();
}

void Link::finish_sending(StreamExchange& exchange) {
  session_.finish_sending(exchange);
  schedule_turn();
}

void Link::attach(std::unique_ptr<net::Stream> stream, Deadline settings_by) {
  ETCDMON_ASSERT(!stream_);
  stream_ = std::move(stream);
  session_.open(now(), settings_by);
}

Task<> Link::read() {
  turn();
  while (!ended()) {
    const auto input = pull();
    if (ended()) break;
    if (input == Input::kMore) {
      co_await async::yield();
    } else {
      co_await stream_->wait_readable();
    }
  }
}

void Link::end(Error why) {
  session_.end(std::move(why));
  if (!in_turn_) turn();
}

void Link::abandon(Error why) {
  owner_ = nullptr;
  end(std::move(why));
}

// One turn per loop turn, however many calls begin in it.
void Link::schedule_turn() {
  if (in_turn_ || std::exchange(scheduled_, true)) return;
  asio::post(executor_, Turn{weak_from_this()});
}

void Link::turn() {
  ETCDMON_ASSERT(!in_turn_);
  in_turn_ = true;
  const auto self = shared_from_this();  // the last holder may let go in ready()
  do {
    tell_owner();
    while (auto* exchange = session_.next_ready()) exchange->ready();
    write();
    if (state() == Session::State::kDraining && session_.live() == 0)
      session_.end(session_.error());
  } while (session_.has_ready() || state() != told_);
  in_turn_ = false;
  if (ended()) {
    timer_.cancel();
    if (stream_) stream_->close();
  } else {
    arm();
  }
}

void Link::tell_owner() {
  if (state() == told_) return;
  told_ = state();
  if (owner_ != nullptr && told_ != Session::State::kHandshake) owner_->link_changed(*this);
}

Link::Input Link::pull() {
  auto input = Input::kMore;
  for (int i = 0; i < kReadsPerTurn && input == Input::kMore && !ended(); ++i) {
    const auto buffer = read_buffer();
    auto read = stream_->try_read(buffer);
    switch (read.status) {
      case net::IoResult::Status::kOk:
        session_.receive(buffer.first(read.bytes), now());
        // A short read has emptied the socket; TLS may hold more of a record.
        if (read.bytes < buffer.size() && !stream_->is_tls()) input = Input::kDrained;
        break;
      case net::IoResult::Status::kWouldBlock:
        input = Input::kDrained;
        break;
      case net::IoResult::Status::kEnd:
        session_.end(
            Error{ErrorCode::kUnavailable, "the peer closed the connection", Cause::kReset});
        break;
      case net::IoResult::Status::kError:
        session_.end(std::move(read.error));
        break;
    }
  }
  turn();
  return input;
}

void Link::write() {
  if (!stream_) return;
  while (backlog_.empty()) {
    auto& buffer = write_buffer();
    session_.produce(buffer, kWriteSize, now());
    if (buffer.empty() || !write_now(buffer)) return;
  }
}

bool Link::write_now(std::string_view bytes) {
  while (!bytes.empty()) {
    auto written = stream_->try_write(std::as_bytes(std::span(bytes)));
    switch (written.status) {
      case net::IoResult::Status::kOk:
        bytes.remove_prefix(written.bytes);
        break;
      case net::IoResult::Status::kWouldBlock:
        backlog_.assign(bytes);
        scope_.spawn("rpc write", drain_output(shared_from_this()));
        return false;
      case net::IoResult::Status::kEnd:
        session_.end(
            Error{ErrorCode::kUnavailable, "the peer closed the connection", Cause::kReset});
        return false;
      case net::IoResult::Status::kError:
        session_.end(std::move(written.error));
        return false;
    }
  }
  return true;
}

Task<> Link::drain_output(std::shared_ptr<Link> self) {
  while (!self->backlog_.empty()) {
    co_await self->stream_->wait_writable();
    if (self->ended()) co_return;
    const auto written = self->stream_->try_write(std::as_bytes(std::span(self->backlog_)));
    if (written.status == net::IoResult::Status::kOk) {
      self->backlog_.erase(0, written.bytes);
    } else if (written.status != net::IoResult::Status::kWouldBlock) {
      self->end(Error{ErrorCode::kUnavailable, "the peer closed the connection", Cause::kReset});
      co_return;
    }
  }
  self->backlog_.shrink_to_fit();
  self->turn();
}

// The timer is only ever moved forward when it fires, so that calls with the usual timeout cost no
// timer operation.
void Link::arm() {
  const auto next = session_.next_deadline();
  if (next >= armed_) return;
  armed_ = next;
  timer_.expires_at(next);
  timer_.async_wait(Alarm{weak_from_this()});
}

void Link::on_alarm() {
  armed_ = SteadyTime::max();
  // If it was us who were late, the answer may be waiting in the socket.
  if (session_.next_deadline() <= now() && stream_) pull();
  if (ended()) return;
  session_.expire(now());
  turn();
}

}  // namespace etcdmon::rpc
