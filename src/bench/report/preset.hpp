// bench/report/preset.hpp: the pass rule of etcd's `check perf`.
#pragma once

#include "bench/options.hpp"
#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

/// Passed: nothing failed, more than nine tenths of the preset's rate, the slowest operation within
/// 500 ms, a standard deviation within 100 ms.
PresetVerdict judge_preset(const RunResult& result, const Preset& preset);

}  // namespace etcdmon::bench::report
