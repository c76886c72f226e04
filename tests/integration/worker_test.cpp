// The worker over a real store: who is told, how often, and who hears that a channel is broken.
#include "notify/worker.hpp"

#include <deque>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/loop.hpp"
#include "notify/testing/samples.hpp"
#include "store/state_store.hpp"

namespace etcdmon::notify {
namespace {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;

// Says what it was told to say; the last outcome from then on.
class ScriptedChannel final : public Channel {
 public:
  struct Script {
    std::deque<Outcome> outcomes{Outcome{}};
    bool hangs = false;
    std::vector<std::string> seen{};  ///< message ids
  };
  explicit ScriptedChannel(Script& script) : script_(script) {}

  Task<Outcome> send(model::Notification notification, Deadline deadline) override {
    script_.seen.push_back(message_id(notification));
    if (script_.hangs) co_await async::sleep_until(deadline);
    auto outcome = script_.outcomes.front();
    if (script_.outcomes.size() > 1) script_.outcomes.pop_front();
    co_return outcome;
  }

 private:
  Script& script_;
};

// A worker over a store in memory, run until `done` holds.
class WorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::StateStore::open({.path = ":memory:"});
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

  Task<bool> scene(std::vector<model::Notification> notifications, std::function<bool()> done) {
    Worker worker(loop_.get_executor(), store_->outbox(), clock_, options_, Logger{});
    std::vector<Worker::Lane> lanes;
    for (auto& [name, script] : scripts_)
      lanes.push_back({name, std::make_unique<ScriptedChannel>(script), 2s});
    worker.start(
        std::move(lanes), [this](const ChannelHealth& health) { turns_.push_back(health); },
        registry_);
    const auto pushed = co_await store_->outbox().push(std::move(notifications));
    worker.wake();
    const auto end = clock_.now().steady + 5s;
    while (!done() && clock_.now().steady < end) co_await async::sleep_for(1ms);
    const bool in_time = done();
    // What was delivered has been noted, too.
    co_await async::sleep_for(5ms);
    health_ = worker.health();
    co_await worker.stop(clock_.now().steady + 100ms);
    co_return in_time&& pushed.has_value();
  }
  bool play(std::vector<model::Notification> notifications, std::function<bool()> done) {
    const bool in_time = net::testing::run(loop_, scene(std::move(notifications), std::move(done)));
    counts_ = net::testing::run(loop_, store_->outbox().counts()).value();
    attempts_ = net::testing::run(loop_, store_->attempts("", 100)).value();
    return in_time;
  }
  static model::Notification to(const std::string& channel, const std::string& key = "k") {
    auto notification = testing::firing();
    notification.channel = channel;
    notification.dedup_key = key;
    notification.created_at = SystemClock{}.now().wall;
    return notification;
  }

  Loop loop_{1};
  SystemClock clock_;
  metrics::Registry registry_;
  Worker::Options options_{.retry = {.first = 1ms, .longest = 4ms}};
  std::map<std::string, ScriptedChannel::Script> scripts_;
  std::unique_ptr<store::StateStore> store_;
  std::vector<ChannelHealth> turns_;
  std::vector<ChannelHealth> health_;
  std::vector<store::QueueCount> counts_;
  std::vector<store::Attempt> attempts_;
};

TEST_F(WorkerTest, DeliversAndNotesIt) {
  auto& slack = scripts_["slack"];
  ASSERT_TRUE(play({to("slack", "a"), to("slack", "b")}, [&] { return slack.seen.size() == 2; }));
  EXPECT_TRUE(counts_.empty());
  ASSERT_EQ(attempts_.size(), 2U);
  EXPECT_EQ(attempts_[0].outcome, "delivered");
  EXPECT_EQ(health_.at(0).delivered, 2U);
  EXPECT_FALSE(health_.at(0).failing_since);
}

TEST_F(WorkerTest, TriesAgainUntilItIsTaken) {
  auto& slack = scripts_["slack"];
  const Outcome away{.kind = Kind::kRetry, .status = 503, .why = "HTTP 503"};
  slack.outcomes = {away, away, away, Outcome{}};
  ASSERT_TRUE(play({to("slack")}, [&] { return slack.seen.size() == 4; }));
  EXPECT_THAT(std::set<std::string>(slack.seen.begin(), slack.seen.end()), ::testing::SizeIs(1));
  ASSERT_EQ(attempts_.size(), 4U);
  EXPECT_EQ(attempts_[0].number, 4);
  EXPECT_EQ(attempts_[1].why, "HTTP 503");
  EXPECT_EQ(health_.at(0).failed, 3U);
  EXPECT_TRUE(turns_.empty()) << "not broken for long enough to tell";
}

TEST_F(WorkerTest, AChannelThatHangsDelaysNoOther) {
  scripts_["mail"].hangs = true;
  auto& slack = scripts_["slack"];
  std::vector<model::Notification> notifications = {to("mail", "a"), to("mail", "b")};
  for (int i = 0; i < 20; ++i) notifications.push_back(to("slack", std::to_string(i)));
  const auto begun = clock_.now().steady;
  ASSERT_TRUE(play(notifications, [&] { return slack.seen.size() == 20; }));
  EXPECT_LT(clock_.now().steady - begun, 1s);
}

TEST_F(WorkerTest, WhatIsRefusedForGoodIsKeptAndToldAndTheNextMendsIt) {
  auto& slack = scripts_["slack"];
  slack.outcomes = {Outcome{.kind = Kind::kRejected, .status = 404, .why = "HTTP 404"}, Outcome{}};
  ASSERT_TRUE(play({to("slack", "a"), to("slack", "b")}, [&] { return slack.seen.size() == 2; }));
  ASSERT_EQ(counts_.size(), 1U);
  EXPECT_EQ(counts_[0].dead, 1U);
  ASSERT_EQ(turns_.size(), 2U);
  EXPECT_TRUE(turns_[0].broken);
  EXPECT_EQ(turns_[0].last_error, "HTTP 404");
  EXPECT_FALSE(turns_[1].broken);
}

TEST_F(WorkerTest, AFailureThatLastsIsToldOnce) {
  auto& slack = scripts_["slack"];
  slack.outcomes = {Outcome{.kind = Kind::kRetry, .why = "connection refused"}};
  options_.broken_after = 10ms;
  ASSERT_TRUE(play({to("slack")}, [&] { return slack.seen.size() > 15 && !turns_.empty(); }));
  ASSERT_EQ(turns_.size(), 1U);
  EXPECT_TRUE(turns_[0].broken);
}

TEST_F(WorkerTest, WhatIsTooOldIsGivenUp) {
  auto& slack = scripts_["slack"];
  slack.outcomes = {Outcome{.kind = Kind::kRetry, .why = "connection refused"}};
  auto old = to("slack");
  old.created_at -= 25h;
  ASSERT_TRUE(play({old}, [&] { return !turns_.empty(); }));
  EXPECT_EQ(slack.seen.size(), 1U);
  EXPECT_EQ(counts_.at(0).dead, 1U);
  EXPECT_THAT(attempts_.at(0).why, ::testing::HasSubstr("given up after 1 attempts"));
}

TEST_F(WorkerTest, AStopInTheMiddleOfAnAttemptKeepsTheMessage) {
  auto& slack = scripts_["slack"];
  slack.hangs = true;
  ASSERT_TRUE(play({to("slack")}, [&] { return slack.seen.size() == 1; }));
  ASSERT_EQ(counts_.size(), 1U);
  EXPECT_EQ(counts_[0].waiting, 1U);
  EXPECT_TRUE(attempts_.empty());
}

}  // namespace
}  // namespace etcdmon::notify
