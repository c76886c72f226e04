#include "bench/report/text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"

namespace etcdmon::bench::report {

namespace {

constexpr std::size_t kMostRows = 20;
constexpr std::chrono::milliseconds kSliver{100};

std::string milliseconds(std::optional<std::uint64_t> nanoseconds) {
  return nanoseconds ? fmt::format("{:.2f} ms", ms(*nanoseconds)) : "-";
}

void append_block(std::string& out, const RunResult& result) {
  out += "=== Benchmark Results ===\n";
  out += fmt::format("Type:             {}\n", result.workload);
  out += fmt::format("Duration:         {}\n", short_duration(result.measured));
  out += fmt::format("Total Operations: {}\n", result.total());
  out += fmt::format("Successful:       {}\n", result.succeeded);
  out += fmt::format("Failed:           {}\n", result.failed);
  out += fmt::format("Throughput:       {:.2f} ops/sec", result.throughput());
  if (!client_limit(result).empty())
    out += fmt::format(" (this client's limit, not the cluster's: {})", client_limit(result));
  out += "\n\nLatency:\n";
  const auto& latency = result.latency;
  const bool any = latency.count() > 0;
  out += fmt::format("  Average:        {}\n",
                     any ? fmt::format("{:.2f} ms", ms(latency.mean())) : "-");
  out += fmt::format("  P50:            {}\n", milliseconds(latency.quantile(0.50)));
  out += fmt::format("  P95:            {}\n", milliseconds(latency.quantile(0.95)));
  out += fmt::format("  P99:            {}\n", milliseconds(latency.quantile(0.99)));
  out += fmt::format("  Min:            {}\n", milliseconds(latency.quantile(0)));
  out += fmt::format("  Max:            {}\n", milliseconds(latency.quantile(1)));
  out += fmt::format("  P99.9:          {}\n", milliseconds(latency.quantile(0.999)));
}

void append_operations(std::string& out, const RunResult& result) {
  const double length = std::max(seconds(result.measured), 1e-9);
  out += "\nOperations (ms):\n";
  out += fmt::format("  {:<14} {:>10} {:>8} {:>11} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "", "ok",
                     "failed", "ok/sec", "average", "P50", "P99", "P99.9", "max");
  for (const auto& operation : result.operations) {
    const auto& latency = operation.latency;
    out += fmt::format(
        "  {:<14} {:>10} {:>8} {:>11.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f}{}\n",
        operation.name, operation.succeeded, operation.failed,
        static_cast<double>(operation.succeeded) / length, ms(latency.mean()),
        ms(latency.quantile(0.50).value_or(0)), ms(latency.quantile(0.99).value_or(0)),
        ms(latency.quantile(0.999).value_or(0)), ms(latency.max()),
        operation.counted ? "" : "  (not in the totals)");
  }
}

void append_errors(std::string& out, const RunResult& result) {
  if (result.errors.empty()) return;
  out += "\nErrors:\n";
  for (const auto& [code, error] : result.errors) {
    out += fmt::format("  {:<18} {:>8}  {}\n", name_of(code), error.count, error.example);
  }
}

// Rows of as many seconds each that few rows tell all of it. A row's P99 and maximum are the worst
// of its seconds.
void append_seconds(std::string& out, const RunResult& result) {
  const auto all = telling_seconds(result);
  if (all.size() < 2) return;
  const bool open = std::ranges::any_of(all, [](const Second& s) { return s.offered > 0; });
  const std::size_t each = (all.size() + kMostRows - 1) / kMostRows;
  out += each == 1
             ? "\nSecond by second (ms):\n"
             : fmt::format("\nEvery {} seconds (ms; P99 and max of the worst second):\n", each);
  out += fmt::format("  {:>7} {:>11} {:>8} {:>9} {:>9} {:>9}{}\n", "at", "ok/sec", "failed", "P50",
                     "P99", "max", open ? fmt::format(" {:>11} {:>9}", "due/sec", "waiting") : "");
  for (std::size_t i = 0; i < all.size(); i += each) {
    Second row;
    double weighted_p50 = 0;
    for (std::size_t k = i; k < std::min(i + each, all.size()); ++k) {
      row.length += all[k].length;
      row.succeeded += all[k].succeeded;
      row.failed += all[k].failed;
      weighted_p50 += static_cast<double>(all[k].p50) * static_cast<double>(all[k].succeeded);
      row.p99 = std::max(row.p99, all[k].p99);
      row.max = std::max(row.max, all[k].max);
      row.offered += all[k].offered;
      row.backlog = all[k].backlog;
    }
    const double length = std::max(seconds(row.length), 1e-9);
    const double p50 = row.succeeded == 0 ? 0 : weighted_p50 / static_cast<double>(row.succeeded);
    out += fmt::format("  {:>6.0f}s {:>11.1f} {:>8} {:>9.2f} {:>9.2f} {:>9.2f}", seconds(all[i].at),
                       static_cast<double>(row.succeeded) / length, row.failed, ms(p50),
                       ms(row.p99), ms(row.max));
    if (open) out += fmt::format(" {:>11.1f} {:>9}", row.offered / length, row.backlog);
    out += '\n';
  }
}

void append_search(std::string& out, const RunResult& result) {
  if (result.steps.empty()) return;
  out += "\nSearch for the highest rate:\n";
  out += fmt::format("  {:>12} {:>12} {:>8} {:>9} {:>9}\n", "due/sec", "ok/sec", "failed", "P50 ms",
                     "P99 ms");
  for (const auto& step : result.steps) {
    out += fmt::format("  {:>12.0f} {:>12.1f} {:>8} {:>9.2f} {:>9.2f}  {}\n", step.offered,
                       step.achieved, step.failed, ms(step.p50), ms(step.p99),
                       step.held ? "held" : step.why_not);
  }
  out += result.best_rate
             ? fmt::format("Highest rate that held: {:.0f} ops/sec\n", *result.best_rate)
             : "No rate held.\n";
}

void append_growth(std::string& out, const RunResult& result) {
  if (result.samples.empty()) return;
  out += "\nGrowth:\n";
  out += fmt::format("  {:>10} {:>9} {:>9} {:>11} {:>11} {:>11}\n", "keys", "P50 ms", "P99 ms",
                     "database", "in use", "memory");
  for (const auto& sample : result.samples) {
    out += fmt::format("  {:>10} {:>9.2f} {:>9.2f} {:>11} {:>11} {:>11}\n", sample.keys,
                       ms(sample.p50), ms(sample.p99), human_bytes(sample.db_size),
                       human_bytes(sample.db_size_in_use),
                       sample.resident ? human_bytes(*sample.resident) : "-");
  }
}

void append_verdicts(std::string& out, const Record& record) {
  if (!record.targets.empty()) out += "\nTargets:\n";
  for (const auto& target : record.targets) {
    out += fmt::format("  {:<11} {} {}: {}", name_of(target.outcome), target.name, target.target,
                       target.measured);
    out += target.why.empty() ? "\n" : fmt::format("; {}\n", target.why);
  }
  if (!record.preset) return;
  out += fmt::format("\nCheck perf {}:\n", record.preset->preset);
  for (const auto& reason : record.preset->reasons) out += fmt::format("  {}\n", reason);
  out += record.preset->passed ? "PASS\n" : "FAIL\n";
}

std::vector<std::string> notes_of(const Record& record) {
  const auto& result = record.result;
  std::vector<std::string> notes;
  if (const auto end = end_of(result); !end.empty()) notes.push_back(end);
  for (const auto& change : result.leader_changes) {
    notes.push_back(fmt::format("the leader changed {} into the run (term {} to {})",
                                short_duration(change.at), change.term_before, change.term_after));
  }
  if (result.client.dropped > 0) {
    notes.push_back(fmt::format("{} operations were due but never sent: no client was free in time",
                                result.client.dropped));
  }
  notes.insert(notes.end(), result.notes.begin(), result.notes.end());
  if (!record.open_loop && result.steps.empty()) {
    notes.emplace_back(
        "closed loop: while the cluster stalls nothing is asked, so a stall counts once for each "
        "client; --rate shows what users would see");
  }
  if (!result.keys_removed) notes.emplace_back("the keys were not removed");
  return notes;
}

}  // namespace

std::span<const Second> telling_seconds(const RunResult& result) {
  const std::span<const Second> all = result.seconds;
  const bool sliver = all.size() > 1 && all.back().length < kSliver;
  return sliver ? all.first(all.size() - 1) : all;
}

std::string text(const Record& record) {
  std::string out;
  append_block(out, record.result);
  append_operations(out, record.result);
  append_errors(out, record.result);
  append_search(out, record.result);
  append_growth(out, record.result);
  append_seconds(out, record.result);
  append_verdicts(out, record);
  const auto notes = notes_of(record);
  if (!notes.empty()) out += "\nNotes:\n";
  for (const auto& note : notes) out += fmt::format("  - {}\n", note);
  return out;
}

}  // namespace etcdmon::bench::report
