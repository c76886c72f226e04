// `bench compare`: whether one measurement was better than another, or only luckier.
#include <cstdio>

#include <fmt/format.h>

#include "app/cli/bench_output.hpp"
#include "app/cli/command.hpp"

namespace etcdmon::app::cli {

namespace report = bench::report;

namespace {

constexpr int kCannotSay = 3;

std::vector<config::FlagSpec> compare_flags() {
  return {{"w", "format", "Output: simple or json.", "simple", "", "Compare"},
          {"write-out", "format", "The same as -w.", "simple", "", "Compare"},
          {"format", "format", "The same as -w.", "simple", "", "Compare"},
          {"margin", "share", "Differences below this share do not count.", "0.05", "", "Compare"},
          {"help", "", "Print this and exit.", "", "", "Compare"}};
}

void print_help(const std::vector<config::FlagSpec>& flags) {
  fmt::print(
      "Usage: etcd-monitor bench compare BEFORE.json AFTER.json [flags]\n\n"
      "Says whether the second run was better or worse than the first, or only luckier: from how "
      "much each of them\nvaried from second to second. Several runs a side, separated by commas, "
      "also tell of the noise between runs.\n\n"
      "Exit code 0: better, or no difference; 1: worse; 2: bad flags or files; 3: cannot say.\n\n"
      "Examples:\n"
      "  etcd-monitor bench compare before.json after.json\n"
      "  etcd-monitor bench compare a1.json,a2.json,a3.json b1.json,b2.json,b3.json -w json\n\n{}",
      config::flag_help(flags));
}

Result<report::Comparison> comparison_of(const std::string& before, const std::string& after,
                                         double margin) {
  ETCDMON_TRY(const auto was, read_runs(before));
  ETCDMON_TRY(const auto is, read_runs(after));
  return report::compare(was, is, margin);
}

}  // namespace

int run_bench_compare(const std::vector<std::string>& arguments) {
  const auto known = compare_flags();
  const auto flags = config::parse_flags(known, arguments);
  if (flags.is_on("help")) {
    print_help(known);
    return kOk;
  }
  OutputOptions options;
  auto issues = flags.issues;
  take_form(flags, options.form, issues);
  take_margin(flags, options.margin, issues);
  if (options.form != ReportForm::kSimple && options.form != ReportForm::kJson)
    issues.push_back({{"-w", 0}, {}, "a comparison is written as simple or json"});
  if (flags.arguments.size() != 2)
    issues.push_back({{"bench compare", 0}, {}, "takes two results: BEFORE.json AFTER.json"});
  if (!issues.empty()) {
    fmt::print(stderr, "{}", config::to_string(issues));
    return kUsage;
  }
  const auto comparison = comparison_of(flags.arguments[0], flags.arguments[1], options.margin);
  if (!comparison) {
    fmt::print(stderr, "etcd-monitor bench compare: {}\n", comparison.error().message);
    return kUsage;
  }
  const bool as_json = options.form == ReportForm::kJson;
  fmt::print("{}", as_json ? report::json(*comparison) : report::text(*comparison));
  if (comparison->change == report::Change::kUnknown) return kCannotSay;
  return comparison->change == report::Change::kWorse ? kUnhealthy : kOk;
}

}  // namespace etcdmon::app::cli
