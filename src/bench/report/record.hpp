// bench/report/record.hpp: a finished run with all that its reports say about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/report/targets.hpp"
#include "bench/result.hpp"

namespace etcdmon::bench::report {

/// Where it was measured. Empty: not known.
struct Place {
  std::string tool;  ///< "etcd-monitor 0.1.0"
  std::string host;  ///< that made the load
  unsigned cores = 0;
  std::string cluster;                ///< its configured name
  std::string cluster_id;             ///< in hex
  std::vector<std::string> versions;  ///< of etcd, distinct
  std::size_t members = 0;
};

/// How etcd's `check perf` would judge the run.
struct PresetVerdict {
  std::string preset;  ///< "s"
  bool passed = false;
  std::vector<std::string> reasons;  ///< one line for each rule
};

struct Record {
  RunResult result;
  /// Every option by its flag's name. `workload` is not among them.
  std::vector<std::pair<std::string, std::string>> settings;
  bool open_loop = false;
  Place place;
  std::vector<TargetVerdict> targets;
  std::optional<PresetVerdict> preset;
};

/// Why the throughput is not the cluster's; empty when it is.
const std::string& client_limit(const RunResult& result);

/// Nanoseconds as milliseconds.
double ms(std::uint64_t nanoseconds);
double ms(double nanoseconds);
double seconds(Duration duration);
/// "15.3s"; below a second with three decimals: "0.243s".
std::string short_duration(Duration duration);
/// Why it ended, if it did not end by itself: "stopped", "aborted: …"; else empty.
std::string end_of(const RunResult& result);

}  // namespace etcdmon::bench::report
