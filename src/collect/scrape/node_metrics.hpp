// collect/scrape/node_metrics.hpp: disk space and network of a member's host, from node_exporter.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace etcdmon::collect {

/// What the pages of one host say.
///
/// The disk is the file system that holds the data directory: the longest mount point that is a
/// prefix of it, "/" at last. The network is all interfaces but loopback and those of containers
/// and bridges, whose traffic passes a real one too. Threads: one owner.
class NodeMetrics {
 public:
  explicit NodeMetrics(std::string data_dir = "/var/lib/etcd") : data_dir_(std::move(data_dir)) {}

  /// Returns how many lines were malformed.
  std::uint64_t on_page(std::string_view page, SteadyTime at);

  std::optional<SteadyTime> last_at() const;
  std::optional<double> disk_total() const { return disk_total_; }  ///< bytes
  std::optional<double> disk_free() const { return disk_free_; }    ///< bytes, for ordinary users
  /// Bytes per second over the last five minutes.
  std::optional<double> receive_rate() const;
  std::optional<double> send_rate() const;

 private:
  struct Traffic {
    SteadyTime at;
    std::optional<double> received;
    std::optional<double> sent;
  };
  std::optional<double> rate(std::optional<double> Traffic::* counter) const;

  std::string data_dir_;
  std::optional<double> disk_total_;
  std::optional<double> disk_free_;
  std::deque<Traffic> traffic_;
};

}  // namespace etcdmon::collect
