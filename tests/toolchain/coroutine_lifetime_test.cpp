// The coroutine shapes that this program relies on, each with an object that counts its own lives.
// g++ 12 destroys some temporaries of a co_await expression twice (scripts/check_coroutines.py bans
// those shapes); here stands what is used instead, so that a compiler change that breaks it is
// noticed. AddressSanitizer sees what the counting cannot.
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "async/one_shot.hpp"
#include "async/task_scope.hpp"
#include "async/when_all.hpp"

namespace etcdmon {
namespace {

struct Lives {
  int made = 0;
  int ended = 0;
  int broken = 0;  ///< used or ended when not alive
};

// A value with an allocation and a mark of being alive. Copies and moves count as lives of their
// own.
class Tracked {
 public:
  explicit Tracked(Lives& lives) : lives_(&lives), text_(std::make_unique<std::string>(40, 'x')) {
    ++lives_->made;
  }
  Tracked(const Tracked& other)
      : lives_(other.lives_), text_(std::make_unique<std::string>(*other.text_)) {
    ++lives_->made;
  }
  Tracked(Tracked&& other) noexcept : lives_(other.lives_), text_(std::move(other.text_)) {
    ++lives_->made;
  }
  Tracked& operator=(const Tracked&) = delete;
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    if (alive_ != kAlive) ++lives_->broken;
    alive_ = 0;
    ++lives_->ended;
  }

  std::size_t use() const {
    if (alive_ != kAlive || text_ == nullptr) ++lives_->broken;
    return text_ == nullptr ? 0 : text_->size();
  }

 private:
  static constexpr unsigned kAlive = 0x600DCAFE;
  Lives* lives_;
  std::unique_ptr<std::string> text_;
  volatile unsigned alive_ = kAlive;
};

std::size_t run(Task<std::size_t> task) {
  Loop loop;
  std::size_t result = 0;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr exception, std::size_t value) {
    failure = std::move(exception);
    result = value;
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return result;
}

void expect_balanced(const Lives& lives) {
  EXPECT_GT(lives.made, 0);
  EXPECT_EQ(lives.made, lives.ended);
  EXPECT_EQ(lives.broken, 0);
}

// Parameters by value live as long as the frame.
Task<std::size_t> use_later(Tracked value) {
  co_await async::yield();
  co_return value.use();
}

// A callable by value, called after a suspension.
template <class Job>
Task<std::size_t> call_later(Job job) {
  co_await async::yield();
  co_return job();
}

Task<std::size_t> named_lambda(Lives& lives) {
  Tracked tracked(lives);
  auto job = [tracked = std::move(tracked)] { return tracked.use(); };
  const auto used = co_await call_later(std::move(job));
  co_return used;
}

TEST(CoroutineLifetime, NamedLambdaMovedIntoACall) {
  Lives lives;
  EXPECT_EQ(run(named_lambda(lives)), 40U);
  expect_balanced(lives);
}

Task<std::size_t> temporary_argument(Lives& lives) {
  const auto used = co_await use_later(Tracked(lives));
  co_return used;
}

TEST(CoroutineLifetime, TemporaryAsAnArgumentByValue) {
  Lives lives;
  EXPECT_EQ(run(temporary_argument(lives)), 40U);
  expect_balanced(lives);
}

Task<std::size_t> read_by_reference(const Tracked& value) {
  co_await async::yield();
  co_return value.use();
}

Task<std::size_t> reference_to_own_frame(Lives& lives) {
  const Tracked tracked(lives);
  co_return co_await read_by_reference(tracked);
}

TEST(CoroutineLifetime, ReferenceIntoTheAwaitingFrame) {
  Lives lives;
  EXPECT_EQ(run(reference_to_own_frame(lives)), 40U);
  expect_balanced(lives);
}

Task<std::size_t> named_range(Lives& lives) {
  std::vector<Tracked> values;
  for (int i = 0; i < 3; ++i) values.emplace_back(lives);
  std::size_t sum = 0;
  for (const auto& value : values) {
    const auto used = co_await use_later(value);
    sum += used;
  }
  co_return sum;
}

TEST(CoroutineLifetime, AwaitInTheBodyOfARangeFor) {
  Lives lives;
  EXPECT_EQ(run(named_range(lives)), 120U);
  expect_balanced(lives);
}

Task<Result<Tracked>> answer(Lives& lives, bool good) {
  co_await async::yield();
  if (!good)
    co_return Error{ErrorCode::kUnavailable, "a message too long for the small string buffer"};
  co_return Tracked(lives);
}

Task<std::size_t> result_in_a_condition(Lives& lives) {
  std::size_t sum = 0;
  if (const auto good = co_await answer(lives, true); good) sum += good->use();
  if (const auto bad = co_await answer(lives, false); !bad) sum += bad.error().message.size();
  co_return sum;
}

TEST(CoroutineLifetime, ResultOfAnIfWithInitializer) {
  Lives lives;
  EXPECT_EQ(run(result_in_a_condition(lives)), 86U);
  expect_balanced(lives);
}

Task<std::size_t> many_tasks(Lives& lives) {
  std::vector<Task<std::size_t>> tasks;
  for (int i = 0; i < 8; ++i) tasks.push_back(use_later(Tracked(lives)));
  const auto used = co_await async::when_all(std::move(tasks));
  std::size_t sum = 0;
  for (const auto value : used) sum += value;
  co_return sum;
}

TEST(CoroutineLifetime, TasksInAVector) {
  Lives lives;
  EXPECT_EQ(run(many_tasks(lives)), 320U);
  expect_balanced(lives);
}

TEST(CoroutineLifetime, TaskThatIsNeverStarted) {
  Lives lives;
  {
    const auto task = use_later(Tracked(lives));
  }
  expect_balanced(lives);
}

Task<std::size_t> throws_later(Tracked value) {
  co_await async::yield();
  if (value.use() == 40) throw std::runtime_error("thrown on purpose");
  co_return 0;
}

Task<std::size_t> catches(Lives& lives) {
  const Tracked local(lives);
  std::size_t caught = 0;
  try {
    caught = co_await throws_later(Tracked(lives));
  } catch (const std::runtime_error&) {
    caught = local.use();
  }
  co_return caught;
}

TEST(CoroutineLifetime, ExceptionThroughFrames) {
  Lives lives;
  EXPECT_EQ(run(catches(lives)), 40U);
  expect_balanced(lives);
}

// The initiation of OneShot is a named struct; what it delivers is moved through Asio's handler.
Task<> wait_for(async::OneShot<std::shared_ptr<Tracked>>& shot, std::size_t& used) {
  const auto value = co_await shot.wait();
  used = value->use();
}

Task<std::size_t> delivered(Lives& lives) {
  async::OneShot<std::shared_ptr<Tracked>> shot;
  async::TaskScope scope(co_await async::this_executor(), Logger{});
  std::size_t used = 0;
  scope.spawn("waiter", wait_for(shot, used));
  co_await async::yield();
  shot.set(std::make_shared<Tracked>(lives));
  co_await scope.close();
  co_return used;
}

TEST(CoroutineLifetime, NamedInitiationStruct) {
  Lives lives;
  EXPECT_EQ(run(delivered(lives)), 40U);
  expect_balanced(lives);
}

Task<> holds_until_cancelled(Tracked value) {
  co_await async::sleep_for(std::chrono::hours(1));
  value.use();
}

// A member coroutine: the object outlives its scope, so `this` may stand in the frame.
class Owner {
 public:
  Owner(Executor executor, Lives& lives) : tracked_(lives), scope_(executor, Logger{}) {}

  Task<std::size_t> run(Lives& lives) {
    scope_.spawn("held", holds_until_cancelled(Tracked(lives)));
    scope_.spawn("member", use_member());
    co_await async::yield();
    co_await async::yield();
    co_await scope_.close();
    co_return used_;
  }

 private:
  Task<> use_member() {
    co_await async::yield();
    used_ = tracked_.use();
  }

  Tracked tracked_;
  std::size_t used_ = 0;
  async::TaskScope scope_;
};

Task<std::size_t> owned(Lives& lives) {
  Owner owner(co_await async::this_executor(), lives);
  co_return co_await owner.run(lives);
}

TEST(CoroutineLifetime, MemberAndCancelledChildInAScope) {
  Lives lives;
  EXPECT_EQ(run(owned(lives)), 40U);
  expect_balanced(lives);
}

// Arguments in braces without an await among them, built in the statement that awaits.
struct Request {
  Tracked body;
  std::optional<std::string> path;
};

Task<std::size_t> send(Request request) {
  co_await async::yield();
  co_return request.body.use() + request.path.value_or("").size();
}

Task<std::size_t> aggregate_argument(Lives& lives) {
  Request request{.body = Tracked(lives), .path = "/a/path/longer/than/the/small/buffer"};
  co_return co_await send(std::move(request));
}

TEST(CoroutineLifetime, NamedAggregateMovedIntoACall) {
  Lives lives;
  EXPECT_EQ(run(aggregate_argument(lives)), 76U);
  expect_balanced(lives);
}

}  // namespace
}  // namespace etcdmon
