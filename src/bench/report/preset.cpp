#include "bench/report/preset.hpp"

#include <fmt/format.h>

namespace etcdmon::bench::report {

namespace {

constexpr double kLeastShare = 0.9;
constexpr double kSlowestMs = 500;
constexpr double kDeviationMs = 100;

}  // namespace

PresetVerdict judge_preset(const RunResult& result, const Preset& preset) {
  PresetVerdict verdict{.preset = std::string(preset.name), .passed = true, .reasons = {}};
  const auto rule = [&verdict](bool holds, std::string text) {
    verdict.passed = verdict.passed && holds;
    verdict.reasons.push_back(fmt::format("{}: {}", holds ? "pass" : "FAIL", text));
  };
  rule(result.failed == 0 && result.client.dropped == 0 && result.end == RunResult::End::kFinished,
       fmt::format("{} operations failed, {} were not sent{}", result.failed, result.client.dropped,
                   result.end == RunResult::End::kFinished ? "" : ", " + end_of(result)));
  rule(result.throughput() > kLeastShare * preset.rate,
       fmt::format("{:.0f} of {:.0f} writes a second (more than {:.0f})", result.throughput(),
                   preset.rate, kLeastShare * preset.rate));
  rule(ms(result.latency.max()) <= kSlowestMs,
       fmt::format("the slowest took {:.1f} ms (at most {:.0f})", ms(result.latency.max()),
                   kSlowestMs));
  rule(ms(result.latency.standard_deviation()) <= kDeviationMs,
       fmt::format("standard deviation {:.1f} ms (at most {:.0f})",
                   ms(result.latency.standard_deviation()), kDeviationMs));
  if (!client_limit(result).empty() && !verdict.passed) {
    verdict.reasons.push_back(
        fmt::format("the load generator was the limit, not the cluster: {}", client_limit(result)));
  }
  return verdict;
}

}  // namespace etcdmon::bench::report
