#include "rpc/awaits.hpp"

namespace sample {

Task<int> lambda_in_the_expression(int x) {
  co_await pool.run([x] { return x; });                        // expect: await-with-lambda
  co_return co_await submit(2, Options{.then = [&] { go(); }});  // expect: await-with-lambda, await-with-aggregate
}

Task<> aggregate_in_the_expression(Connection& connection) {
  co_await connection.unary(Call{"/path", "request"});           // expect: await-with-aggregate
  const auto reply = co_await ask({.key = "a", .limit = 1});     // expect: await-with-aggregate
  co_return co_await keep(std::vector<int>{1, 2}, reply);        // expect: await-with-aggregate
}

void lambda_that_is_a_coroutine(Loop& loop, int x) {
  auto job = [x]() -> Task<int> { co_return x; };  // expect: lambda-coroutine
  spawn(loop, [&loop]() mutable -> Task<> {        // expect: lambda-coroutine
    co_await step(loop);
  });
  auto outer = [] { return [=](auto&& y) -> Task<> { co_await y; }; };  // expect: lambda-coroutine
}

Task<> conditions(bool ok) {
  const int a = ok ? co_await one() : 2;            // expect: await-in-condition
  if (ok && co_await ready()) co_return;            // expect: await-in-condition
  while (!ok || (co_await next()).has_value()) {}   // expect: await-in-condition
  if (const auto r = co_await one(); r) go(a);
}

Task<> lists() {
  Point p{co_await one(), 2};                // expect: await-in-list
  use(std::vector<int>{1, co_await one()});  // expect: await-in-list
  for (auto x : co_await all()) go(x);       // expect: await-in-range-for
}

Task<> two(Timer& timer) {
  co_await post(co_await this_executor(), use_task);  // expect: two-awaits
  const auto sum = co_await one() +
                   co_await one();  // expect: two-awaits
  go(sum);
}

Task<> habits() {
  asio::co_spawn(loop, two(timer), asio::detached);  // expect: detached
  try {
    go(1);
  } catch (...) {  // expect: catch-all
  }
  using namespace asio::experimental::awaitable_operators;      // expect: timer-race
  auto race = read(stream) || timer.async_wait(use_task);       // expect: timer-race
  auto other = read(stream) || async::sleep_until(deadline);    // expect: timer-race
  auto third = async::with_deadline(read(stream), deadline);    // expect: timer-race
  // lint: allow(detached):
  asio::co_spawn(loop, two(timer), asio::detached);  // expect: detached
}

}  // namespace sample
