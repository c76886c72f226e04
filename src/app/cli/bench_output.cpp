#include "app/cli/bench_output.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/cli/command.hpp"
#include "bench/report/csv.hpp"
#include "bench/report/etcd_format.hpp"
#include "bench/report/html.hpp"
#include "bench/report/json.hpp"
#include "bench/report/progress.hpp"
#include "bench/report/text.hpp"

namespace etcdmon::app::cli {

namespace report = bench::report;

namespace {

constexpr std::array kForms{std::pair<std::string_view, ReportForm>{"simple", ReportForm::kSimple},
                            std::pair<std::string_view, ReportForm>{"json", ReportForm::kJson},
                            std::pair<std::string_view, ReportForm>{"csv", ReportForm::kCsv},
                            std::pair<std::string_view, ReportForm>{"etcd", ReportForm::kEtcd}};

// A run of an hour is about 1 MiB.
constexpr std::size_t kLargestFile = 64U << 20U;

config::Issue issue(std::string where, std::string message) {
  return config::Issue{{std::move(where), 0}, {}, std::move(message)};
}

std::string quoted(const std::string& text) {
  return fmt::format("\"{}\"", text);
}

void take_progress(const config::ParsedFlags& flags, OutputOptions& options,
                   std::vector<config::Issue>& issues) {
  const auto* const wanted = flags.last("progress");
  const std::string form = wanted == nullptr ? "auto" : *wanted;
  if (form == "auto") {
    options.progress = ::isatty(STDERR_FILENO) == 1 ? ProgressForm::kBar : ProgressForm::kNone;
  } else if (form == "bar") {
    options.progress = ProgressForm::kBar;
  } else if (form == "json") {
    options.progress = ProgressForm::kJson;
  } else if (form == "none") {
    options.progress = ProgressForm::kNone;
  } else {
    issues.push_back(
        issue("--progress", quoted(form) + " is no form; write auto, bar, json or none"));
  }
}

// A run of an hour must not end at a folder that is not there.
void take_file(const config::ParsedFlags& flags, const std::string& name, std::string& file,
               std::vector<config::Issue>& issues) {
  const auto* const path = flags.last(name);
  if (path == nullptr) return;
  file = *path;
  if (!std::ofstream(file, std::ios::binary | std::ios::app))
    issues.push_back(issue("--" + name, fmt::format("cannot write {}", file)));
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return {};
  return Error{ErrorCode::kUnavailable, fmt::format("cannot write {}", path), Cause::kLocal};
}

std::string rendered(const report::Record& record, ReportForm form) {
  switch (form) {
    case ReportForm::kSimple:
      return report::text(record);
    case ReportForm::kJson:
      return report::json(record);
    case ReportForm::kCsv:
      return report::csv(record);
    case ReportForm::kEtcd:
      return report::etcd_format(record);
  }
  return report::text(record);
}

std::size_t columns() {
  struct winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

void take_form(const config::ParsedFlags& flags, ReportForm& form,
               std::vector<config::Issue>& issues) {
  for (const auto& [name, value] : flags.values) {
    if (name != "w" && name != "write-out" && name != "format") continue;
    bool known = false;
    for (const auto& [text, meant] : kForms) {
      if (value == text) form = meant, known = true;
    }
    if (!known) {
      issues.push_back(
          issue("--" + name, quoted(value) + " is no format; write simple, json, csv or etcd"));
    }
  }
}

void take_margin(const config::ParsedFlags& flags, double& margin,
                 std::vector<config::Issue>& issues) {
  const auto* const text = flags.last("margin");
  if (text == nullptr) return;
  const auto* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, margin);
  if (error != std::errc{} || stop != end || !(margin >= 0 && margin <= 1))
    issues.push_back(issue("--margin", quoted(*text) + " is no share; write 0 to 1, 0.05 for 5 %"));
}

std::vector<config::FlagSpec> output_flags() {
  const std::string group = "Output";
  return {
      {"w", "format", "Form of the result: simple, json, csv, or etcd (as etcd's own tool).",
       "simple", "", group},
      {"write-out", "format", "The same as -w.", "simple", "", group},
      {"format", "format", "The same as -w.", "simple", "", group},
      {"save", "file", "Also write the result there as JSON: a baseline for later runs.", "", "",
       group},
      {"html", "file", "Also write a page with curves there.", "", "", group},
      {"baseline", "files",
       "Compare with results saved before, separated by commas: exit 1 if worse.", "", "", group},
      {"margin", "share", "Differences below this share do not count.", "0.05", "", group},
      {"progress", "form",
       "On standard error: bar, json (a line each time), none; auto is a bar on a terminal.",
       "auto", "", group}};
}

std::vector<config::Issue> take_output_flags(const config::ParsedFlags& flags,
                                             OutputOptions& options) {
  std::vector<config::Issue> issues;
  take_form(flags, options.form, issues);
  take_progress(flags, options, issues);
  take_file(flags, "save", options.save, issues);
  take_file(flags, "html", options.html, issues);
  take_margin(flags, options.margin, issues);
  if (const auto* files = flags.last("baseline")) {
    auto runs = read_runs(*files);
    if (runs) {
      options.baseline = *std::move(runs);
    } else {
      issues.push_back(issue("--baseline", runs.error().message));
    }
  }
  return issues;
}

Result<report::Change> write_reports(const report::Record& record, const OutputOptions& options) {
  auto change = report::Change::kNone;
  std::fputs(rendered(record, options.form).c_str(), stdout);
  if (!options.save.empty()) {
    if (auto saved = write_file(options.save, report::json(record)); !saved)
      return std::move(saved).error();
  }
  if (!options.html.empty()) {
    if (auto saved = write_file(options.html, report::html(record)); !saved)
      return std::move(saved).error();
  }
  if (options.baseline.empty()) return change;
  ETCDMON_TRY(auto run, report::parse_run(report::json(record), "this run"));
  ETCDMON_TRY(const auto comparison, report::compare(options.baseline, {&run, 1}, options.margin));
  // Standard output holds one document of one form.
  auto* const out = options.form == ReportForm::kSimple ? stdout : stderr;
  fmt::print(out, "\n{}", report::text(comparison));
  return comparison.change;
}

Result<std::vector<report::ComparedRun>> read_runs(const std::string& files) {
  std::vector<report::ComparedRun> runs;
  std::string_view rest = files;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    const std::string path(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    std::ifstream file(path, std::ios::binary);
    if (!file)
      return Error{ErrorCode::kNotFound, fmt::format("cannot read {}", path), Cause::kLocal};
    std::string content;
    std::array<char, 65'536> part{};
    while (file.read(part.data(), part.size()) || file.gcount() > 0) {
      content.append(part.data(), static_cast<std::size_t>(file.gcount()));
      if (content.size() > kLargestFile)
        return Error{ErrorCode::kResourceExhausted, fmt::format("{} is larger than 64 MiB", path)};
    }
    ETCDMON_TRY(auto run, report::parse_run(content, path));
    runs.push_back(std::move(run));
  }
  if (runs.empty()) return Error{ErrorCode::kInvalidArgument, "names no file"};
  return runs;
}

void ProgressWriter::show(const bench::Progress& progress) {
  if (form_ == ProgressForm::kNone) return;
  const auto line = form_ == ProgressForm::kJson
                        ? report::json_line(progress)
                        : fmt::format("\r{}\x1b[K", report::bar(progress, columns() - 1));
  shown_ = form_ == ProgressForm::kBar;
  const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  if (written < 0 && form_ == ProgressForm::kJson) interrupt_.stop().store(true);
}

void ProgressWriter::clear() {
  if (!shown_) return;
  shown_ = false;
  std::fputs("\r\x1b[K", stderr);
}

}  // namespace etcdmon::app::cli
