#include "bench/report/etcd_format.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace etcdmon::bench::report {

namespace {

constexpr std::size_t kBars = 10;
constexpr std::uint64_t kLongestBar = 40;
constexpr std::array kPercentiles{10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9};

double in_seconds(double nanoseconds) {
  return nanoseconds / 1e9;
}

double in_seconds(std::uint64_t nanoseconds) {
  return in_seconds(static_cast<double>(nanoseconds));
}

void append_bars(std::string& out, const Histogram& latency) {
  const double fastest = static_cast<double>(latency.min());
  const double step = (static_cast<double>(latency.max()) - fastest) / kBars;
  std::array<std::uint64_t, kBars + 1> counts{};
  std::uint64_t below = 0;
  for (std::size_t i = 0; i <= kBars; ++i) {
    const double edge = fastest + step * static_cast<double>(i);
    const auto up_to =
        i == kBars ? latency.count() : latency.count_at_or_below(static_cast<std::uint64_t>(edge));
    counts[i] = up_to - std::min(up_to, below);
    below = std::max(below, up_to);
  }
  const auto most = std::max<std::uint64_t>(1, *std::ranges::max_element(counts));
  out += "\nResponse time histogram:\n";
  for (std::size_t i = 0; i <= kBars; ++i) {
    out += fmt::format("  {:.4f} [{}]\t|", in_seconds(fastest + step * static_cast<double>(i)),
                       counts[i]);
    for (auto length = counts[i] * kLongestBar / most; length > 0; --length) out += "∎";
    out += '\n';
  }
}

}  // namespace

std::string etcd_format(const Record& record) {
  const auto& result = record.result;
  const auto& latency = result.latency;
  std::string out = "\nSummary:\n";
  out += fmt::format("  Total:\t{:.4f} secs.\n", seconds(result.measured));
  out += fmt::format("  Slowest:\t{:.4f} secs.\n", in_seconds(latency.max()));
  out += fmt::format("  Fastest:\t{:.4f} secs.\n", in_seconds(latency.min()));
  out += fmt::format("  Average:\t{:.4f} secs.\n", in_seconds(latency.mean()));
  out += fmt::format("  Stddev:\t{:.4f} secs.\n", in_seconds(latency.standard_deviation()));
  out += fmt::format("  Requests/sec:\t{:.4f}\n", result.throughput());
  if (latency.count() > 0) {
    append_bars(out, latency);
    out += "\nLatency distribution:\n";
    for (const double percent : kPercentiles)
      out += fmt::format("  {}% in {:.4f} secs.\n", percent,
                         in_seconds(latency.quantile(percent / 100).value_or(0)));
  }
  if (!result.errors.empty()) out += "\nError distribution:\n";
  for (const auto& [code, error] : result.errors) {
    out += fmt::format("  [{}]\trpc error: code = {} desc = {}\n", error.count, name_of(code),
                       error.example);
  }
  return out;
}

}  // namespace etcdmon::bench::report
