#include "bench/report/record.hpp"

#include <fmt/format.h>

namespace etcdmon::bench::report {

const std::string& client_limit(const RunResult& result) {
  return result.client.limited;
}

double ms(std::uint64_t nanoseconds) {
  return ms(static_cast<double>(nanoseconds));
}

double ms(double nanoseconds) {
  return nanoseconds / 1e6;
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string short_duration(Duration duration) {
  const double length = seconds(duration);
  return length < 1 ? fmt::format("{:.3f}s", length) : fmt::format("{:.1f}s", length);
}

std::string end_of(const RunResult& result) {
  switch (result.end) {
    case RunResult::End::kFinished:
      return {};
    case RunResult::End::kStopped:
      return "stopped before its end";
    case RunResult::End::kAborted:
      return "aborted: " + result.why_aborted;
  }
  return {};
}

}  // namespace etcdmon::bench::report
