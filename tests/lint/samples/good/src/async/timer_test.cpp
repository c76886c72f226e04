#include "async/timer.hpp"

Task<> waits() { co_await async::sleep_for(1ms); }
