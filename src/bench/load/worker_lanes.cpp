// Worker's connections: dialled, read, written, lost and dialled again.
#include <algorithm>
#include <sys/epoll.h>
#include <utility>

#include <fmt/format.h>

#include "bench/load/worker.hpp"

namespace etcdmon::bench {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBuffer = 64U << 10U;
constexpr Duration kTick = 100ms;
constexpr std::size_t kMostTroubles = 16;
constexpr Duration kProven = 1s;

// 100 ms, doubled with each attempt up to 2 s, half of it by chance.
Duration wait_before(int attempt, Random& jitter) {
  const Duration most = std::min<Duration>(100ms * (1 << std::min(attempt, 5)), 2s);
  return most / 2 + Duration(static_cast<std::int64_t>(
                        jitter.below(static_cast<std::uint64_t>(most.count() / 2 + 1))));
}

Error reset_error(std::string_view why) {
  return Error{ErrorCode::kUnavailable, std::string(why), Cause::kReset};
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::make(WorkerOptions options) {
  std::shared_ptr<net::TlsContext> tls;
  if (options.spec->tls) {
    // One for each thread: a context belongs to one loop.
    ETCDMON_TRY(tls, net::TlsContext::client(*options.spec->tls));
  }
  std::unique_ptr<Worker> worker(new Worker(std::move(options)));
  worker->tls_ = std::move(tls);
  return worker;
}

Worker::Worker(WorkerOptions options)
    : options_(std::move(options)),
      spec_(*options_.spec),
      resolver_(loop_.get_executor()),
      buffer_(new std::byte[kBuffer]),
      jitter_(spec_.seed * 43 + options_.share.worker) {
  dials_.emplace(loop_.get_executor(), Logger{});
  const auto connections = portion_of(spec_.load.connections, options_.share);
  const auto clients = portion_of(spec_.load.clients, options_.share);
  const auto listeners = portion_of(options_.listeners, options_.share);
  askers_ = clients.count;
  lanes_.resize(connections.count);
  for (std::uint32_t i = 0; i < connections.count; ++i)
    lanes_[i].endpoint = (connections.first + i) % options_.endpoints.size();
  clients_.resize(clients.count + listeners.count);
  for (std::uint32_t i = 0; i < clients_.size(); ++i) {
    auto& client = clients_[i];
    client.listener = i >= askers_;
    client.number = client.listener ? listeners.first + (i - askers_) : clients.first + i;
    client.lane = i % connections.count;
    client.call.tag = client.stream.tag = i;
    client.stream.kind = Call::Kind::kStream;
    if (client.listener) lanes_[client.lane].listeners.push_back(i);
  }
  free_.reserve(askers_);
  for (auto& lane : lanes_) lane.parked.reserve(askers_ / connections.count + 1);
  dirty_.reserve(connections.count);
}

Worker::~Worker() = default;

Result<void> Worker::connect() {
  now_ = std::chrono::steady_clock::now();
  next_tick_ = now_;
  const auto give_up = now_ + spec_.dial_timeout;
  for (std::uint32_t i = 0; i < lanes_.size(); ++i) dial(i);
  const auto under_way = [](const Lane& lane) {
    return lane.state == Lane::State::kDialing || lane.state == Lane::State::kOpening;
  };
  while (std::ranges::any_of(lanes_, under_way) && now_ < give_up && !stopping()) {
    flush_dirty();
    turn(now_ + kTick);
  }
  flush_dirty();
  if (up_ > 0 || stopping()) return {};
  return first_trouble_.value_or(
      Error{ErrorCode::kDeadlineExceeded,
            fmt::format("no connection within {}", format_duration(spec_.dial_timeout)),
            Cause::kTimeout});
}

void Worker::dial(std::uint32_t index) {
  auto& lane = lanes_[index];
  lane.state = Lane::State::kDialing;
  lane.renew = false;
  ++dialing_;
  loop_.restart();
  dials_->spawn("dial", dialled(index));
}

Task<> Worker::dialled(std::uint32_t index) {
  net::ConnectOptions options;
  options.endpoint = options_.endpoints[lanes_[index].endpoint];
  options.tls = tls_;
  if (options.endpoint.tls) {
    options.alpn = {"h2"};
    options.alpn_required = true;
  }
  const auto deadline = std::chrono::steady_clock::now() + spec_.dial_timeout;
  auto stream = co_await net::Stream::connect(resolver_, std::move(options), deadline);
  --dialing_;
  auto& lane = lanes_[index];
  if (stream) {
    opened(index, std::move(*stream));
    co_return;
  }
  note_trouble(lane, stream.error());
  lane.state = Lane::State::kDown;
  lane.endpoint = (lane.endpoint + 1) % options_.endpoints.size();
  ++lane.attempts;
  // The other members are tried at once; only then it waits.
  const auto others = static_cast<int>(options_.endpoints.size()) - 1;
  lane.when = now_ + (lane.attempts <= others ? Duration(0) : wait_before(lane.attempts, jitter_));
}

void Worker::opened(std::uint32_t index, std::unique_ptr<net::Stream> stream) {
  auto& lane = lanes_[index];
  const auto& endpoint = options_.endpoints[lane.endpoint];
  TransportOptions options;
  options.authority = endpoint.authority();
  options.tls = endpoint.tls;
  if (options_.tokens != nullptr) {
    auto current = options_.tokens->current();
    options.token = std::move(current.token);
    lane.login = current.generation;
  }
  lane.transport = spec_.http2 == RunSpec::Http2::kRaw
                       ? make_raw_transport(std::move(options), *this)
                       : make_reference_transport(std::move(options), *this);
  lane.stream = std::move(stream);
  lane.state = Lane::State::kOpening;
  lane.when = now_ + spec_.dial_timeout;
  lane.heard = now_;
  if (!poller_.watch(lane.stream->native_handle(), index)) {
    lost(lane,
         Error{ErrorCode::kResourceExhausted, "epoll takes no more connections", Cause::kLocal});
    return;
  }
  flush(lane);
}

void Worker::on_events(std::uint32_t index, std::uint32_t events) {
  auto& lane = lanes_[index];
  if (!lane.stream) return;
  const bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if ((events & EPOLLIN) != 0 || ending || lane.stream->is_tls()) {
    if (!read(lane, ending || lane.stream->is_tls())) return;
  }
  flush(lane);
}

// False: the connection is over. `to_the_end`: a short read does not mean that nothing is left.
bool Worker::read(Lane& lane, bool to_the_end) {
  for (;;) {
    const auto got = lane.stream->try_read({buffer_.get(), kBuffer});
    switch (got.status) {
      case net::IoResult::Status::kOk:
        break;
      case net::IoResult::Status::kWouldBlock:
        return true;
      case net::IoResult::Status::kEnd:
        lost(lane, reset_error("the member closed the connection"));
        return false;
      case net::IoResult::Status::kError:
        lost(lane, got.error);
        return false;
    }
    now_ = lane.heard = std::chrono::steady_clock::now();
    facts_.bytes_received += got.bytes;
    lane.transport->receive({buffer_.get(), got.bytes}, now_);
    if (lane.state == Lane::State::kOpening && lane.transport->state() == Transport::State::kUp) {
      came_up(lane);
    }
    if (lane.transport->state() == Transport::State::kEnded) {
      flush(lane);  // says why, if it can
      if (lane.stream) lost(lane, lane.transport->error());
      return false;
    }
    if (got.bytes < kBuffer && !to_the_end) return true;
  }
}

void Worker::flush(Lane& lane) {
  auto& output = lane.transport->output();
  while (!output.empty()) {
    const auto sent = lane.stream->try_write(output.view());
    if (sent.status == net::IoResult::Status::kWouldBlock) return;  // an edge will tell
    if (sent.status != net::IoResult::Status::kOk) {
      lost(lane, sent.status == net::IoResult::Status::kError
                     ? sent.error
                     : reset_error("the member closed the connection"));
      return;
    }
    facts_.bytes_sent += sent.bytes;
    output.consume(sent.bytes);
  }
}

void Worker::flush_dirty() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    auto& lane = lanes_[dirty_[i]];
    lane.dirty = false;
    if (lane.stream) flush(lane);
  }
  dirty_.clear();
}

void Worker::mark_dirty(Client& client) {
  auto& lane = lanes_[client.lane];
  if (std::exchange(lane.dirty, true)) return;
  dirty_.push_back(client.lane);
}

void Worker::came_up(Lane& lane) {
  lane.state = Lane::State::kUp;
  lane.up_since = now_;
  ++up_;
  for (const auto index : lane.parked) free_.push(index);
  lane.parked.clear();
  if (running_) listen(lane);
}

// Opens the streams of those who only listen, where they are not open.
void Worker::listen(Lane& lane) {
  if (!pass_.listen || !lane.usable()) return;
  for (const auto index : lane.listeners) {
    auto& listener = clients_[index];
    if (!listener.stream.idle()) continue;
    const auto request = pass_.workload->listen(listener, body_);
    lane.transport->start(listener.stream, request.path, body_.view(), Transport::HalfClose::kNo);
    mark_dirty(listener);
  }
}

void Worker::lost(Lane& lane, const Error& why) {
  note_trouble(lane, why);
  const bool was_up = lane.state == Lane::State::kUp;
  if (was_up) {
    --up_;
    if (up_ == 0) alone_since_ = now_;
    ++facts_.reconnects;
  } else {
    // It took the connection and said nothing: others may do better.
    lane.endpoint = (lane.endpoint + 1) % options_.endpoints.size();
  }
  // One that stood for a while is dialled again at once; one that ends as soon as it stands is not.
  lane.attempts = was_up && now_ - lane.up_since > kProven ? 0 : lane.attempts + 1;
  lane.state = Lane::State::kDown;
  lane.when = now_ + (lane.attempts == 0 ? Duration(0) : wait_before(lane.attempts, jitter_));
  facts_.transport.stream_limited += lane.transport->counts().stream_limited;
  facts_.transport.window_limited += lane.transport->counts().window_limited;
  lane.transport->end(why);
  // The calls are told; who is on the stack may still hold the transport: it goes with the next.
  lane.stream.reset();
  next_tick_ = std::min(next_tick_, lane.when);
}

// What is to be done for a connection now and then.
void Worker::look_after(std::uint32_t index) {
  auto& lane = lanes_[index];
  switch (lane.state) {
    case Lane::State::kDown:
      if (lane.renew && options_.tokens->current().generation == lane.login) return;
      if (lane.when <= now_ && !stopping()) dial(index);
      return;
    case Lane::State::kDialing:
      return;
    case Lane::State::kOpening:
      if (lane.when <= now_) {
        lost(lane,
             Error{ErrorCode::kDeadlineExceeded,
                   "connected, but the peer sent no HTTP/2 SETTINGS in time", Cause::kTimeout});
      }
      return;
    case Lane::State::kUp:
      break;
  }
  const bool over = lane.renew || lane.transport->state() == Transport::State::kDraining;
  if (over && lane.transport->live() == lane_streams(lane)) {
    if (lane.renew) options_.tokens->refuse(lane.login);
    const bool renew = lane.renew;
    lost(lane, renew ? reset_error("the login was refused") : lane.transport->error());
    lane.renew = renew;
  } else if (lane.transport->live() > 0 && now_ - lane.heard > spec_.timeout + kTick &&
             lane.transport->live() > lane_streams(lane)) {
    lost(lane,
         Error{ErrorCode::kDeadlineExceeded, "the member says nothing any more", Cause::kTimeout});
  } else if (running_) {
    listen(lane);
  }
}

// Streams that stay open whatever happens.
std::size_t Worker::lane_streams(const Lane& lane) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      lane.listeners, [this](std::uint32_t i) { return !clients_[i].stream.idle(); }));
}

void Worker::note_trouble(const Lane& lane, const Error& why) {
  const auto error = with_context(why, options_.endpoints[lane.endpoint].url());
  if (!first_trouble_) first_trouble_ = error;
  if (facts_.troubles.size() < kMostTroubles &&
      std::ranges::find(facts_.troubles, error.message) == facts_.troubles.end()) {
    facts_.troubles.push_back(error.message);
  }
}

void Worker::close() {
  for (auto& lane : lanes_) {
    if (lane.transport)
      lane.transport->end(Error{ErrorCode::kCancelled, "the run is over", Cause::kLocal});
    lane.stream.reset();
    lane.transport.reset();
    lane.state = Lane::State::kDown;
  }
  dials_->cancel();
  loop_.restart();
  while (dials_->size() > 0 && loop_.run_one() > 0) {
  }
}

}  // namespace etcdmon::bench
