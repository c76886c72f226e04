#include "bench/report/targets.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

using config::field;
using config::Schema;
using Outcome = TargetVerdict::Outcome;

namespace {

// What is measured against the target for reads, and what against that for writes.
struct Rates {
  double reads = 0;
  double writes = 0;
};

Rates rates_of(const RunResult& result) {
  Rates rates;
  const double length = seconds(result.measured);
  if (length <= 0) return rates;
  for (const auto& operation : result.operations) {
    if (!operation.counted) continue;
    const double rate = static_cast<double>(operation.succeeded) / length;
    if (operation.name == "read") rates.reads += rate;
    if (operation.name == "write") rates.writes += rate;
  }
  return rates;
}

// Decides a rate that was, or could not be, reached.
void decide(TargetVerdict& verdict, bool reached, bool offered_too_little,
            const RunResult& result) {
  if (reached) {
    verdict.outcome = Outcome::kMet;
  } else if (offered_too_little) {
    verdict.why = "the rate that was asked for is lower";
  } else if (!client_limit(result).empty()) {
    verdict.why = fmt::format("the load generator was the limit: {}", client_limit(result));
  } else {
    verdict.outcome = Outcome::kMissed;
  }
}

std::string per_second(double rate) {
  return fmt::format("{:.2f} ops/sec", rate);
}

TargetVerdict one_rate(std::string name, double measured, std::optional<double> set,
                       double fallback) {
  return {.name = std::move(name),
          .target = fmt::format(">= {:.0f} ops/sec", set.value_or(fallback)),
          .measured = per_second(measured),
          .enforced = set.has_value()};
}

TargetVerdict both_rates(const Rates& rates, const Targets& targets) {
  return {.name = "reads and writes",
          .target = fmt::format(">= {:.0f} and {:.0f} ops/sec, shared",
                                targets.read_rate.value_or(Targets::kReadRate),
                                targets.write_rate.value_or(Targets::kWriteRate)),
          .measured = fmt::format("{:.2f} and {:.2f} ops/sec", rates.reads, rates.writes),
          .enforced = targets.read_rate.has_value() || targets.write_rate.has_value()};
}

std::optional<TargetVerdict> rate_verdict(const RunResult& result, double offered,
                                          const Targets& targets) {
  const auto rates = rates_of(result);
  const bool reads = result.workload == "read" || result.workload == "mixed";
  const bool writes = result.workload == "write" || result.workload == "mixed";
  if (!reads && !writes) return std::nullopt;
  const double of_reads = rates.reads / targets.read_rate.value_or(Targets::kReadRate);
  const double of_writes = rates.writes / targets.write_rate.value_or(Targets::kWriteRate);
  const double reached = of_reads + of_writes;
  auto verdict =
      reads && writes ? both_rates(rates, targets)
      : reads         ? one_rate("read rate", rates.reads, targets.read_rate, Targets::kReadRate)
              : one_rate("write rate", rates.writes, targets.write_rate, Targets::kWriteRate);
  if (reads && writes) verdict.measured += fmt::format(" ({:.0f} % of the target)", 100 * reached);
  // What was offered, in the same parts as what was done.
  const double done = rates.reads + rates.writes;
  const bool too_little = offered > 0 && done > 0 && reached / done * offered < 1;
  decide(verdict, reached >= 1, too_little, result);
  return verdict;
}

TargetVerdict p99_verdict(const RunResult& result, const Targets& targets) {
  const auto limit = targets.p99.value_or(Targets::kP99);
  TargetVerdict verdict{.name = "P99",
                        .target = fmt::format("< {}", format_duration(limit)),
                        .measured = "nothing succeeded",
                        .enforced = targets.p99.has_value()};
  const auto p99 = result.latency.quantile(0.99);
  if (!p99) {
    verdict.outcome = Outcome::kMissed;
    return verdict;
  }
  verdict.measured = fmt::format("{:.2f} ms", ms(*p99));
  if (std::chrono::nanoseconds(*p99) < limit) {
    verdict.outcome = Outcome::kMet;
  } else {
    decide(verdict, false, false, result);
  }
  return verdict;
}

}  // namespace

const Schema& Targets::schema() {
  using T = Targets;
  static const auto kSchema = Schema::of<T>(
      "Benchmark",
      {field(
           "read_rate", &T::read_rate,
           "Reads a second that a benchmark must show. Unset: 40000, shown only; setting it makes "
           "a benchmark that misses it fail.")
           .min(1)
           .applies_live()
           .flag_named("slo-read-rate"),
       field("write_rate", &T::write_rate,
             "Writes a second that a benchmark must show. Unset: 20000, shown only.")
           .min(1)
           .applies_live()
           .flag_named("slo-write-rate"),
       field("p99", &T::p99,
             "Latency that 99 of 100 operations must stay below. Unset: 100ms, shown only.")
           .min(std::chrono::milliseconds(1))
           .applies_live()
           .flag_named("slo-p99")});
  return kSchema;
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMet:
      return "met";
    case Outcome::kMissed:
      return "missed";
    case Outcome::kNotJudged:
      return "not judged";
  }
  return "not judged";
}

std::vector<TargetVerdict> judge(const RunResult& result, double offered, const Targets& targets) {
  std::vector<TargetVerdict> verdicts;
  // A search has steps of many rates; what it found is its best rate.
  if (auto rate = rate_verdict(result, offered, targets); rate && result.steps.empty())
    verdicts.push_back(*std::move(rate));
  verdicts.push_back(p99_verdict(result, targets));
  return verdicts;
}

bool failed(std::span<const TargetVerdict> verdicts) {
  return std::ranges::any_of(verdicts, [](const TargetVerdict& verdict) {
    return verdict.enforced && verdict.outcome == Outcome::kMissed;
  });
}

}  // namespace etcdmon::bench::report
