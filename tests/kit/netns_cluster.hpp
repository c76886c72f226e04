// kit/netns_cluster.hpp: an etcd cluster with a network of its own, to be cut.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kit/etcd_cluster.hpp"

namespace etcdmon::kit {

/// Each member runs in its own network namespace with an address of its own, on one switch; this
/// process (the monitor's side) has a link to that switch. Packets are dropped where they arrive,
/// so that a sender notices nothing, as with a cable that is cut.
///
/// Threads: one, and the one that made it must live as long.
class NetnsCluster {
 public:
  /// Empty where it works; else what is missing, for GTEST_SKIP.
  static const std::string& unavailable_reason();

  /// `options.place` and `options.ctl_command` are set here. Throws std::runtime_error.
  explicit NetnsCluster(EtcdCluster::Options options);
  NetnsCluster();  ///< three members of the newest version
  ~NetnsCluster();

  EtcdCluster& etcd();
  std::string address(std::size_t i) const;  ///< of member i, as everybody sees it
  std::string monitor_address() const;

  void cut(std::size_t i, std::size_t j);  ///< both ways
  /// What `from` sends does not reach `to`. Acknowledgements are lost too, so that TCP ends both
  /// ways.
  void cut_one_way(std::size_t from, std::size_t to);
  /// A share of the packets, 0 to 100, both ways.
  void lose(std::size_t i, std::size_t j, int percent);
  void isolate(std::size_t i);  ///< from its peers; we still reach it
  /// Every member of one side from every member of the other.
  void split(const std::vector<std::size_t>& side, const std::vector<std::size_t>& other);
  void cut_from_monitor(std::size_t i);  ///< its peers still reach it
  void heal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etcdmon::kit
