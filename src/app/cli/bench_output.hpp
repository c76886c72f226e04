// app/cli/bench_output.hpp: what `bench` writes: reports, files, a comparison, its progress.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/cli/interrupt.hpp"
#include "base/result.hpp"
#include "bench/report/compare.hpp"
#include "bench/report/record.hpp"
#include "bench/run.hpp"
#include "config/flags.hpp"

namespace etcdmon::app::cli {

enum class ProgressForm : std::uint8_t { kNone, kBar, kJson };
enum class ReportForm : std::uint8_t { kSimple, kJson, kCsv, kEtcd };

struct OutputOptions {
  ReportForm form = ReportForm::kSimple;
  ProgressForm progress = ProgressForm::kNone;
  std::string save;  ///< file for the record; empty: none
  std::string html;
  std::vector<bench::report::ComparedRun> baseline;  ///< empty: no comparison
  double margin = 0.05;
};

/// -w, --write-out and --format.
void take_form(const config::ParsedFlags& flags, ReportForm& form,
               std::vector<config::Issue>& issues);
void take_margin(const config::ParsedFlags& flags, double& margin,
                 std::vector<config::Issue>& issues);

std::vector<config::FlagSpec> output_flags();
/// Reads the baseline, and sees that files can be written, before anything is measured.
std::vector<config::Issue> take_output_flags(const config::ParsedFlags& flags,
                                             OutputOptions& options);

/// Prints the record in its form, writes the files, compares with the baseline. Returns what the
/// comparison found; kNone without one.
Result<bench::report::Change> write_reports(const bench::report::Record& record,
                                            const OutputOptions& options);

/// Runs that were saved, from a list of files: "a.json,b.json".
Result<std::vector<bench::report::ComparedRun>> read_runs(const std::string& files);

/// Progress on standard error: a bar on a terminal, or JSON lines. A reader of the lines that goes
/// away ends the run.
class ProgressWriter {
 public:
  ProgressWriter(ProgressForm form, Interrupt& interrupt) : form_(form), interrupt_(interrupt) {}

  void show(const bench::Progress& progress);
  /// Takes the bar away before something else is written.
  void clear();

 private:
  ProgressForm form_;
  Interrupt& interrupt_;
  bool shown_ = false;
};

int run_bench_compare(const std::vector<std::string>& arguments);

}  // namespace etcdmon::app::cli
