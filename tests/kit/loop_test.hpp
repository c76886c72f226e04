// kit/loop_test.hpp: a fixture with a loop, for tests that await.
#pragma once

#include <utility>

#include <gtest/gtest.h>

#include "kit/run.hpp"

namespace etcdmon::kit {

/// Threads: the loop runs on the test's thread, and only while run() is on.
class LoopTest : public testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return kit::run(loop_, std::move(task));
  }
  Executor executor() { return loop_.get_executor(); }

  Loop loop_{1};
};

}  // namespace etcdmon::kit
