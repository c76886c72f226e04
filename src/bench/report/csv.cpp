#include "bench/report/csv.hpp"

#include <fmt/format.h>

namespace etcdmon::bench::report {

namespace {

constexpr std::string_view kHeader =
    "row,name,at_seconds,length_seconds,successful,failed,throughput,average_ms,min_ms,p50_ms,"
    "p95_ms,p99_ms,p999_ms,max_ms\n";

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string per_second(std::uint64_t count, Duration length) {
  if (length <= Duration(0)) return {};
  return fmt::format("{:.3f}", static_cast<double>(count) / seconds(length));
}

std::string latencies(const Histogram& latency) {
  if (latency.count() == 0) return ",,,,,,";
  std::string cells = fmt::format("{:.6f}", ms(latency.mean()));
  for (const double share : {0.0, 0.5, 0.95, 0.99, 0.999, 1.0})
    cells += fmt::format(",{:.6f}", ms(latency.quantile(share).value_or(0)));
  return cells;
}

}  // namespace

std::string csv(const Record& record) {
  const auto& result = record.result;
  const double length = seconds(result.measured);
  std::string out(kHeader);
  out += fmt::format("total,{},0,{:.6f},{},{},{},{}\n", cell(result.workload), length,
                     result.succeeded, result.failed, per_second(result.succeeded, result.measured),
                     latencies(result.latency));
  for (const auto& operation : result.operations) {
    out +=
        fmt::format("operation,{},0,{:.6f},{},{},{},{}\n", cell(operation.name), length,
                    operation.succeeded, operation.failed,
                    per_second(operation.succeeded, result.measured), latencies(operation.latency));
  }
  for (const auto& second : result.seconds) {
    out +=
        fmt::format("second,,{:.3f},{:.6f},{},{},{},,,", seconds(second.at), seconds(second.length),
                    second.succeeded, second.failed, per_second(second.succeeded, second.length));
    out += second.succeeded == 0 ? ",,,,\n"
                                 : fmt::format("{:.6f},,{:.6f},,{:.6f}\n", ms(second.p50),
                                               ms(second.p99), ms(second.max));
  }
  return out;
}

}  // namespace etcdmon::bench::report
