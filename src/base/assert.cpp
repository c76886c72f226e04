#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace etcdmon {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr,
               "etcd-monitor: broken invariant: %s (%s:%d). This is a bug; please report it.\n",
               expression, file, line);
  std::abort();
}

}  // namespace etcdmon
