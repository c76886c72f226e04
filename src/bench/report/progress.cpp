#include "bench/report/progress.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bench/report/record.hpp"

namespace etcdmon::bench::report {

namespace {

constexpr std::size_t kBar = 20;

}  // namespace

std::string_view name_of(Progress::Phase phase) {
  switch (phase) {
    case Progress::Phase::kConnecting:
      return "connecting";
    case Progress::Phase::kPreparing:
      return "preparing";
    case Progress::Phase::kSettling:
      return "settling";
    case Progress::Phase::kWarmUp:
      return "warming up";
    case Progress::Phase::kMeasuring:
      return "measuring";
    case Progress::Phase::kCleaning:
      return "cleaning up";
  }
  return "measuring";
}

std::string bar(const Progress& progress, std::size_t width) {
  const double done = std::clamp(progress.done, 0.0, 1.0);
  const auto filled = static_cast<std::size_t>(done * kBar);
  std::string line =
      fmt::format("{:<11} [{}{}] {:>3.0f} %", name_of(progress.phase), std::string(filled, '#'),
                  std::string(kBar - filled, ' '), 100 * done);
  if (progress.rate > 0) line += fmt::format("  {:.0f} ops/s", progress.rate);
  if (progress.p99 > 0) line += fmt::format("  P99 {:.2f} ms", ms(progress.p99));
  if (progress.failed > 0) line += fmt::format("  {} failed", progress.failed);
  if (progress.offered > 0) line += fmt::format("  due {:.0f}/s", progress.offered);
  line.resize(std::min(line.size(), width));
  return line;
}

std::string json_line(const Progress& progress) {
  return fmt::format(
      R"({{"phase":"{}","done":{:.4f},"elapsed_seconds":{:.3f},"successful":{},"failed":{},)"
      R"("rate":{:.2f},"p99_ms":{},"due_rate":{:.2f},"raft_term":{}}})"
      "\n",
      name_of(progress.phase), std::clamp(progress.done, 0.0, 1.0), seconds(progress.elapsed),
      progress.succeeded, progress.failed, progress.rate,
      progress.p99 > 0 ? fmt::format("{:.3f}", ms(progress.p99)) : "null", progress.offered,
      progress.raft_term);
}

}  // namespace etcdmon::bench::report
