// async/timeout.hpp: the one place where an operation races a timer.
#pragma once

inline Task<bool> with_deadline(Task<> task, SteadyTime deadline) {
  using namespace asio::experimental::awaitable_operators;
  auto race = std::move(task) || sleep_until(deadline);
  const auto result = co_await std::move(race);
  co_return result.index() == 0;
}
