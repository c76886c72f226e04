#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/one_shot.hpp"
#include "async/retry.hpp"
#include "async/shielded.hpp"
#include "async/task_scope.hpp"
#include "async/timeout.hpp"
#include "async/when_all.hpp"

namespace etcdmon::async {
namespace {

using namespace std::chrono_literals;

// Runs one task to its end on a loop of its own.
template <class T>
T run(Loop& loop, Task<T> task) {
  std::exception_ptr failure;
  std::optional<T> value;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T v) {
    failure = e;
    value = std::move(v);
  });
  loop.restart();
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

Task<int> number_after(std::chrono::milliseconds wait, int value) {
  co_await sleep_for(wait);
  co_return value;
}

Task<int> forever(bool& ended) {
  try {
    co_await sleep_for(1h);
  } catch (const boost::system::system_error&) {
    ended = true;
    throw;
  }
  co_return 0;
}

TEST(WhenAll, KeepsInputOrder) {
  Loop loop;
  std::vector<Task<int>> tasks;
  tasks.push_back(number_after(3ms, 1));
  tasks.push_back(number_after(1ms, 2));
  EXPECT_THAT(run(loop, when_all(std::move(tasks))), testing::ElementsAre(1, 2));
}

TEST(WhenAll, EmptyReturnsAtOnce) {
  Loop loop;
  EXPECT_TRUE(run(loop, when_all(std::vector<Task<int>>{})).empty());
}

TEST(Timeout, CancelsTheTaskAndAwaitsIt) {
  Loop loop;
  bool ended = false;
  EXPECT_EQ(run(loop, with_deadline(forever(ended), std::chrono::steady_clock::now() + 1ms)),
            std::nullopt);
  EXPECT_TRUE(ended);
}

Task<> wait_for_ever(int& cancelled) {
  try {
    co_await sleep_for(1h);
  } catch (const boost::system::system_error&) {
    ++cancelled;
    throw;
  }
}

Task<int> open_and_close(Loop& loop, int& cancelled) {
  TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("one", wait_for_ever(cancelled));
  scope.spawn("two", wait_for_ever(cancelled));
  co_await yield();
  co_await scope.close();
  co_return scope.spawn("late", wait_for_ever(cancelled)) ? 1 : 0;
}

TEST(TaskScope, CloseCancelsAllAndRefusesMore) {
  Loop loop;
  int cancelled = 0;
  EXPECT_EQ(run(loop, open_and_close(loop, cancelled)), 0);
  EXPECT_EQ(cancelled, 2);
}

Task<> wait_shot(OneShot<int>& shot, int& got) {
  got = co_await shot.wait();
}

Task<int> cancel_shot(Loop& loop) {
  OneShot<int> shot;
  int got = -1;
  {
    TaskScope scope(loop.get_executor(), Logger{});
    scope.spawn("waiter", wait_shot(shot, got));
    co_await yield();
    EXPECT_TRUE(shot.waiting());
    co_await scope.close();
    EXPECT_FALSE(shot.waiting());
  }
  TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("waiter", wait_shot(shot, got));
  co_await yield();
  shot.set(7);
  co_await scope.close();
  co_return got;
}

TEST(OneShot, DeliversAndCanBeCancelled) {
  Loop loop;
  EXPECT_EQ(run(loop, cancel_shot(loop)), 7);
}

Task<int> shielded_child(int& value) {
  co_await sleep_for(5ms);
  value = 42;
  co_return value;
}

Task<> caller(int& value) {
  co_await shielded(shielded_child(value));
}

Task<int> cancel_shielded(Loop& loop, int& value) {
  TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("caller", caller(value));
  co_await yield();
  co_await yield();
  co_await scope.close();
  co_return value;
}

TEST(Shielded, FinishesThoughTheCallerIsCancelled) {
  Loop loop;
  int value = 0;
  EXPECT_EQ(run(loop, cancel_shielded(loop, value)), 42);
}

Task<> set_later(Event& event) {
  co_await yield();
  event.set();
}

Task<bool> wait_event(Loop& loop) {
  Event event;
  TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("setter", set_later(event));
  const bool set = co_await event.wait_until(std::chrono::steady_clock::now() + 10s);
  event.reset();
  const bool late = co_await event.wait_until(std::chrono::steady_clock::now() + 1ms);
  co_await scope.close();
  co_return set && !late;
}

TEST(Event, WakesAWaiterAndTimesOut) {
  Loop loop;
  EXPECT_TRUE(run(loop, wait_event(loop)));
}

TEST(RetryPolicy, StaysBelowItsCeilingAndGivesUp) {
  Random random(1);
  const RetryPolicy policy{.base = 100ms, .cap = 1s, .floor = 10ms, .max_attempts = 8};
  for (int attempt = 1; attempt < 8; ++attempt) {
    const auto wait = policy.next(attempt, random);
    ASSERT_TRUE(wait);
    EXPECT_GE(*wait, 10ms);
    EXPECT_LE(*wait, std::min<std::chrono::milliseconds>(1s, 100ms * (1 << (attempt - 1))));
  }
  EXPECT_EQ(policy.next(8, random), std::nullopt);
}

}  // namespace
}  // namespace etcdmon::async
