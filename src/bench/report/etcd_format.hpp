// bench/report/etcd_format.hpp: a run in the form that etcd's own benchmark tool prints, for those
// who parse it.
#pragma once

#include <string>

#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

/// Summary, response time histogram, latency distribution, error distribution. Ends with a newline.
std::string etcd_format(const Record& record);

}  // namespace etcdmon::bench::report
