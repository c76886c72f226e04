// bench/report/csv.hpp: a run as one table of comma-separated values.
#pragma once

#include <string>

#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

/// A header; one row `total`, one `operation` a kind of operation, one `second` a second. Cells
/// that are not known are empty.
std::string csv(const Record& record);

}  // namespace etcdmon::bench::report
