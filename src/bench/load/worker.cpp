#include "bench/load/worker.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <sys/prctl.h>
#include <utility>

#include <fmt/format.h>

namespace etcdmon::bench {

namespace {

using namespace std::chrono_literals;

constexpr Duration kTick = 100ms;
constexpr Duration kDialTurn = 2ms;  // the coroutines that dial are looked after so often
constexpr Duration kStopGrace = 1s;  // for what is under way when the run is stopped
constexpr Duration kDeserted = 10s;

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::floor<std::chrono::seconds>(duration).count();
}

}  // namespace

Portion portion_of(std::uint32_t all, Share share) {
  const auto begin = static_cast<std::uint32_t>(std::uint64_t{all} * share.worker / share.workers);
  const auto end =
      static_cast<std::uint32_t>(std::uint64_t{all} * (share.worker + 1) / share.workers);
  return {begin, end - begin};
}

PassFacts Worker::run(const Pass& pass) {
  pass_ = pass;
  tally_ = Tally(pass.workload->operations().size());
  halted_ = false;
  ended_ = started_ = 0;
  in_flight_ = 0;
  had_free_ = true;
  waited_ = Duration(0);
  pacer_.reset();
  ::prctl(PR_SET_TIMERSLACK, 1'000UL);  // an open loop keeps its times to the microsecond
  const double cpu_before = thread_cpu_seconds();
  enlist();
  await_listeners();
  now_ = began_ = alone_since_ = std::chrono::steady_clock::now();
  measure_from_ = last_end_ = now_ + pass.warm_up;
  ends_ = pass.duration.count() > 0 ? measure_from_ + pass.duration : SteadyTime::max();
  second_ = whole_seconds(since_measuring());
  if (pass.pace) pacer_.emplace(*pass.pace, now_);
  while (!over()) {
    start_due();
    flush_dirty();
    turn(next_start());
    if (whole_seconds(since_measuring()) > second_) publish(false);
  }
  running_ = false;
  const auto missing = pass.workload->missing();
  for (std::uint64_t i = 0; i < missing.count; ++i)
    tally_.fail(missing.operation, ErrorCode::kDeadlineExceeded, missing.why);
  dismiss();
  publish(true);
  pass.totals->leave();
  PassFacts facts;
  facts.measured = std::max(last_end_ - measure_from_, Duration(0));
  const auto took = now_ - began_;
  facts.busy = took.count() > 0 ? 1 - seconds(waited_) / seconds(took) : 0;
  facts.cpu_seconds = thread_cpu_seconds() - cpu_before;
  return facts;
}

void Worker::await_listeners() {
  running_ = true;
  now_ = alone_since_ = std::chrono::steady_clock::now();
  measure_from_ = ends_ = SteadyTime::max();
  const auto give_up = now_ + spec_.timeout;
  const auto all =
      pass_.listen ? static_cast<std::uint32_t>(clients_.size()) - askers_ : std::uint32_t{0};
  for (auto& lane : lanes_) listen(lane);
  while (pass_.workload->listening() < all && now_ < give_up && !stopping()) {
    flush_dirty();
    turn(next_tick_);
  }
}

// All clients are free, and know nothing of an earlier pass.
void Worker::enlist() {
  free_.clear();
  for (auto& lane : lanes_) lane.parked.clear();
  for (std::uint32_t i = 0; i < clients_.size(); ++i) {
    auto& client = clients_[i];
    client.busy = false;
    client.memory = {};
    if (i < askers_) release(client);
  }
}

// Gives up what is still under way, and the streams that clients keep open.
void Worker::dismiss() {
  for (auto& client : clients_) {
    auto& lane = lanes_[client.lane];
    if (!lane.transport) continue;
    lane.transport->cancel(client.call);
    lane.transport->cancel(client.stream);
    client.busy = false;
    mark_dirty(client);
  }
  flush_dirty();
}

bool Worker::may_start() const {
  if (now_ >= ends_ || stopping() || pass_.workload->exhausted()) return false;
  return pass_.ops == 0 || started_ < pass_.ops || now_ < measure_from_;
}

bool Worker::stopping() const {
  return halted_.load(std::memory_order_relaxed) ||
         (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed));
}

bool Worker::over() {
  if (deserted()) return true;
  if (stopping()) {
    if (stopping_since_ == SteadyTime{}) stopping_since_ = now_;
    return in_flight_ == 0 || now_ - stopping_since_ > kStopGrace;
  }
  stopping_since_ = SteadyTime{};
  if (may_start() || in_flight_ > 0) return false;
  return !pass_.workload->expects_more() || now_ - last_end_ > spec_.timeout;
}

SteadyTime Worker::next_start() const {
  auto until = next_tick_;
  if (running_ && pacer_ && !free_.empty() && may_start()) until = std::min(until, pacer_->next());
  if (running_) until = std::min(until, ends_);
  return until;
}

void Worker::turn(SteadyTime until) {
  if (dialing_ > 0) until = std::min(until, now_ + kDialTurn);
  // What was done since now_ is work, so the wait begins now.
  const auto waits_from = std::chrono::steady_clock::now();
  const auto events = poller_.wait(until - waits_from);
  now_ = std::chrono::steady_clock::now();
  waited_ += now_ - waits_from;
  for (const auto& event : events) on_events(event.data.u32, event.events);
  if (dialing_ > 0) {
    loop_.restart();
    loop_.poll();
  }
  if (now_ >= next_tick_) tick();
}

void Worker::tick() {
  next_tick_ = now_ + kTick;
  check_timeouts();
  for (std::uint32_t i = 0; i < lanes_.size(); ++i) look_after(i);
  if (up_ > 0) alone_since_ = now_;
  if (running_ && now_ - alone_since_ > std::max<Duration>(kDeserted, spec_.timeout))
    deserted_ = true;
  if (running_) drop_overdue();
}

void Worker::start_due() {
  if (pacer_) drop_overdue();
  while (!free_.empty() && may_start()) {
    if (pacer_ && pacer_->next() > now_) break;
    auto& client = clients_[free_.pop()];
    if (!lanes_[client.lane].usable()) {
      release(client);
      continue;
    }
    if (!pacer_) {
      begin(client, now_);
      continue;
    }
    const auto due = pacer_->next();
    pacer_->advance();
    if (had_free_ && due >= measure_from_)
      tally_.lateness.record(static_cast<std::uint64_t>((now_ - due).count()));
    begin(client, due);
  }
  had_free_ = !free_.empty();
}

// What waited too long is given up, so that a member that stood still does not leave a queue
// without end.
void Worker::drop_overdue() {
  if (!pacer_) return;
  while (may_start() && now_ - pacer_->next() > pass_.patience) {
    if (pacer_->next() >= measure_from_) {
      ++tally_.dropped;
      ++started_;
    }
    pacer_->advance();
  }
}

void Worker::begin(Client& client, SteadyTime due) {
  client.busy = true;
  client.due = due;
  client.measured = due >= measure_from_;
  if (client.measured) ++started_;
  ++in_flight_;
  const auto request = pass_.workload->begin(client, body_);
  send(client, request);
}

void Worker::send(Client& client, const Request& request) {
  auto& lane = lanes_[client.lane];
  client.operation = request.operation;
  client.sent = now_;
  client.meaning = Meaning::wait();
  mark_dirty(client);
  if (request.kind == Request::Kind::kUnary) {
    lane.transport->start(client.call, request.path, body_.view(), Transport::HalfClose::kYes);
  } else if (client.stream.idle()) {
    lane.transport->start(client.stream, request.path, body_.view(), Transport::HalfClose::kNo);
  } else {
    lane.transport->send(client.stream, body_.view());
  }
}

void Worker::on_message(Call& call, std::span<const std::byte> message) {
  auto& client = clients_[call.tag];
  const auto header = read_header(message);
  if (header) note_header(*header);
  if (client.listener) {
    if (header && running_) pass_.workload->heard(client, message, *this, now_);
    return;
  }
  if (!client.busy) return;
  const auto meaning =
      header ? pass_.workload->answered(client, message)
             : Meaning::failed(ErrorCode::kInternal, "the answer is no etcd message with a header");
  // A call's own status comes after its message.
  if (call.kind == Call::Kind::kUnary) {
    client.meaning = meaning;
  } else {
    apply(client, meaning);
  }
}

void Worker::note_header(const ReplyHeader& header) {
  facts_.revision = std::max(facts_.revision, header.revision);
  const auto before = term_.load(std::memory_order_relaxed);
  if (header.raft_term <= before) return;
  term_.store(header.raft_term, std::memory_order_relaxed);
  if (before != 0 && running_) {
    facts_.leader_changes.push_back(LeaderChange{
        .at = since_measuring(), .term_before = before, .term_after = header.raft_term});
  }
}

void Worker::on_end(Call& call, const Error* error) {
  auto& client = clients_[call.tag];
  if (call.kind == Call::Kind::kStream && running_ && !client.listener)
    pass_.workload->lost(client);
  if (client.listener || !client.busy) return;
  if (error != nullptr) {
    if (error->code == ErrorCode::kUnauthenticated && options_.tokens != nullptr) {
      lanes_[client.lane].renew = true;
    }
    if (error->code == ErrorCode::kResourceExhausted &&
        error->message.find("database space exceeded") != std::string::npos) {
      no_space_ = true;
    }
    fail(client, error->code, error->message);
  } else if (call.kind == Call::Kind::kStream) {
    fail(client, ErrorCode::kUnavailable, "the member ended the stream");
  } else {
    apply(client, client.meaning);
  }
}

void Worker::apply(Client& client, const Meaning& meaning) {
  switch (meaning.kind) {
    case Meaning::Kind::kDone:
      succeed(client);
      return;
    case Meaning::Kind::kFailed:
      fail(client, meaning.code, meaning.why);
      return;
    case Meaning::Kind::kAgain: {
      if (!lanes_[client.lane].usable()) {
        fail(client, ErrorCode::kUnavailable, "the connection ended within the operation");
        return;
      }
      if (meaning.aside && client.measured) tally_.succeed(*meaning.aside, now_ - client.sent);
      if (meaning.prepared) client.due += now_ - client.sent;
      const auto request = pass_.workload->go_on(client, body_);
      send(client, request);
      return;
    }
    case Meaning::Kind::kWait:
      return;
  }
}

void Worker::succeed(Client& client) {
  if (client.measured) tally_.succeed(client.operation, now_ - client.due);
  complete(client);
}

void Worker::fail(Client& client, ErrorCode code, std::string_view why) {
  if (client.measured) tally_.fail(client.operation, code, why);
  complete(client);
}

void Worker::complete(Client& client) {
  client.busy = false;
  --in_flight_;
  if (client.measured) last_end_ = now_;
  ended_.store(ended_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (!pacer_ && running_ && may_start() && lanes_[client.lane].usable()) {
    begin(client, now_);
  } else {
    release(client);
  }
}

void Worker::release(Client& client) {
  const auto index = client.call.tag;
  auto& lane = lanes_[client.lane];
  if (lane.usable()) {
    free_.push(index);
  } else {
    lane.parked.push_back(index);
  }
}

bool Worker::record(std::uint8_t operation, SteadyTime since, SteadyTime now) {
  if (since < measure_from_) return false;
  tally_.succeed(operation, now - since);
  last_end_ = now;
  return true;
}

void Worker::check_timeouts() {
  if (in_flight_ == 0) return;
  for (std::uint32_t i = 0; i < askers_; ++i) {
    auto& client = clients_[i];
    if (!client.busy || now_ - client.sent < spec_.timeout) continue;
    auto& lane = lanes_[client.lane];
    lane.transport->cancel(client.call);
    if (!client.stream.idle()) {
      lane.transport->cancel(client.stream);
      pass_.workload->lost(client);
    }
    mark_dirty(client);
    fail(client, ErrorCode::kDeadlineExceeded,
         fmt::format("no answer within {}", format_duration(spec_.timeout)));
  }
}

void Worker::publish(bool last) {
  const auto until = whole_seconds(since_measuring());
  for (; second_ < until; ++second_) {
    if (second_ < 0) continue;
    give_second(1s);
  }
  if (!last) return;
  const auto length = last_end_ - measure_from_ - std::chrono::seconds(second_);
  if (second_ >= 0) give_second(std::max<Duration>(length, Duration(0)));
}

void Worker::give_second(Duration length) {
  if (pacer_) {
    const auto middle = measure_from_ + std::chrono::seconds(second_) + length / 2;
    tally_.offered = pacer_->rate_at(middle) * seconds(length);
    tally_.backlog = static_cast<std::uint64_t>(pacer_->backlog(std::min(now_, ends_)));
  }
  pass_.totals->take(second_, length, tally_);
}

Worker::Facts Worker::facts() const {
  auto facts = facts_;
  for (const auto& lane : lanes_) {
    if (lane.state != Lane::State::kUp) continue;
    facts.transport.stream_limited += lane.transport->counts().stream_limited;
    facts.transport.window_limited += lane.transport->counts().window_limited;
  }
  return facts;
}

}  // namespace etcdmon::bench
