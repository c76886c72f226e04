#include "rpc/awaits.hpp"

#include <nghttp2/nghttp2.h>

#include "net/stream.hpp"
#include "rpc/session.hpp"

// co_await f([x] { return x; }); catch (...) asio::detached
namespace sample {

struct Initiation {
  int* value = nullptr;
  std::array<int, 2> pair{{1, 2}};
  explicit Initiation(int* v) : value{v}, pair{{3, 4}} { go(*v); }
};

Task<int> named(int x) {
  auto job = [x] { return x; };
  const auto result = co_await pool.run(std::move(job));
  co_await pool.run([] { return 1; });
  Call call{.path = "/path", .request = {}};
  co_await connection.unary(std::move(call));
  co_await hear(connection, {}, Logger{});
  if (!result) co_return 0;
  for (const auto& row : result) co_await send(row);
  for (std::size_t i = 0; i < 3 && i != 2; ++i) {
    co_await send(i);
  }
  if (result && x != 0) co_await send(2);
  else co_await send(3);
  const bool both = x == 1 || x == 2;
  auto&& reference = co_await pool.reference();
  const auto got = co_await shot.wait();
  switch (got) {
    case 1: co_await send(4); break;
    default: co_return 1'000;
  }
  co_return both ? 1 : 2;
}

Task<> after_a_block(std::vector<Task<int>> tasks) {
  std::sort(tasks.begin(), tasks.end(), [&](const auto& a, const auto& b) { return a < b || b < a; });
  { go(1); }
  co_await when_all(std::move(tasks));
  const char* text = R"(co_await x || co_await y)";
  auto plain = [&text]() -> int { return text[0] ? 1 : 2; };
  int table[] = {1, 2};
  go(table[plain()]);
  // lint: allow(detached): the sample shows that a reason lets a line off
  asio::co_spawn(loop, named(1), asio::detached);
}

}  // namespace sample
