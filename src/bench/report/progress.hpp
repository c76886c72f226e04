// bench/report/progress.hpp: where a run is, for people who wait and for programs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bench/run.hpp"

namespace etcdmon::bench::report {

std::string_view name_of(Progress::Phase phase);  ///< "measuring"

/// One line of at most `width` columns, without an end:
/// "measuring [#########           ]  45 %  12345 ops/s  P99 3.21 ms".
std::string bar(const Progress& progress, std::size_t width);

/// One JSON object with a newline.
std::string json_line(const Progress& progress);

}  // namespace etcdmon::bench::report
