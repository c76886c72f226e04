#include "bench/report/compare.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace etcdmon::bench::report {

namespace {

// Options that change what is asked of the cluster less than a reader might fear.
bool is_about_the_load(const std::string& name) {
  constexpr std::array kOthers{"ops",          "duration",
                               "warm-up",      "seed",
                               "force",        "test-cluster",
                               "busy-above",   "abort-p99",
                               "clean-up",     "prefix",
                               "clear-prefix", "compact",
                               "settle",       "abort-on-leader-change"};
  return std::ranges::find(kOthers, name) == kOthers.end();
}

std::vector<std::string> differences(const ComparedRun& one, const ComparedRun& other) {
  std::vector<std::string> found;
  for (const auto& [name, was] : one.settings) {
    if (!is_about_the_load(name)) continue;
    const auto same =
        std::ranges::find(other.settings, name, [](const auto& s) { return s.first; });
    const std::string is = same == other.settings.end() ? "" : same->second;
    if (was != is) found.push_back(fmt::format("--{} was {}, is {}", name, was, is));
  }
  return found;
}

Change change_of(const Interval& interval, double margin, bool more_is_better) {
  const bool more = interval.low > 1 && interval.ratio >= 1 + margin;
  const bool less = interval.high < 1 && interval.ratio <= 1 / (1 + margin);
  if (!more && !less) return Change::kNone;
  return more == more_is_better ? Change::kBetter : Change::kWorse;
}

double mean_of(std::span<const ComparedRun> runs, double ComparedRun::* value) {
  double sum = 0;
  for (const auto& run : runs) sum += run.*value;
  return sum / static_cast<double>(runs.size());
}

struct Quantity {
  std::string name;
  std::string unit;
  double ComparedRun::* value;
  Samples ComparedRun::* samples;
  Middle middle;
  bool more_is_better;
};

ComparedValue compare_value(const Quantity& what, std::span<const ComparedRun> before,
                            std::span<const ComparedRun> after, double margin) {
  const auto samples = [&what](std::span<const ComparedRun> runs) {
    std::vector<Samples> all;
    for (const auto& run : runs) all.push_back(run.*what.samples);
    return all;
  };
  ComparedValue value{.name = what.name,
                      .unit = what.unit,
                      .before = mean_of(before, what.value),
                      .after = mean_of(after, what.value)};
  value.interval = ratio_of(samples(before), samples(after), what.middle);
  if (value.interval) value.change = change_of(*value.interval, margin, what.more_is_better);
  return value;
}

Change worst_of(const std::vector<ComparedValue>& values) {
  const auto any = [&values](Change wanted) {
    return std::ranges::find(values, wanted, &ComparedValue::change) != values.end();
  };
  if (any(Change::kWorse)) return Change::kWorse;
  if (any(Change::kUnknown)) return Change::kUnknown;
  return any(Change::kBetter) ? Change::kBetter : Change::kNone;
}

std::optional<Error> mismatch(std::span<const ComparedRun> before,
                              std::span<const ComparedRun> after) {
  if (before.empty() || after.empty())
    return Error{ErrorCode::kInvalidArgument, "a comparison needs a run on each side"};
  const auto& first = before.front();
  for (const auto side : {before, after}) {
    for (const auto& run : side) {
      if (run.workload != first.workload) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} ran {}, {} ran {}: they cannot be compared", first.name,
                                 first.workload, run.name, run.workload)};
      }
      if (run.open_loop != first.open_loop) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("one of {} and {} is a closed loop, the other an open one: their "
                                 "latencies mean different things",
                                 first.name, run.name)};
      }
    }
  }
  return std::nullopt;
}

void add_remarks(Comparison& comparison, std::span<const ComparedRun> before,
                 std::span<const ComparedRun> after) {
  auto& remarks = comparison.remarks;
  for (auto& text : differences(before.front(), after.front())) remarks.push_back(std::move(text));
  for (const auto side : {before, after}) {
    for (const auto& run : side) {
      if (!run.limited.empty()) {
        remarks.push_back(fmt::format("{}: its throughput is the load generator's limit ({})",
                                      run.name, run.limited));
      }
      if (run.rates.size() < kFewestSamples) {
        remarks.push_back(
            fmt::format("{} has {} whole seconds; {} are needed to tell noise from a "
                        "difference: measure longer, --duration=60s",
                        run.name, run.rates.size(), kFewestSamples));
      }
    }
  }
  if (before.size() == 1 || after.size() == 1) {
    remarks.emplace_back(
        "one run a side: the interval holds the noise within the runs, not that between runs; give "
        "several as A1.json,A2.json,A3.json");
  }
}

std::string percent(double ratio) {
  return fmt::format("{:+.1f} %", 100 * (ratio - 1));
}

}  // namespace

std::string_view name_of(Change change) {
  switch (change) {
    case Change::kBetter:
      return "better";
    case Change::kWorse:
      return "worse";
    case Change::kNone:
      return "no difference";
    case Change::kUnknown:
      return "cannot say";
  }
  return "cannot say";
}

Result<Comparison> compare(std::span<const ComparedRun> before, std::span<const ComparedRun> after,
                           double margin) {
  if (auto error = mismatch(before, after)) return *std::move(error);
  Comparison comparison;
  for (const auto& run : before) comparison.before.push_back(run.name);
  for (const auto& run : after) comparison.after.push_back(run.name);
  using Run = ComparedRun;
  const std::vector<Quantity> quantities{
      {"throughput", "ops/sec", &Run::throughput, &Run::rates, Middle::kMean, true},
      {"P50", "ms", &Run::p50, &Run::p50s, Middle::kMedian, false},
      {"P99", "ms", &Run::p99, &Run::p99s, Middle::kMedian, false}};
  for (const auto& quantity : quantities)
    comparison.values.push_back(compare_value(quantity, before, after, margin));
  const auto limited = [](const Run& run) { return !run.limited.empty(); };
  if (std::ranges::any_of(before, limited) || std::ranges::any_of(after, limited))
    comparison.values.front().change = Change::kUnknown;
  comparison.change = worst_of(comparison.values);
  add_remarks(comparison, before, after);
  return comparison;
}

std::string text(const Comparison& comparison) {
  std::string out = "=== Benchmark Comparison ===\n";
  out += fmt::format("Before: {}\nAfter:  {}\n\n", fmt::join(comparison.before, ", "),
                     fmt::join(comparison.after, ", "));
  out += fmt::format("  {:<12} {:>12} {:>12}  {:>9}  {:<22} {}\n", "", "before", "after", "change",
                     "95 % of the time in", "verdict");
  for (const auto& value : comparison.values) {
    const auto& interval = value.interval;
    out += fmt::format(
        "  {:<12} {:>12.2f} {:>12.2f}  {:>9}  {:<22} {}\n",
        fmt::format("{}, {}", value.name, value.unit == "ms" ? "ms" : "/sec"), value.before,
        value.after, interval ? percent(interval->ratio) : "-",
        interval ? fmt::format("{} to {}", percent(interval->low), percent(interval->high)) : "-",
        name_of(value.change));
  }
  out += fmt::format("\nVerdict: {}\n", name_of(comparison.change));
  for (const auto& remark : comparison.remarks) out += fmt::format("  - {}\n", remark);
  return out;
}

std::string json(const Comparison& comparison) {
  using nlohmann::ordered_json;
  ordered_json values = ordered_json::array();
  for (const auto& value : comparison.values) {
    ordered_json row{{"name", value.name},     {"unit", value.unit},
                     {"before", value.before}, {"after", value.after},
                     {"ratio", nullptr},       {"low", nullptr},
                     {"high", nullptr},        {"verdict", name_of(value.change)}};
    if (value.interval) {
      row["ratio"] = value.interval->ratio;
      row["low"] = value.interval->low;
      row["high"] = value.interval->high;
    }
    values.push_back(std::move(row));
  }
  const ordered_json document{{"before", comparison.before},
                              {"after", comparison.after},
                              {"values", std::move(values)},
                              {"verdict", name_of(comparison.change)},
                              {"remarks", comparison.remarks}};
  return document.dump(2) + "\n";
}

}  // namespace etcdmon::bench::report
