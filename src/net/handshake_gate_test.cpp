#include "net/detail/handshake_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_scope.hpp"
#include "net/testing/loop.hpp"

namespace etcdmon::net::detail {
namespace {

using namespace std::chrono_literals;
using net::testing::in;
using net::testing::run;
using ::testing::ElementsAre;

using Permits = std::vector<HandshakeGate::Permit>;

Task<Permits> take_all(HandshakeGate& gate) {
  Permits permits;
  for (std::size_t i = 0; i < HandshakeGate::kPlaces; ++i) {
    permits.push_back(co_await gate.enter(in(1s)));
  }
  co_return permits;
}

Task<> enter_and_leave(HandshakeGate& gate, int name, std::vector<int>& order) {
  const auto permit = co_await gate.enter(SteadyTime::max());
  order.push_back(permit ? name : -name);
}

Task<std::vector<int>> wait_in_line(Loop& loop) {
  HandshakeGate gate;
  auto permits = co_await take_all(gate);
  std::vector<int> order;
  async::TaskScope cancelled(loop.get_executor(), Logger{});
  async::TaskScope scope(loop.get_executor(), Logger{});
  cancelled.spawn("first", enter_and_leave(gate, 1, order));
  scope.spawn("second", enter_and_leave(gate, 2, order));
  scope.spawn("third", enter_and_leave(gate, 3, order));
  co_await async::yield();
  EXPECT_TRUE(order.empty());
  // Granted and cancelled at once: the place goes on.
  permits.pop_back();
  co_await cancelled.close();
  for (int i = 0; i < 10; ++i) co_await async::yield();
  permits.clear();
  co_await scope.close();
  EXPECT_EQ(gate.free_places(), HandshakeGate::kPlaces);
  co_return order;
}

TEST(HandshakeGate, FirstComeFirstServed) {
  Loop loop;
  EXPECT_THAT(run(loop, wait_in_line(loop)), ElementsAre(2, 3));
}

Task<bool> wait_in_vain() {
  HandshakeGate gate;
  const auto permits = co_await take_all(gate);
  const auto late = co_await gate.enter(in(1ms));
  co_return static_cast<bool>(late);
}

TEST(HandshakeGate, GivesUpAtTheDeadline) {
  Loop loop;
  EXPECT_FALSE(run(loop, wait_in_vain()));
}

}  // namespace
}  // namespace etcdmon::net::detail
