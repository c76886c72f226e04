// bench/report/json.hpp: a run as JSON: for programs, and as the baseline of later runs.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "bench/report/compare.hpp"
#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

/// One document, two spaces an indent, with a newline at its end.
std::string json(const Record& record);

/// Reads from such a document what a comparison needs. `name` is how messages call it.
/// Errors: kInvalidArgument for anything that json() did not write.
Result<ComparedRun> parse_run(std::string_view text, std::string name);

}  // namespace etcdmon::bench::report
