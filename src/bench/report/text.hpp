// bench/report/text.hpp: a run for people, at a terminal.
#pragma once

#include <span>
#include <string>

#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

/// The block of results, then what stands behind it: P99.9, operations, errors, the run second by
/// second, targets, notes. Ends with a newline.
std::string text(const Record& record);

/// The seconds worth a row: without a last one that is too short to have a rate.
std::span<const Second> telling_seconds(const RunResult& result);

}  // namespace etcdmon::bench::report
