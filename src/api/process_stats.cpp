#include "api/process_stats.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include <dirent.h>

#include "api/exposition.hpp"

namespace etcdmon::api {

namespace {

std::optional<std::uint64_t> count_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(directory);
  return count - 1;  // the directory itself
}

// The 22nd field, in clock ticks since boot. The second one may contain spaces and brackets.
std::optional<double> start_after_boot() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(bracket + 1));
  std::string skipped;
  for (int i = 0; i < 19; ++i) rest >> skipped;
  double ticks = 0;
  if (!(rest >> ticks)) return std::nullopt;
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> start_time() {
  const auto boot = boot_time();
  const auto after = start_after_boot();
  if (!boot || !after) return std::nullopt;
  return *boot + *after;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessStats ProcessStats::read() {
  static const std::optional<double> kStart = start_time();
  ProcessStats stats;
  stats.start_time_seconds = kStart;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  stats.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  std::ifstream memory("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  if (memory >> total >> resident) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    stats.virtual_bytes = total * page;
    stats.resident_bytes = resident * page;
  }
  stats.open_fds = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = limit.rlim_cur;
  return stats;
}

void append_process_stats(std::string& out, const ProcessStats& stats) {
  using metrics::Kind;
  ExpositionWriter writer(out);
  writer.family("process_cpu_seconds_total", "User and system CPU time of this process.",
                Kind::kCounter);
  writer.sample({}, stats.cpu_seconds);
  const auto gauge = [&](std::string_view name, std::string_view help, const auto& value) {
    writer.family(name, help, Kind::kGauge);
    if (value) writer.sample({}, *value);
  };
  gauge("process_resident_memory_bytes", "Memory of this process that is in RAM.",
        stats.resident_bytes);
  gauge("process_virtual_memory_bytes", "Address space of this process.", stats.virtual_bytes);
  gauge("process_open_fds", "Open file descriptors of this process.", stats.open_fds);
  gauge("process_max_fds", "Limit of open file descriptors of this process.", stats.max_fds);
  gauge("process_start_time_seconds", "Start of this process, unix time.",
        stats.start_time_seconds);
}

}  // namespace etcdmon::api
