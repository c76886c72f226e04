#include "app/lifecycle.hpp"

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::app {
namespace {

using namespace std::chrono_literals;

Task<> note(std::vector<std::string>& order, std::string name) {
  order.push_back(std::move(name));
  co_return;
}

Task<> hang() {
  co_await async::sleep_for(1h);
}

bool stop(Loop& loop, Lifecycle& lifecycle) {
  bool clean = false;
  asio::co_spawn(loop, lifecycle.stop(20ms),
                 [&clean](const std::exception_ptr&, bool all) { clean = all; });
  loop.restart();
  loop.run();
  return clean;
}

TEST(Lifecycle, StopsInReverseOrderAndOnce) {
  Loop loop(1);
  std::vector<std::string> order;
  Lifecycle lifecycle{Logger{}};
  lifecycle.started("first", [&order] { return note(order, "first"); });
  lifecycle.started("second", [&order] { return note(order, "second"); });
  EXPECT_TRUE(stop(loop, lifecycle));
  EXPECT_THAT(order, testing::ElementsAre("second", "first"));
  EXPECT_TRUE(stop(loop, lifecycle));
  EXPECT_EQ(order.size(), 2U);
}

TEST(Lifecycle, AStepThatHangsIsLeftBehind) {
  Loop loop(1);
  std::vector<std::string> order;
  Lifecycle lifecycle{Logger{}};
  lifecycle.started("first", [&order] { return note(order, "first"); });
  lifecycle.started("hangs", [] { return hang(); });
  EXPECT_FALSE(stop(loop, lifecycle));
  EXPECT_THAT(order, testing::ElementsAre("first"));
}

}  // namespace
}  // namespace etcdmon::app
