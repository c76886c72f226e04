#include "store/history/history_log.hpp"

#include <atomic>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "net/testing/loop.hpp"

namespace etcdmon::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Takes rows after it has refused some times.
class Recorder final : public HistoryBackend {
 public:
  explicit Recorder(int refusals) : refusals_(refusals) {}

  Result<void> write(std::span<const HistoryRow> rows) override {
    const std::lock_guard lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      return Error{ErrorCode::kUnavailable, "away"};
    }
    for (const auto& row : rows) names_.push_back(row.member_name);
    return {};
  }
  Result<HistoryAnswer> query(const HistoryRange& range) override {
    return HistoryAnswer{.step = range.step};
  }
  Result<bool> maintain(WallTime /*now*/, const HistoryRetention& /*retention*/) override {
    ++maintained_;
    return false;
  }
  HistoryStatus status() const override { return {}; }

  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  int maintained() const { return maintained_; }

 private:
  mutable std::mutex mutex_;
  int refusals_;
  std::vector<std::string> names_;
  std::atomic<int> maintained_ = 0;
};

class HistoryLogTest : public testing::Test {
 protected:
  static HistoryRow row(std::string name) {
    return {.cluster = "c", .member = MemberId{1}, .member_name = std::move(name), .at = {}};
  }
  static HistoryLog::Options quick() {
    return {.flush_every = 1ms, .retry_after = 1ms, .maintain_every = 1ms, .max_waiting = 3};
  }
  template <class T>
  T run(Task<T> task) {
    return net::testing::run(loop_, std::move(task));
  }
  static Deadline soon() { return std::chrono::steady_clock::now() + 10s; }

  Loop loop_{1};
  Logger logger_{};
};

TEST_F(HistoryLogTest, WritesWhatWaitsWhenItIsClosed) {
  const auto backend = std::make_shared<Recorder>(0);
  HistoryLog log(backend, quick(), logger_);
  log.record(row("a"));
  log.record(row("b"));
  EXPECT_EQ(log.health().waiting, 2U);
  EXPECT_TRUE(run(log.close(soon())));
  EXPECT_THAT(backend->names(), ElementsAre("a", "b"));
  EXPECT_EQ(log.health().written, 2U);
}

TEST_F(HistoryLogTest, TheOldestGoWhenThereAreTooMany) {
  const auto backend = std::make_shared<Recorder>(0);
  HistoryLog log(backend, quick(), logger_);
  for (const auto* name : {"a", "b", "c", "d", "e"}) log.record(row(name));
  EXPECT_EQ(log.health().dropped, 2U);
  EXPECT_TRUE(run(log.close(soon())));
  EXPECT_THAT(backend->names(), ElementsAre("c", "d", "e"));
}

Task<bool> until_maintained(HistoryLog& log, const Recorder& backend, async::TaskScope& scope) {
  scope.spawn("history", log.run());
  const auto settled = [&] {
    const auto health = log.health();
    return health.written > 0 && backend.maintained() > 0 && !health.failing_since;
  };
  while (!settled()) co_await async::yield();
  co_await scope.close();
  co_return true;
}

TEST_F(HistoryLogTest, WhatIsRefusedIsTriedAgainInItsOrder) {
  const auto backend = std::make_shared<Recorder>(3);
  HistoryLog log(backend, quick(), logger_);
  log.record(row("a"));
  log.record(row("b"));
  async::TaskScope scope(loop_.get_executor(), logger_);
  EXPECT_TRUE(run(until_maintained(log, *backend, scope)));
  EXPECT_THAT(backend->names(), ElementsAre("a", "b"));
  EXPECT_EQ(log.health().last_error, "");
  EXPECT_TRUE(run(log.close(soon())));
}

TEST_F(HistoryLogTest, WhatCannotBeWrittenIsSaid) {
  const auto backend = std::make_shared<Recorder>(1'000);
  HistoryLog log(backend, quick(), logger_);
  log.record(row("a"));
  EXPECT_TRUE(run(log.close(soon()))) << "the thread has ended all the same";
  EXPECT_EQ(log.health().waiting, 1U);
}

TEST_F(HistoryLogTest, QuestionsGoThrough) {
  HistoryLog log(std::make_shared<Recorder>(0), quick(), logger_);
  const auto answer = run(log.query({.cluster = "c", .from = {}, .to = {}, .step = 7s}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->step, 7s);
  EXPECT_TRUE(run(log.close(soon())));
}

}  // namespace
}  // namespace etcdmon::store
