#include "async/blocking_pool.hpp"

#include <future>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "async/when_all.hpp"

namespace etcdmon::async {
namespace {

using namespace std::chrono_literals;

Deadline in(std::chrono::nanoseconds time) {
  return std::chrono::steady_clock::now() + time;
}

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

// A door that a job waits at. The job holds it too, since an abandoned one may outlive the test.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::promise<void> entered;
};

auto job_behind(std::shared_ptr<Gate> gate, int value) {
  return [gate = std::move(gate), value] {
    const auto opened = gate->opened;
    gate->entered.set_value();
    opened.wait();
    return value;
  };
}

TEST(BlockingPool, BringsValuesErrorsAndNothing) {
  Loop loop;
  BlockingPool pool({.name = "test"});
  const auto here = std::this_thread::get_id();
  const auto value = run(loop, pool.run([here] { return std::this_thread::get_id() != here; }));
  EXPECT_TRUE(value.value_or(false));
  const auto error =
      run(loop, pool.run([] { return Result<int>(Error{ErrorCode::kNotFound, "no"}); }));
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, ErrorCode::kNotFound);
  const auto owned = run(loop, pool.run([p = std::make_unique<int>(7)] { return *p; }));
  EXPECT_EQ(owned.value_or(0), 7);
  EXPECT_TRUE(run(loop, pool.run([] {})));
  EXPECT_THROW((void)run(loop, pool.run([]() -> int { throw std::runtime_error("bug"); })),
               std::runtime_error);
  EXPECT_TRUE(run(loop, pool.close(in(10s))));
}

Task<> keep(BlockingPool& pool, std::shared_ptr<Gate> gate, std::optional<Result<int>>& result) {
  auto job = job_behind(gate, 1);
  result = co_await pool.run(std::move(job));
}

Task<Result<int>> late(BlockingPool& pool, std::atomic<int>& ran) {
  auto job = [&ran] { return ++ran; };
  co_return co_await pool.run(std::move(job));
}

Task<> late_too(BlockingPool& pool, std::atomic<int>& ran, std::optional<Result<int>>& result) {
  result = co_await late(pool, ran);
}

Task<Result<int>> overfill(Loop& loop, BlockingPool& pool, std::shared_ptr<Gate> gate) {
  std::atomic<int> ran = 0;
  std::optional<Result<int>> first;
  std::optional<Result<int>> second;
  TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("first", keep(pool, gate, first));
  co_await yield();
  gate->entered.get_future().wait();
  scope.spawn("second", late_too(pool, ran, second));
  co_await yield();
  auto refused = co_await late(pool, ran);
  co_await scope.close();
  // Both were cancelled: the one that waited must never run.
  gate->open.set_value();
  const bool closed = co_await pool.close(in(10s));
  EXPECT_TRUE(closed);
  EXPECT_FALSE(first || second);
  EXPECT_EQ(ran, 0);
  co_return refused;
}

TEST(BlockingPool, RefusesAboveItsQueueAndSkipsWhatWasCancelled) {
  Loop loop;
  BlockingPool pool({.name = "test", .threads = 1, .queue = 1});
  const auto gate = std::make_shared<Gate>();
  const auto refused = run(loop, overfill(loop, pool, gate));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
}

Task<bool> close_on_a_hung_job(Loop& loop, BlockingPool& pool, std::shared_ptr<Gate> gate,
                               std::optional<Result<int>>& first,
                               std::optional<Result<int>>& second) {
  std::atomic<int> ran = 0;
  TaskScope scope(loop.get_executor(), Logger{});
  scope.spawn("first", keep(pool, gate, first));
  co_await yield();
  gate->entered.get_future().wait();
  scope.spawn("second", late_too(pool, ran, second));
  co_await yield();
  const bool joined = co_await pool.close(in(2ms));
  co_await scope.close();
  co_return joined;
}

TEST(BlockingPool, AbandonsAHungJobAtTheDeadline) {
  Loop loop;
  const auto gate = std::make_shared<Gate>();
  std::optional<Result<int>> first;
  std::optional<Result<int>> second;
  {
    BlockingPool pool({.name = "test", .threads = 1});
    EXPECT_FALSE(run(loop, close_on_a_hung_job(loop, pool, gate, first, second)));
  }
  for (const auto& result : {first, second}) {
    ASSERT_TRUE(result);
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().code, ErrorCode::kUnavailable);
  }
  gate->open.set_value();
}

Task<Result<int>> after_close(BlockingPool& pool) {
  co_await pool.close(in(10s));
  auto job = [] { return 1; };
  co_return co_await pool.run(job);
}

TEST(BlockingPool, RefusesOnceClosed) {
  Loop loop;
  BlockingPool pool({.name = "test"});
  const auto result = run(loop, after_close(pool));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
}

Task<int> many(BlockingPool& pool, std::vector<Task<Result<int>>> tasks) {
  int sum = 0;
  const auto results = co_await when_all(std::move(tasks));
  for (const auto& result : results) sum += result.value_or(-1000);
  co_await pool.close(in(10s));
  co_return sum;
}

TEST(BlockingPool, RunsManyFromManyWaiters) {
  Loop loop;
  BlockingPool pool({.name = "test", .threads = 4, .queue = 1000});
  std::vector<Task<Result<int>>> tasks;
  for (int i = 0; i < 1000; ++i) tasks.push_back(pool.run([i] { return i; }));
  EXPECT_EQ(run(loop, many(pool, std::move(tasks))), 499'500);
}

}  // namespace
}  // namespace etcdmon::async
