// bench/report/compare.hpp: whether one run was better than another, or only luckier.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "bench/report/bootstrap.hpp"

namespace etcdmon::bench::report {

/// What of a run is compared.
struct ComparedRun {
  std::string name;  ///< of its file
  std::string workload;
  bool open_loop = false;
  std::string limited;  ///< why its numbers are the load generator's; empty when they are not
  std::vector<std::pair<std::string, std::string>> settings;
  double throughput = 0;  ///< operations a second; latencies are milliseconds
  double p50 = 0;
  double p99 = 0;
  // One value for each whole second.
  Samples rates;
  Samples p50s;
  Samples p99s;
};

enum class Change : std::uint8_t { kBetter, kWorse, kNone, kUnknown };
std::string_view name_of(Change change);  ///< "better", "worse", "no difference", "cannot say"

/// One quantity of both sides.
struct ComparedValue {
  std::string name;  ///< "throughput"
  std::string unit;  ///< "ops/sec"
  double before = 0;
  double after = 0;
  std::optional<Interval> interval;  ///< of after / before; unset: cannot say
  Change change = Change::kUnknown;
};

struct Comparison {
  std::vector<std::string> before;  ///< names of the runs
  std::vector<std::string> after;
  std::vector<ComparedValue> values;
  /// Worse where anything is worse, else better where anything is better.
  Change change = Change::kUnknown;
  std::vector<std::string> remarks;  ///< what differs between the runs' settings, what is doubtful
};

/// Differences smaller than `margin` (0.05: five percent) are none, however sure they are.
/// Errors: kInvalidArgument where the runs measured different things.
Result<Comparison> compare(std::span<const ComparedRun> before, std::span<const ComparedRun> after,
                           double margin);

std::string text(const Comparison& comparison);  ///< ends with a newline
std::string json(const Comparison& comparison);  ///< one document with a newline

}  // namespace etcdmon::bench::report
