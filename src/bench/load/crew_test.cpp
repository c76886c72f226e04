#include "bench/load/crew.hpp"

#include <atomic>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etcdmon::bench {
namespace {

TEST(Crew, EveryWorkerKeepsItsThread) {
  Crew crew(3);
  std::vector<std::thread::id> first(3);
  std::vector<std::thread::id> second(3);
  crew.run([&](std::size_t i) { first[i] = std::this_thread::get_id(); });
  crew.run([&](std::size_t i) { second[i] = std::this_thread::get_id(); });
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 3U);
}

TEST(Crew, TheCallerIsNotIdleMeanwhile) {
  Crew crew(2);
  std::atomic<bool> told{false};
  crew.run(
      [&](std::size_t) {
        while (!told) std::this_thread::yield();
      },
      [&] { told = true; });
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace etcdmon::bench
