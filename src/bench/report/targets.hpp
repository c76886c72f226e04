// bench/report/targets.hpp: what a cluster should be able to do, and whether a run showed it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/result.hpp"
#include "config/schema.hpp"

namespace etcdmon::bench::report {

/// Service level objectives. Unset ones have the defaults below and are shown only; those that are
/// set decide the exit code too.
struct Targets {
  static constexpr double kReadRate = 40'000;
  static constexpr double kWriteRate = 20'000;
  static constexpr std::chrono::milliseconds kP99{100};

  std::optional<double> read_rate;   ///< successful reads a second
  std::optional<double> write_rate;  ///< successful writes a second
  std::optional<std::chrono::milliseconds> p99;

  static const config::Schema& schema();
};

/// One target held against a run.
struct TargetVerdict {
  enum class Outcome : std::uint8_t { kMet, kMissed, kNotJudged };

  std::string name;      ///< "read rate", "P99"
  std::string target;    ///< ">= 40000 ops/sec"
  std::string measured;  ///< "12345.60 ops/sec"
  Outcome outcome = Outcome::kNotJudged;
  std::string why;        ///< kNotJudged: the reason
  bool enforced = false;  ///< missing it is a failure

  bool operator==(const TargetVerdict&) const = default;
};

std::string_view name_of(TargetVerdict::Outcome outcome);  ///< "met", "missed", "not judged"

/// Rates are judged where the load could have shown them: not where `offered` (of an open loop; 0:
/// closed) was below the target, nor, when missed, where the load generator was the limit. Reads
/// and writes of one run share the cluster: a mixed run is judged by the sum of the shares that it
/// reached of both targets.
std::vector<TargetVerdict> judge(const RunResult& result, double offered, const Targets& targets);

/// A target that is enforced was missed.
bool failed(std::span<const TargetVerdict> verdicts);

}  // namespace etcdmon::bench::report
