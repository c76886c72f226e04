// bench/report/html.hpp: a run as one page that stands by itself: no script, no other file.
#pragma once

#include <string>

#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

/// The results, the latency curve of each operation, the run second by second, and all settings.
std::string html(const Record& record);

}  // namespace etcdmon::bench::report
