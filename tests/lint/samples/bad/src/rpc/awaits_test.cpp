#include "rpc/awaits.hpp"

Task<> waits() {
  std::this_thread::sleep_for(1ms);  // expect: sleep-in-unit-test
  co_await async::sleep_for(1ms);    // expect: sleep-in-unit-test
  co_await async::sleep_for(1h);
}
