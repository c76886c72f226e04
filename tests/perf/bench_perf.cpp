// bench_perf: one benchmark run, and what it cost this process.
//
//   bench_perf ADDRESS WORKLOAD [-c connections] [-m clients on each] [-n operations] [-r rate]
//              [-t threads] [-k keys] [--reference]
//
// Prints one line of JSON. Exit code 1 if the run or an operation failed.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <fmt/format.h>

#include "bench/run.hpp"

namespace etcdmon::perf {
namespace {

double cpu_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int usage() {
  fmt::print(stderr,
             "usage: bench_perf ADDRESS WORKLOAD [-c connections] [-m clients on each] "
             "[-n operations] [-r rate] [-t threads] [-k keys] [--reference]\n");
  return 2;
}

void take(bench::RunSpec& spec, std::uint32_t& each, char option, const char* text) {
  const auto number = std::strtoull(text, nullptr, 10);
  if (option == 'c') spec.load.connections = static_cast<std::uint32_t>(number);
  if (option == 'm') each = static_cast<std::uint32_t>(number);
  if (option == 'n') spec.ops = number;
  if (option == 'r') spec.load.rate = std::strtod(text, nullptr);
  if (option == 't') spec.load.threads = static_cast<std::uint32_t>(number);
  if (option == 'k') spec.keys.space = number;
}

double milliseconds(const Histogram& latency, double q) {
  return static_cast<double>(latency.quantile(q).value_or(0)) / 1e6;
}

int report(const bench::RunResult& result) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto total = static_cast<double>(result.total());
  fmt::print(
      "{{\"client\":\"bench\",\"calls\":{},\"failed\":{},\"calls_per_second\":{:.0f},"
      "\"cpu_us_per_call\":{:.3f},\"process_cpu_us_per_call\":{:.3f},\"busy\":{:.3f},"
      "\"p50_ms\":{:.3f},\"p99_ms\":{:.3f},\"max_rss_kib\":{}}}\n",
      result.total(), result.failed, result.throughput(), result.client.cpu_seconds * 1e6 / total,
      (cpu_seconds(used.ru_utime) + cpu_seconds(used.ru_stime)) * 1e6 / total, result.client.busy,
      milliseconds(result.latency, 0.5), milliseconds(result.latency, 0.99), used.ru_maxrss);
  for (const auto& [code, error] : result.errors)
    fmt::print(stderr, "{} x {}: {}\n", error.count, name_of(code), error.example);
  for (const auto& note : result.notes) fmt::print(stderr, "note: {}\n", note);
  return result.failed == 0 ? 0 : 1;
}

}  // namespace

int main_of(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return usage();
  bench::RunSpec spec;
  const auto endpoint = net::parse_endpoint(arguments[0]);
  if (!endpoint) return usage();
  spec.endpoints = {*endpoint};
  spec.workload = arguments[1];
  std::uint32_t each = 1;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "--reference") {
      spec.http2 = bench::RunSpec::Http2::kReference;
      continue;
    }
    if (arguments[i].size() != 2 || i + 1 == arguments.size()) return usage();
    take(spec, each, arguments[i][1], arguments[i + 1].c_str());
    ++i;
  }
  spec.load.clients = each * spec.load.connections;
  const auto result = bench::run(spec);
  if (result) return report(*result);
  fmt::print(stderr, "bench_perf: {}\n", result.error().message);
  return 1;
}

}  // namespace etcdmon::perf

int main(int argc, char** argv) {
  return etcdmon::perf::main_of({argv + 1, argv + argc});
}
