// api/process_stats.hpp: what the kernel says about this process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace etcdmon::api {

/// What could not be read is nullopt.
struct ProcessStats {
  double cpu_seconds = 0;
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> open_fds;
  std::optional<std::uint64_t> max_fds;
  std::optional<double> start_time_seconds;  ///< unix time

  /// Takes some 20 µs, and more with thousands of descriptors.
  static ProcessStats read();
};

/// The standard process_* families.
void append_process_stats(std::string& out, const ProcessStats& stats);

}  // namespace etcdmon::api
