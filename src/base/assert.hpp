// base/assert.hpp: checks of our own invariants, on in every build. Never for input, network, disk
// or clock.
#pragma once

namespace etcdmon {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}  // namespace etcdmon

#define ETCDMON_ASSERT(expression)                                                   \
  do {                                                                               \
    if (!(expression)) ::etcdmon::assertion_failed(#expression, __FILE__, __LINE__); \
  } while (false)
