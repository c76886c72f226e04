#include "notify/worker.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "async/shielded.hpp"
#include "async/when_all.hpp"

namespace etcdmon::notify {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using store::Settlement;

// A lease outlives its attempt by the time that noting the result may take.
constexpr milliseconds kMargin = 30s;
// Somebody else may push as well, where several monitors share an outbox.
constexpr milliseconds kLongestNap = 5s;
constexpr milliseconds kOutboxAway = 1s;
constexpr int kSettleTries = 5;

Settlement::Kind settled_as(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::kDelivered:
      return Settlement::Kind::kDelivered;
    case Outcome::Kind::kRetry:
      return Settlement::Kind::kRetry;
    case Outcome::Kind::kRejected:
      return Settlement::Kind::kDead;
  }
  return Settlement::Kind::kDead;
}

}  // namespace

struct Worker::Running {
  Lane lane;
  ChannelHealth health;
  async::Event pushed;
  int failures = 0;          // in a row
  SteadyTime rests_until{};  // after a failure
  SteadyTime next_attempt{};
  bool outbox_away = false;
  metrics::Counter* delivered = nullptr;
  metrics::Counter* failed = nullptr;
  metrics::Counter* dead = nullptr;
  metrics::Histogram* seconds = nullptr;
};

Worker::Worker(Executor executor, store::Outbox& outbox, const Clock& clock, Options options,
               Logger logger)
    : executor_(executor),
      outbox_(outbox),
      clock_(clock),
      options_(std::move(options)),
      logger_(logger),
      random_(std::random_device{}()),
      scope_(executor, logger) {}

Worker::~Worker() = default;

void Worker::start(std::vector<Lane> lanes, OnTurn on_turn, metrics::Registry& registry) {
  on_turn_ = std::move(on_turn);
  for (auto& lane : lanes) {
    auto running = std::make_unique<Running>();
    running->health.channel = lane.name;
    const auto counter = [&](const char* outcome) {
      return &registry.counter("etcdmon_notification_attempts_total",
                               "Attempts to deliver a notification, by channel and outcome.",
                               {{"channel", lane.name}, {"outcome", outcome}});
    };
    running->delivered = counter("delivered");
    running->failed = counter("retry");
    running->dead = counter("rejected");
    running->seconds = &registry.histogram("etcdmon_notification_seconds",
                                           "Time of an attempt to deliver a notification.",
                                           metrics::duration_bounds(), {{"channel", lane.name}});
    running->lane = std::move(lane);
    lanes_.push_back(std::move(running));
  }
  for (const auto& lane : lanes_) {
    scope_.spawn("lane of " + lane->lane.name, run(*lane));
    if (lane->lane.channel->refresh_every() > 0ms && options_.firing)
      scope_.spawn("refresh of " + lane->lane.name, refresh(*lane));
  }
}

void Worker::wake() {
  for (const auto& lane : lanes_) lane->pushed.set();
}

Task<> Worker::stop(Deadline deadline) {
  stopping_ = true;
  wake();
  idle_.reset();
  if (busy_ > 0) co_await idle_.wait_until(deadline);
  co_await scope_.close();
}

std::vector<ChannelHealth> Worker::health() const {
  std::vector<ChannelHealth> all;
  for (const auto& lane : lanes_) all.push_back(lane->health);
  return all;
}

Task<> Worker::run(Running& lane) {
  const auto& name = lane.health.channel;
  while (!stopping_) {
    // A claim sees all that was pushed before it; what comes later sets the event again.
    lane.pushed.reset();
    const auto hold = lane.lane.timeout + kMargin;
    auto claimed = co_await outbox_.claim(name, lane.lane.channel->parallel(), hold);
    if (!claimed) {
      if (!std::exchange(lane.outbox_away, true))
        logger_.error("the outbox cannot be read: notifications wait",
                      {{"channel", name}, {"why", claimed.error().message}});
      co_await async::sleep_for(kOutboxAway);
      continue;
    }
    if (std::exchange(lane.outbox_away, false)) logger_.info("the outbox can be read again");
    if (claimed->leases.empty()) {
      const auto nap = std::min(claimed->next_in.value_or(kLongestNap), kLongestNap);
      co_await lane.pushed.wait_until(clock_.now().steady + nap);
      continue;
    }
    std::vector<Task<bool>> attempts;
    for (auto& lease : claimed->leases) attempts.push_back(deliver(lane, std::move(lease)));
    co_await async::when_all(std::move(attempts));
    const auto rests_until = std::max(lane.rests_until, lane.next_attempt);
    if (rests_until > clock_.now().steady) co_await async::sleep_until(rests_until);
  }
}

Task<> Worker::refresh(Running& lane) {
  while (true) {
    auto firing = options_.firing();
    std::erase_if(firing, [&](const model::NotifiedAlert& alert) {
      return alert.severity < lane.lane.min_severity;
    });
    const auto outcome = co_await lane.lane.channel->refresh(
        std::move(firing), clock_.now().steady + lane.lane.timeout);
    if (!outcome.delivered())
      logger_.debug("a refresh failed", {{"channel", lane.lane.name}, {"why", outcome.why}});
    co_await async::sleep_for(lane.lane.channel->refresh_every());
  }
}

// True if it was delivered.
Task<bool> Worker::deliver(Running& lane, store::Lease lease) {
  struct Busy {
    Worker& worker;
    explicit Busy(Worker& w) : worker(w) { ++worker.busy_; }
    ~Busy() {
      if (--worker.busy_ == 0) worker.idle_.set();
    }
  };
  if (stopping_) {
    Settlement released{.kind = Settlement::Kind::kReleased};
    co_await settle(lane.health.channel, lease.id, std::move(released));
    co_return false;
  }
  const Busy busy(*this);
  const auto begun = clock_.now();
  lane.next_attempt = begun.steady + lane.lane.channel->spacing();
  auto outcome =
      co_await lane.lane.channel->send(lease.notification, begun.steady + lane.lane.timeout);
  outcome = judge_age(lease, std::move(outcome));
  const auto took = clock_.now().steady - begun.steady;
  lane.seconds->observe(std::chrono::duration<double>(took).count());
  note(lane, outcome);

  Settlement settlement{.kind = settled_as(outcome.kind)};
  if (outcome.kind == Outcome::Kind::kRetry) {
    settlement.backoff = backoff(options_.retry, lease.attempt, outcome, random_);
    const auto rest = backoff(options_.retry, lane.failures, outcome, random_);
    lane.rests_until = clock_.now().steady + rest;
  }
  settlement.attempt = store::Attempt{.channel = lane.health.channel,
                                      .message_id = message_id(lease.notification),
                                      .dedup_key = lease.notification.dedup_key,
                                      .number = lease.attempt,
                                      .at = begun.wall,
                                      .took = std::chrono::duration_cast<milliseconds>(took),
                                      .outcome = std::string(name_of(outcome.kind)),
                                      .status = outcome.status,
                                      .why = outcome.why};
  const bool delivered = outcome.delivered();
  // What the far side took must be noted, also by a monitor that is about to stop.
  auto settling = settle(lane.health.channel, lease.id, std::move(settlement));
  co_await async::shielded(std::move(settling));
  co_return delivered;
}

Task<> Worker::settle(std::string channel, std::string lease_id, Settlement settlement) {
  for (int i = 1; true; ++i) {
    const auto settled = co_await outbox_.settle(lease_id, settlement);
    // A lease that is over was taken by somebody else, who settles it.
    if (settled || settled.error().code == ErrorCode::kNotFound) co_return;
    if (i == kSettleTries || stopping_) {
      logger_.error("the result of a delivery could not be noted: it may be sent once more",
                    {{"channel", channel}, {"why", settled.error().message}});
      co_return;
    }
    co_await async::sleep_for(kOutboxAway);
  }
}

Outcome Worker::judge_age(const store::Lease& lease, Outcome outcome) const {
  const auto age = clock_.now().wall - lease.notification.created_at;
  if (outcome.kind != Outcome::Kind::kRetry || age < options_.give_up_after) return outcome;
  outcome.kind = Outcome::Kind::kRejected;
  outcome.why =
      fmt::format("given up after {} attempts; the last one: {}", lease.attempt, outcome.why);
  return outcome;
}

void Worker::note(Running& lane, const Outcome& outcome) {
  auto& health = lane.health;
  const auto now = clock_.now().wall;
  const auto& name = health.channel;
  if (outcome.delivered()) {
    lane.delivered->add();
    ++health.delivered;
    health.last_delivered = now;
    lane.failures = 0;
    lane.rests_until = {};
    if (health.failing_since)
      logger_.info("notifications are delivered again", {{"channel", name}});
    health.failing_since.reset();
    turn(lane, false);
    return;
  }
  ++health.failed;
  ++lane.failures;
  health.last_error = outcome.why;
  const bool first = !health.failing_since;
  if (first) health.failing_since = now;
  if (outcome.kind == Outcome::Kind::kRejected) {
    lane.dead->add();
    ++health.dead;
    logger_.error("a notification was refused for good: it is kept among the dead letters",
                  {{"channel", name}, {"why", outcome.why}});
    turn(lane, true);
    return;
  }
  lane.failed->add();
  if (first)
    logger_.warn("a notification was not delivered: it is tried again until it is",
                 {{"channel", name}, {"why", outcome.why}});
  if (now - *health.failing_since >= options_.broken_after) turn(lane, true);
}

void Worker::turn(Running& lane, bool broken) {
  if (std::exchange(lane.health.broken, broken) == broken) return;
  if (on_turn_) on_turn_(lane.health);
}

}  // namespace etcdmon::notify
