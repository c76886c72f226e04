#include "bench/result.hpp"

namespace etcdmon::bench {

double RunResult::throughput() const {
  const auto took = std::chrono::duration<double>(measured).count();
  return took > 0 ? static_cast<double>(succeeded) / took : 0;
}

}  // namespace etcdmon::bench
